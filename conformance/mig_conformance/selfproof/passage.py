"""One message on its way between the suite and the server, as a mutation sees and changes it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from copy import copy, deepcopy
from dataclasses import dataclass, field
from typing import Any, Self

from mig_conformance.drivers.port import BindingName, JsonObject
from mig_conformance.selfproof.mutant import At


@dataclass(slots=True, kw_only=True)
class Passage:
    """`message` is the content as JSON in the protocol's spelling, `None` where it has none; `raw` the bytes.
    Parameters of a path, a query or a subject are members of it. `fields` are the transport's header fields,
    their names in lower case, `tenant` the tenant that the transport names. `scope` is the connection or
    subscription.

    What a mutation decides is in `changed` (the message was), `restores` (what the answer's header has to
    repeat, by pointer), `new_fields` (None removes one), `new_status`, `new_tenant`, `delay_s`, `ignored`,
    and `answer`, which is given in place of the server's.
    """

    at: frozenset[At]
    binding: BindingName
    operations: frozenset[str]
    message: Any = None
    raw: bytes = b""
    fields: Mapping[str, str] = field(default_factory=dict)
    status: int | str | None = None
    tenant: str | None = None
    scope: str = ""
    request: Passage | None = None

    changed: bool = False
    restores: dict[str, Any] = field(default_factory=dict)
    new_fields: dict[str, str | None] = field(default_factory=dict)
    new_status: int | str | None = None
    new_tenant: str | None = None
    delay_s: float = 0.0
    ignored: bool = False
    answer: JsonObject | None = None

    def json(self) -> bytes:
        """What is sent, where the binding carries JSON."""
        return json.dumps(self.message, ensure_ascii=False).encode() if self.changed else self.raw

    def again(self) -> Self:
        """Another of the same."""
        other = copy(self)
        other.message = deepcopy(self.message)
        return other


def read_json(raw: bytes) -> Any:
    """As JSON, or as the text that it is when it is no JSON; None for no text."""
    try:
        return json.loads(raw)
    except ValueError:
        pass
    try:
        return raw.decode() or None
    except UnicodeDecodeError:
        return None
