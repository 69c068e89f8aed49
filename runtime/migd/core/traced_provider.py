"""A provider that is asked from within a span of its own, and told of it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Iterator
from contextlib import contextmanager

from msgspec.structs import replace

from mig_protocol.messages import MigErrorCode
from migd.core.faults import as_fault
from migd.core.provider import Final, Health, JsonObject, Provider, Work
from migd.core.tracing import SUCCESS, Span, Tracer


class TracedProvider:
    """Has a client span for every invocation, and hands on the context of that span.

    A stream's span ends with the stream, however it ends.
    """

    def __init__(self, provider: Provider, tracer: Tracer) -> None:
        self._provider = provider
        self._tracer = tracer

    def invoke(self, work: Work) -> JsonObject | Awaitable[JsonObject]:
        span = self._tracer.client(work.capability, work.traceparent)
        with _failing(span, work):
            answer = self._provider.invoke(replace(work, traceparent=span.traceparent))
        if not isinstance(answer, dict):
            return _awaited(answer, span, work)
        _end(span, work, SUCCESS)
        return answer

    async def stream(self, work: Work) -> AsyncIterator[JsonObject | Final]:
        span = self._tracer.client(work.capability, work.traceparent)
        with _failing(span, work):
            items = self._provider.stream(replace(work, traceparent=span.traceparent))
            try:
                async for item in items:
                    if isinstance(item, Final):
                        _end(span, work, SUCCESS)
                    yield item
            finally:
                close = getattr(items, "aclose", None)
                if close is not None:
                    await close()
        _end(span, work, SUCCESS)

    async def start(self) -> None:
        await self._provider.start()

    async def close(self) -> None:
        await self._provider.close()

    def health(self) -> Health:
        return self._provider.health()


async def _awaited(answer: Awaitable[JsonObject], span: Span, work: Work) -> JsonObject:
    with _failing(span, work):
        payload = await answer
    _end(span, work, SUCCESS)
    return payload


@contextmanager
def _failing(span: Span, work: Work) -> Iterator[None]:
    try:
        yield
    except Exception as error:
        _end(span, work, as_fault(error).code.value)
        raise
    except BaseException:
        # Stopped from outside: the deadline, a CANCEL, a caller that went away.
        _end(span, work, MigErrorCode.MIG_TIMEOUT.value)
        raise


def _end(span: Span, work: Work, outcome: str) -> None:
    span.end(outcome, tenant_id=work.tenant_id, message_id=work.message_id)
