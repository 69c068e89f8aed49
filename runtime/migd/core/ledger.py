"""What is written down: a record, a measurement and a span for each invocation, a record for each denial."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal
from weakref import WeakSet

from msgspec import UNSET, UnsetType

from mig_protocol.errors import MigFault
from mig_protocol.messages import AuditRecord, InvokeRequest, MessageHeader, MigErrorCode
from migd.core.audit import AuditHome, entry_of
from migd.core.call import Call
from migd.core.clock import Clock
from migd.core.context import UNKNOWN_TENANT, Context
from migd.core.recorder import Recorder
from migd.core.tracing import Tracing

OnFailure = Literal["continue", "refuse"]
"""What becomes of new invocations while the trail can not be written: they run, or are MIG_UNAVAILABLE."""

_DENIALS = frozenset({MigErrorCode.MIG_UNAUTHORIZED, MigErrorCode.MIG_FORBIDDEN})


class Ledger:
    """Writes to every home of the audit trail in turn, then to the recorder."""

    def __init__(
        self,
        homes: Sequence[AuditHome],
        recorder: Recorder,
        tracing: Tracing,
        clock: Clock,
        *,
        on_failure: OnFailure = "continue",
    ) -> None:
        self._homes = homes
        self._recorder = recorder
        self._tracing = tracing
        self._clock = clock
        self._must_write = on_failure == "refuse"
        # An invocation's denial is recorded as its outcome, and then answered as every refusal is.
        self._recorded: WeakSet[MigFault] = WeakSet()

    @property
    def lost(self) -> int:
        """How many records have been given up since the start, in all homes together."""
        return sum(home.lost for home in self._homes)

    def obstacle(self) -> str | None:
        """Why nothing may be run: the trail can not be written, and must be. None when all is well."""
        if self._must_write:
            for home in self._homes:
                if home.failure is not None:
                    return f"the audit trail can not be written: {home.failure}"
        return None

    def require(self) -> None:
        """Raises MigFault MIG_UNAVAILABLE while nothing may be run."""
        if self._must_write and (obstacle := self.obstacle()) is not None:
            raise MigFault(MigErrorCode.MIG_UNAVAILABLE, obstacle)

    def begin(self, call: Call, operation: str, request: InvokeRequest) -> None:
        """An invocation came in; it ends with `settle`, `failed` or `refused`."""
        if self._tracing.tracer is not None:
            self._tracing.begin(operation, call, request)

    def settle(self, context: Context, operation: str, capability: str | UnsetType, outcome: str) -> None:
        """An invocation is over; `outcome` is "success" or the error code."""
        seconds = self._clock.monotonic() - context.started
        self._write(
            context.call, operation, context.tenant_id, context.message_id, capability, outcome, seconds
        )
        self._recorder.invocation(capability or "", outcome, seconds)
        if context.call.span is not None:
            self._tracing.end(context.call, outcome, context.tenant_id, context.message_id)

    def failed(self, context: Context, operation: str, capability: str | UnsetType, fault: MigFault) -> None:
        """An invocation is over, and this is what its caller is told."""
        self._remember(fault)
        self._tracing.failed(context.call, fault)
        self.settle(context, operation, capability, fault.code.value)

    def refused(self, call: Call, operation: str, capability: str | UnsetType, fault: MigFault) -> None:
        """An invocation was refused before its header was accepted."""
        self._remember(fault)
        header = fault.header
        tenant_id = header.tenant_id if header else UNKNOWN_TENANT
        message_id = header.message_id if header else self._clock.new_id()
        self._write(call, operation, tenant_id, message_id, capability, fault.code.value, 0.0)
        self._recorder.invocation(capability or "", fault.code.value, 0.0)
        self._tracing.failed(call, fault)

    def answered(self, call: Call, operation: str, fault: MigFault, header: MessageHeader) -> None:
        """A caller is told of this failure: a denial that is not on record yet is recorded [MIG-AUD-004]."""
        if fault.code in _DENIALS and fault not in self._recorded:
            self._write(call, operation, header.tenant_id, header.message_id, UNSET, fault.code.value, 0.0)

    def _remember(self, fault: MigFault) -> None:
        if fault.code in _DENIALS:
            self._recorded.add(fault)

    def _write(
        self,
        call: Call,
        operation: str,
        tenant_id: str,
        message_id: str,
        capability: str | UnsetType,
        outcome: str,
        seconds: float,
    ) -> None:
        entry = entry_of(
            AuditRecord(
                actor=call.principal.subject,
                tenant_id=tenant_id,
                capability=capability or "",
                outcome=outcome,
                timestamp=self._clock.now(),
                message_id=message_id,
                binding=call.binding,
                # To the microsecond, as round() would have it, in a quarter of its time.
                duration_ms=int(seconds * 1e6 + 0.5) / 1000.0,
                operation=operation or UNSET,
            )
        )
        for home in self._homes:
            home.append(entry)
