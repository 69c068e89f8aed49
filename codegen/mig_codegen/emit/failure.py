"""The one way in which writing the package fails."""


class EmitError(Exception):
    """A tool refused, or the target is not ours to write. The message is for a person, in the tool's own
    words.
    """
