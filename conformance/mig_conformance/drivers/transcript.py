"""What went over the wire during one check, and what of it breaks a schema."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from mig_conformance import reference

_KEPT = 40
_TEXT = 4000


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One thing sent or received. `what` says where in a few words, `text` is its content, cut when long."""

    way: Literal["sent", "received"]
    what: str
    text: str


class Transcript:
    """The last lines, and every violation. Credentials are no part of what drivers tell it."""

    def __init__(self) -> None:
        self._lines: deque[Line] = deque(maxlen=_KEPT)
        self.violations: list[str] = []

    @property
    def lines(self) -> tuple[Line, ...]:
        return tuple(self._lines)

    def sent(self, what: str, content: Mapping[str, Any] | bytes) -> None:
        self._lines.append(Line(way="sent", what=what, text=_text(content)))

    def received(self, what: str, content: object, message: str | None = None) -> None:
        """`message` names the schema that the content is held to; None where it is no message of MIG."""
        self._lines.append(Line(way="received", what=what, text=_text(content)))
        if message is not None:
            self.violations += [f"{message}{flaw}" for flaw in reference.violations(message, content)]


def _text(content: object) -> str:
    text = (
        content.decode(errors="replace")
        if isinstance(content, bytes)
        else json.dumps(content, ensure_ascii=False, default=repr)
    )
    return text if len(text) <= _TEXT else f"{text[:_TEXT]}... ({len(text)} characters)"
