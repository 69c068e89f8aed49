"""INVOKE and streamed invocations: admitted, run, recorded (protocol section 2 and 4)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable

from msgspec import UNSET, UnsetType

from mig_protocol.errors import MigFault
from mig_protocol.messages import InvokeRequest, InvokeResponse, MigErrorCode
from migd.core.admission import Admission
from migd.core.call import Call
from migd.core.catalog import Entry
from migd.core.clock import Clock
from migd.core.context import Context, Contexts
from migd.core.failpoints import Failpoint, Failpoints
from migd.core.faults import as_fault
from migd.core.flights import Flights
from migd.core.invocation import Invocation
from migd.core.ledger import Ledger
from migd.core.once import Once
from migd.core.ports import UsageStore
from migd.core.provider import NO_INPUTS, Final, JsonObject, Provider, Work

Emit = Callable[[JsonObject], Awaitable[None]]
_REPLAYED: JsonObject = {"mig.idempotent_replay": True}
_SUCCESS = "success"
_INVOKE = "INVOKE"
_STREAM = "STREAM"


def _nobody_told(context: Context) -> None:
    """For callers who do not care when."""


class Invoker:
    """Runs capabilities. Every outcome is recorded exactly once, refusals included."""

    def __init__(
        self,
        *,
        contexts: Contexts,
        admission: Admission,
        flights: Flights,
        once: Once,
        usage: UsageStore,
        ledger: Ledger,
        clock: Clock,
        failpoints: Failpoints,
    ) -> None:
        self._contexts = contexts
        self._admission = admission
        self._flights = flights
        self._once = once
        self._usage = usage
        self._ledger = ledger
        self._clock = clock
        self._failpoints = failpoints

    def invoke(self, call: Call, request: InvokeRequest) -> InvokeResponse | Awaitable[InvokeResponse]:
        """One answer. A plain value when the provider answered at once and nothing had to be awaited."""
        context = self._open(call, _INVOKE, request)
        try:
            payload = request.payload
            entry = self._admission.check(context, request.capability, payload)
            if not entry.unary:
                raise MigFault(
                    MigErrorCode.MIG_INVALID_REQUEST, f"{entry.id} does not answer unary invocations"
                )
            if context.idempotency_key is not UNSET or self._admission.must_run(context, entry):
                return self._guarded(context, entry, payload)
            answer = self._begin(context, entry, payload)
            if not isinstance(answer, dict):
                return self._awaited(context, entry, answer)
        except Exception as error:
            fault = self._failed(context, _INVOKE, request.capability, error)
            raise fault from fault.__cause__
        self._ledger.settle(context, _INVOKE, entry.id, _SUCCESS)
        return self._response(context, entry, answer, None)

    async def stream(
        self,
        call: Call,
        request: InvokeRequest,
        emit: Emit,
        inputs: AsyncIterator[JsonObject],
        opened: Callable[[Context], None] = _nobody_told,
        started: Callable[[Context], None] = _nobody_told,
    ) -> InvokeResponse:
        """Every response payload but the last through `emit`; the last, of the terminal frame, is returned.
        Given again for an idempotency key, it is the only one.

        `opened` is told once the request is known to be acceptable, and before it runs; `started` once quota,
        room and provider are there, too, so that nothing refuses it any more. Raises MigFault when it is
        refused, fails or is stopped: the caller turns that into the terminal error frame.
        """
        context = self._open(call, _STREAM, request)
        try:
            payload = request.payload
            entry = self._admission.check(context, request.capability, payload)
            invocation = Invocation(context, self._clock)
            with self._flights.aboard(invocation):
                opened(context)
                work = self._keyed(
                    context,
                    entry,
                    payload,
                    lambda: self._frames(context, entry, payload, emit, inputs, started),
                )
                last, replayed = await invocation.run(work)
                if replayed:
                    started(context)
        except Exception as error:
            fault = self._failed(context, _STREAM, request.capability, error)
            raise fault from fault.__cause__
        except BaseException:
            self._ledger.settle(context, _STREAM, request.capability, MigErrorCode.MIG_TIMEOUT.value)
            raise
        self._ledger.settle(context, _STREAM, entry.id, _SUCCESS)
        return self._response(context, entry, last, _REPLAYED if replayed else None)

    def _begin(
        self, context: Context, entry: Entry, payload: JsonObject
    ) -> JsonObject | Awaitable[JsonObject]:
        """The provider's answer, or what to await for it. Where there is nothing to await it is over, failed
        or not, and a CANCEL comes too late.
        """
        try:
            provider = self._admission.admit(context, entry)
            self._usage.count(context.tenant_id, entry.id)
            answer = provider.invoke(self._work(context, entry, payload))
        except Exception:
            self._flights.completed(context)
            raise
        if isinstance(answer, dict):
            self._flights.completed(context)
        return answer

    def _open(self, call: Call, operation: str, request: InvokeRequest) -> Context:
        self._ledger.begin(call, operation, request)
        try:
            return self._contexts.open(call, request.header)
        except MigFault as fault:
            self._ledger.refused(call, operation, request.capability, fault)
            raise

    async def _guarded(self, context: Context, entry: Entry, payload: JsonObject) -> InvokeResponse:
        """The path with something to await or to keep: an answer, a quota, a place among those that run."""
        invocation = Invocation(context, self._clock)
        try:
            with self._flights.aboard(invocation):
                work = self._keyed(context, entry, payload, lambda: self._execute(context, entry, payload))
                answer, replayed = await invocation.run(work)
        except Exception as error:
            fault = self._failed(context, _INVOKE, entry.id, error)
            raise fault from fault.__cause__
        except BaseException:
            self._ledger.settle(context, _INVOKE, entry.id, MigErrorCode.MIG_TIMEOUT.value)
            raise
        self._ledger.settle(context, _INVOKE, entry.id, _SUCCESS)
        return self._response(context, entry, answer, _REPLAYED if replayed else None)

    async def _keyed(
        self,
        context: Context,
        entry: Entry,
        payload: JsonObject,
        execute: Callable[[], Awaitable[JsonObject]],
    ) -> tuple[JsonObject, bool]:
        """What `execute` gives, or what was given before under the same idempotency key; True for that."""
        if context.idempotency_key is UNSET:
            return await execute(), False
        return await self._once.run((context.tenant_id, entry.id, context.idempotency_key), payload, execute)

    async def _awaited(self, context: Context, entry: Entry, answer: Awaitable[JsonObject]) -> InvokeResponse:
        invocation = Invocation(context, self._clock)
        try:
            with self._flights.aboard(invocation):
                payload = await invocation.run(answer)
        except Exception as error:
            fault = self._failed(context, _INVOKE, entry.id, error)
            raise fault from fault.__cause__
        except BaseException:
            self._ledger.settle(context, _INVOKE, entry.id, MigErrorCode.MIG_TIMEOUT.value)
            raise
        self._ledger.settle(context, _INVOKE, entry.id, _SUCCESS)
        return self._response(context, entry, payload, None)

    async def _execute(self, context: Context, entry: Entry, payload: JsonObject) -> JsonObject:
        async with self._admission.running(context, entry) as provider:
            self._usage.count(context.tenant_id, entry.id)
            answer = provider.invoke(self._work(context, entry, payload))
            return answer if isinstance(answer, dict) else await answer

    async def _frames(
        self,
        context: Context,
        entry: Entry,
        payload: JsonObject,
        emit: Emit,
        inputs: AsyncIterator[JsonObject],
        started: Callable[[Context], None],
    ) -> JsonObject:
        async with self._admission.running(context, entry) as provider:
            self._usage.count(context.tenant_id, entry.id)
            started(context)
            work = self._work(context, entry, payload, inputs)
            if not entry.streams:
                answer = provider.invoke(work)
                return answer if isinstance(answer, dict) else await answer
            return await self._relay(provider, work, emit)

    async def _relay(self, provider: Provider, work: Work, emit: Emit) -> JsonObject:
        """Emit the provider's items as they come; give the terminal frame's payload."""
        items = provider.stream(work)
        try:
            async for item in items:
                if isinstance(item, Final):
                    return item.payload
                await emit(item)
                self._failpoints.reach(Failpoint.MID_STREAM)
            return {}
        finally:
            close = getattr(items, "aclose", None)
            if close is not None:
                await close()

    def _work(
        self,
        context: Context,
        entry: Entry,
        payload: JsonObject,
        inputs: AsyncIterator[JsonObject] = NO_INPUTS,
    ) -> Work:
        return Work(
            capability=entry.id,
            tenant_id=context.tenant_id,
            message_id=context.message_id,
            session_id=context.session_id or None,
            traceparent=context.onward,
            payload=payload,
            meta=context.meta,
            principal=context.principal,
            deadline=context.deadline,
            deadline_ms=context.deadline_ms,
            clock=self._clock.monotonic,
            inputs=inputs,
            idempotency_key=context.idempotency_key or None,
        )

    def _response(
        self, context: Context, entry: Entry, payload: JsonObject, extra: JsonObject | None
    ) -> InvokeResponse:
        return InvokeResponse(
            header=self._contexts.respond(context, extra),
            capability=entry.id,
            payload=payload,
            result_schema_uri=entry.descriptor.output_schema_uri,
        )

    def _failed(
        self, context: Context, operation: str, capability: str | UnsetType, error: Exception
    ) -> MigFault:
        """The fault that the caller gets, recorded, with the answer's header attached."""
        fault = as_fault(error)
        fault.header = self._contexts.respond(context)
        self._ledger.failed(context, operation, capability, fault)
        return fault
