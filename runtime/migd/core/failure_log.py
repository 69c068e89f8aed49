"""What the log says of a request that failed."""

from __future__ import annotations

import logging

from mig_protocol.errors import MigFault
from mig_protocol.messages import MessageHeader, MigErrorCode
from migd.core.call import Call
from migd.core.tracing import trace_fields

_log = logging.getLogger("migd.gateway")


def log_failure(operation: str, fault: MigFault, header: MessageHeader, within: str, call: Call) -> None:
    """At level error with its cause for what nobody foresaw, at debug for a refusal.

    `header` is the answer's, `within` the traceparent of where it happened.
    """
    internal = fault.code is MigErrorCode.MIG_INTERNAL
    # Refusals are counted in the metrics: a line for each would let any caller fill the log.
    level = logging.ERROR if internal else logging.DEBUG
    if not _log.isEnabledFor(level):
        return
    _log.log(
        level,
        "%s failed",
        operation,
        exc_info=fault.__cause__ if internal else None,
        extra={
            "message_id": header.message_id,
            "traceparent": header.traceparent or "",
            **trace_fields(within),
            "tenant_id": header.tenant_id,
            "operation": operation,
            "binding": call.binding,
            "code": fault.code.value,
            "reason": _reason(fault),
        },
    )


def _reason(fault: MigFault) -> str:
    """What a schema says of a payload quotes the payload: the log has the places instead."""
    violations = (fault.details or {}).get("violations")
    if not violations:
        return fault.message
    # A service's own details may have any shape.
    listed = violations if isinstance(violations, list) else []
    places = [str(one.get("pointer") or "its root") for one in listed if isinstance(one, dict)]
    return f"not valid at {', '.join(places)}" if places else "not valid"
