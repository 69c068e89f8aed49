"""`${NAME}` and `${NAME:-default}` in the values of a migd.yaml."""

from __future__ import annotations

import re
from collections.abc import Mapping

# `$${` is a literal `${`; a lone `$` means nothing, so that regular expressions and prices survive.
_REFERENCE = re.compile(
    r"\$\$\{|\$\{(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?::-(?P<default>[^}]*))?\}|(?P<broken>\$\{)"
)


def expand(text: str, environ: Mapping[str, str]) -> str:
    """`text` with every reference replaced, once: a value that looks like a reference stays as it is.

    As in a shell, the default also stands in for a variable that is set to nothing.
    Raises ValueError, with what to do about it, for an undefined variable or an unfinished reference.
    """

    def value_of(match: re.Match[str]) -> str:
        if match["broken"]:
            raise ValueError(
                "${ starts a variable, as in ${NAME} or ${NAME:-default}; write $${ for the characters"
            )
        name, default = match["name"], match["default"]
        if name is None:
            return "${"
        value = environ.get(name)
        if default is not None:
            return value or default
        if value is None:
            raise ValueError(f"the environment has no {name}; set it, or give a default: ${{{name}:-value}}")
        return value

    return _REFERENCE.sub(value_of, text)
