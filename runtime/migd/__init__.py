"""migd: the reference gateway of MIG (Model Interface Gateway) v0.1."""

from migd.version import __version__

__all__ = ["__version__"]
