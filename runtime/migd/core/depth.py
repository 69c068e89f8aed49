"""How deep a payload may be nested, the same on every binding.

Protobuf's parsers give up at some depth of messages, and a JSON object or list is up to three of them: what
is deeper could be sent over one binding and read over no other.
"""

from __future__ import annotations

from typing import Any

from mig_protocol.errors import MigFault
from mig_protocol.messages import MigErrorCode
from migd.core.provider import JsonObject

_NESTING = (dict, list)


def check_depth(name: str, value: JsonObject, most: int) -> None:
    """Raises MigFault MIG_INVALID_REQUEST for more than `most` objects and lists within each other.

    `name` is the field that `value` is, and a pointer to it in the fault's details.
    """
    level: list[Any] = [value]
    for _ in range(most):
        # A loop and no comprehension: most payloads are flat, and it is over before that would have begun.
        inner: list[Any] = []
        for outer in level:
            for each in outer.values() if isinstance(outer, dict) else outer:
                if isinstance(each, _NESTING):
                    inner.append(each)
        if not inner:
            return
        level = inner
    message = f"nested deeper than {most} objects and lists"
    raise MigFault(
        MigErrorCode.MIG_INVALID_REQUEST,
        f"the {name.rpartition('/')[2]} is {message}",
        details={"violations": [{"pointer": name, "message": message}], "max_depth": most},
    )
