"""CANCEL: stop what runs, refuse what has not come yet (protocol section 2)."""

from __future__ import annotations

from mig_protocol.errors import MigFault
from mig_protocol.messages import CancelAck, CancelRequest, CancelStatus, MigErrorCode
from migd.core.call import Call
from migd.core.context import Context, Contexts
from migd.core.flights import Flights
from migd.core.limits import Limits
from migd.core.mirroring import Elsewhere, Stopping
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

    def configure(self, limits: Limits) -> None:
        """Other limits, for cancels that come from now on."""
        self._window_s = limits.cancel_window_s

    async def cancel(self, call: Call, request: CancelRequest) -> CancelAck:
        """Always an answer; raises MigFault only for a request that is itself not acceptable."""
        context, target = self._open(call, request)
        tenant_id, reason = context.tenant_id, request.reason or ""
        how: Stopping = "bury" if self.elsewhere is None else "stop"
        status = await self.stop_here(tenant_id, target, reason, how)
        if status is CancelStatus.pending and self.elsewhere is not None:
            status = await self.elsewhere.stop(tenant_id, target, reason, "stop")
            if status is CancelStatus.pending:
                status = await self._bury(self.elsewhere, tenant_id, target, reason)
        return self._ack(context, target, status)

    async def cancel_with_others(self, call: Call, request: CancelRequest) -> CancelAck | None:
        """As `cancel`, for a request that every gateway has got: None where another one is to answer."""
        if self.elsewhere is None:
            return await self.cancel(call, request)
        context, target = self._open(call, request)
        tenant_id, reason = context.tenant_id, request.reason or ""
        status = await self.stop_here(tenant_id, target, reason, "stop")
        if status is CancelStatus.pending:
            if not self.elsewhere.leads():
                return None
            found = await self.elsewhere.look(tenant_id, target, reason)
            if found is None:
                return None
            status = found
            if status is CancelStatus.pending:
                status = await self._bury(self.elsewhere, tenant_id, target, reason)
        return self._ack(context, target, status)

    async def stop_here(self, tenant_id: str, target: str, reason: str, how: Stopping) -> CancelStatus:
        """What became of the target on this gateway; `pending` where it is not known."""
        running = self._flights.running(tenant_id, target)
        stopped = [invocation.cancel(reason) for invocation in running] if how != "look" else []
        if any(stopped):
            return CancelStatus.cancelled
        if running or self._flights.is_completed(tenant_id, target):
            return CancelStatus.completed
        if how == "bury":
            await self._tombstones.put(tenant_id, target, reason, self._window_s)
        return CancelStatus.pending

    async def _bury(self, elsewhere: Elsewhere, tenant_id: str, target: str, reason: str) -> CancelStatus:
        """Nobody knew it: from now on whoever gets it refuses it, and who has got it meanwhile stops it."""
        status = await self.stop_here(tenant_id, target, reason, "bury")
        if status is CancelStatus.pending:
            status = await elsewhere.stop(tenant_id, target, reason, "bury")
        return status

    def _open(self, call: Call, request: CancelRequest) -> tuple[Context, str]:
        context = self._contexts.open(call, request.header)
        if not request.target_message_id:
            fault = MigFault(MigErrorCode.MIG_INVALID_REQUEST, "target_message_id is required")
            fault.header = self._contexts.respond(context)
            raise fault
        return context, request.target_message_id

    def _ack(self, context: Context, target: str, status: CancelStatus) -> CancelAck:
        return CancelAck(
            header=self._contexts.respond(context),
            target_message_id=target,
            accepted=status is not CancelStatus.completed,
            status=status,
        )
