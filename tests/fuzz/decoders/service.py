"""A service that asks nothing more of a request that was read, and keeps how the last one was refused."""

from __future__ import annotations

from typing import Any

from msgspec import UNSET

from fuzz.decoders.target import FindingError
from mig_protocol.errors import MigFault
from mig_protocol.messages import ErrorEnvelope, MigErrorCode
from support.scripted_http import answered


def _served(_self: Any, _exchange: Any, *_request: Any) -> Any:
    raise MigFault(MigErrorCode.MIG_UNAVAILABLE, "read")


class _Refusals:
    last: MigFault | None = None

    def failed(self, exchange: Any, fault: MigFault) -> ErrorEnvelope:
        self.last = fault
        return ErrorEnvelope(header=answered(exchange.carried or UNSET), error=fault.error())


def service_of(kind: Any) -> Any:
    """One of the generated abstract service `kind`."""
    served = dict.fromkeys(kind.__abstractmethods__ - {"failed"}, _served)
    return type(kind.__name__, (_Refusals, kind), served)()


def is_refused_well(service: Any, answer: object) -> None:
    """Raises FindingError when the last refusal, `answer`, is of an exception that is no MigFault."""
    last, service.last = service.last, None
    if last is not None and last.code is MigErrorCode.MIG_INTERNAL:
        raise FindingError(f"an exception that is no MigFault: {answer!r}")
