"""What is written down of every invocation: one audit record and one measurement each."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import UnsetType

from mig_protocol.errors import MigFault
from mig_protocol.messages import AuditRecord
from migd.core.call import Call
from migd.core.clock import Clock
from migd.core.context import UNKNOWN_TENANT, Context
from migd.core.ports import AuditSink, AuditStore
from migd.core.recorder import Recorder


class Ledger:
    """Writes to every audit in turn, then to the recorder."""

    def __init__(self, audits: Sequence[AuditStore | AuditSink], recorder: Recorder, clock: Clock) -> None:
        self._audits = audits
        self._recorder = recorder
        self._clock = clock

    def settle(self, context: Context, capability: str | UnsetType, outcome: str) -> None:
        """An invocation is over; `outcome` is "success" or the error code."""
        seconds = self._clock.monotonic() - context.started
        self._write(context.call, context.tenant_id, context.message_id, capability or "", outcome, seconds)

    def refused(self, call: Call, capability: str | UnsetType, fault: MigFault) -> None:
        """An invocation was refused before its header was accepted."""
        header = fault.header
        tenant_id = header.tenant_id if header else UNKNOWN_TENANT
        message_id = header.message_id if header else self._clock.new_id()
        self._write(call, tenant_id, message_id, capability or "", fault.code.value, 0.0)

    def _write(
        self, call: Call, tenant_id: str, message_id: str, capability: str, outcome: str, seconds: float
    ) -> None:
        record = AuditRecord(
            actor=call.principal.subject,
            tenant_id=tenant_id,
            capability=capability,
            outcome=outcome,
            timestamp=self._clock.now(),
            message_id=message_id,
            binding=call.binding,
            duration_ms=round(seconds * 1000.0, 3),
        )
        for audit in self._audits:
            audit.append(record)
        self._recorder.invocation(capability, outcome, seconds)
