"""From anything that can go wrong to the one exception of the protocol."""

from __future__ import annotations

from mig_protocol.errors import MigFault
from mig_protocol.messages import MigErrorCode


def as_fault(error: Exception) -> MigFault:
    """A MigFault as it is; anything else as MIG_INTERNAL that tells nothing, with its cause for the log."""
    if isinstance(error, MigFault):
        return error
    fault = MigFault(MigErrorCode.MIG_INTERNAL, "internal error")
    fault.__cause__ = error
    return fault
