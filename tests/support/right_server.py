"""A gateway with every binding and the conformance fixture, as the suite's subject."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from mig_conformance.subject.subject import Endpoints, Limits, Subject
from support.nats_servers import NatsServer
from support.running_migd import local_migd
from support.scripts import FIXTURE, Scripts
from support.until import until

LIMITS = Limits(retained_events=200, keepalive_s=0.3)
FEATURES = frozenset({"streaming", "events", "replay", "cancel", "deadlines", "script", "open"})


@asynccontextmanager
async def right_server(nats_server: NatsServer, **environ: str) -> AsyncIterator[tuple[Subject, Scripts]]:
    """What the suite needs to know of it, and its scripts."""
    bindings = {"MIGD_GRPC_ADDR": "127.0.0.1:0", "MIGD_NATS_URL": nats_server.url}
    limits = {
        "MIGD_RETENTION_EVENTS": str(LIMITS.retained_events),
        "MIGD_SSE_KEEPALIVE_S": str(LIMITS.keepalive_s),
    }
    async with local_migd(**{**bindings, **limits, **FIXTURE, **environ}) as migd:
        await until(lambda: migd.gateway.readiness().status == "ok")
        assert migd.grpc is not None
        endpoints = Endpoints(http=migd.url, grpc=str(migd.grpc.address), nats=nats_server.url)
        subject = Subject(
            endpoints=endpoints,
            features=FEATURES,
            profiles=frozenset({"full"}),
            limits=LIMITS,
            patience_s=20,
        )
        yield subject, Scripts(migd)
