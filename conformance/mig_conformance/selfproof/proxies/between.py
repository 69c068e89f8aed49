"""A server as the suite sees it through proxies."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace

from aiohttp import ClientSession, ClientTimeout, DummyCookieJar, TCPConnector

from mig_conformance.selfproof.mutation import Mutation
from mig_conformance.selfproof.proxies.grpc import GrpcProxy
from mig_conformance.selfproof.proxies.http import HttpProxy
from mig_conformance.selfproof.proxies.nats import NatsProxy
from mig_conformance.subject.subject import Endpoints, Subject


@asynccontextmanager
async def proxied(subject: Subject, mutation: Mutation) -> AsyncIterator[Subject]:
    """The same server, with every endpoint behind a proxy of its own."""
    async with AsyncExitStack() as stack:
        there = subject.endpoints
        here = Endpoints()
        if there.http is not None:
            session = await stack.enter_async_context(_session())
            proxy = await stack.enter_async_context(HttpProxy(there.http, session, mutation))
            here = replace(here, http=proxy.url)
        if there.nats is not None:
            nats = await stack.enter_async_context(NatsProxy(there.nats, mutation))
            here = replace(here, nats=nats.url)
        if there.grpc is not None:
            grpc = await stack.enter_async_context(GrpcProxy(there.grpc, mutation))
            here = replace(here, grpc=grpc.target)
        yield replace(subject, endpoints=here)


def _session() -> ClientSession:
    return ClientSession(
        auto_decompress=False,
        connector=TCPConnector(limit=0),
        cookie_jar=DummyCookieJar(),
        timeout=ClientTimeout(total=None),
    )
