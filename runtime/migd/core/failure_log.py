"""What the log says of a request that failed."""

from __future__ import annotations

import logging

from mig_protocol.errors import MigFault
from mig_protocol.messages import MigErrorCode
from migd.core.call import Call

_log = logging.getLogger("migd.gateway")


def log_failure(
    operation: str, fault: MigFault, message_id: str, traceparent: str, tenant_id: str, call: Call
) -> None:
    """At level error with its cause for what nobody foresaw, at debug for a refusal."""
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
            "message_id": message_id,
            "traceparent": traceparent,
            "tenant_id": tenant_id,
            "operation": operation,
            "binding": call.binding,
            "code": fault.code.value,
            "reason": fault.message,
        },
    )
