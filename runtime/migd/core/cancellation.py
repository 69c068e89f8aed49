"""CANCEL: stop what runs, refuse what has not come yet (protocol section 2)."""

from __future__ import annotations

from mig_protocol.errors import MigFault
from mig_protocol.messages import CancelAck, CancelRequest, CancelStatus, MigErrorCode
from migd.core.call import Call
from migd.core.context import Contexts
from migd.core.flights import Flights
from migd.core.limits import Limits
from migd.core.mirroring import Elsewhere
from migd.core.ports import TombstoneStore


class Cancellation:
    """Reaches the caller's own tenant only."""

    def __init__(
        self, contexts: Contexts, flights: Flights, tombstones: TombstoneStore, limits: Limits
    ) -> None:
        self._contexts = contexts
        self._flights = flights
        self._tombstones = tombstones
        self._window_s = limits.cancel_window_s
        self.elsewhere: Elsewhere | None = None

    async def cancel(self, call: Call, request: CancelRequest) -> CancelAck:
        """Always an answer; raises MigFault only for a request that is itself not acceptable."""
        context = self._contexts.open(call, request.header)
        target = request.target_message_id
        if not target:
            fault = MigFault(MigErrorCode.MIG_INVALID_REQUEST, "target_message_id is required")
            fault.header = self._contexts.respond(context)
            raise fault
        status = await self._stop_anywhere(context.tenant_id, target, request.reason or "")
        return CancelAck(
            header=self._contexts.respond(context),
            target_message_id=target,
            accepted=status is not CancelStatus.completed,
            status=status,
        )

    async def stop_here(self, tenant_id: str, target: str, reason: str, *, bury: bool) -> CancelStatus:
        """Stop what runs on this gateway; with `bury`, refuse what is not known here should it arrive."""
        stopped = [invocation.cancel(reason) for invocation in self._flights.running(tenant_id, target)]
        if any(stopped):
            return CancelStatus.cancelled
        if stopped or self._flights.is_completed(tenant_id, target):
            return CancelStatus.completed
        if bury:
            await self._tombstones.put(tenant_id, target, reason, self._window_s)
        return CancelStatus.pending

    async def _stop_anywhere(self, tenant_id: str, target: str, reason: str) -> CancelStatus:
        if self.elsewhere is None:
            return await self.stop_here(tenant_id, target, reason, bury=True)
        status = await self.stop_here(tenant_id, target, reason, bury=False)
        if status is CancelStatus.pending:
            status = await self.elsewhere.stop(tenant_id, target, reason, bury=False)
        if status is not CancelStatus.pending:
            return status
        # Nobody knows it, or did when asked: from now on, whoever gets it refuses it.
        status = await self.stop_here(tenant_id, target, reason, bury=True)
        if status is CancelStatus.pending:
            status = await self.elsewhere.stop(tenant_id, target, reason, bury=True)
        return status
