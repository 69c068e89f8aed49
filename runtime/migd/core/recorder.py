"""What the core tells whoever measures it; every method must be cheap and must not raise."""

from __future__ import annotations

from typing import Literal, Protocol

MirrorOutcome = Literal["sent", "received", "repeated", "fetched", "refused", "malformed", "lost"]
"""sent: to the others. received: from another, live. repeated: had been taken before. fetched: was missing,
and asked for. refused: the store would not have it now. malformed: no event. lost: past retention before it
was mirrored or fetched, or too large for NATS.
"""


class Recorder(Protocol):
    def invocation(self, capability: str, outcome: str, seconds: float) -> None:
        """One INVOKE or stream is over. `outcome` is "success" or the error code."""

    def error(self, code: str, operation: str, binding: str) -> None:
        """One refusal or failure was given to a caller."""

    def stream_opened(self, kind: str) -> None:
        """A long-lived connection began; `kind` as in ConnectionKind."""

    def stream_closed(self, kind: str) -> None: ...
    def published(self, count: int) -> None: ...
    def delivered(self, count: int) -> None: ...
    def mirrored(self, outcome: MirrorOutcome, count: int) -> None:
        """What became of events on their way to or from other gateways."""


class NullRecorder:
    """Measures nothing."""

    def invocation(self, capability: str, outcome: str, seconds: float) -> None: ...
    def error(self, code: str, operation: str, binding: str) -> None: ...
    def stream_opened(self, kind: str) -> None: ...
    def stream_closed(self, kind: str) -> None: ...
    def published(self, count: int) -> None: ...
    def delivered(self, count: int) -> None: ...
    def mirrored(self, outcome: MirrorOutcome, count: int) -> None: ...
