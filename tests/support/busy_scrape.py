"""What a scrape shows of a gateway on which everything is on and something of everything has happened."""

from __future__ import annotations

import asyncio
from pathlib import Path

from prometheus_client import Metric
from prometheus_client.openmetrics.parser import (
    text_string_to_metric_families as openmetrics_families,
)
from prometheus_client.parser import text_string_to_metric_families

from support.nats_gateway import nats_client, nats_migd, reply_of
from support.nats_servers import running_nats
from support.running_migd import LocalMigd
from support.sse import subscribed

REFERENCE = "observatory.models.infer"
_OPENMETRICS = "application/openmetrics-text;version=1.0.0"


class Scrapes:
    """The metric families of one moment, as the parsers of both formats read them."""

    def __init__(self, plain: str, openmetrics: str) -> None:
        self.plain: list[Metric] = list(text_string_to_metric_families(plain))
        self.openmetrics: list[Metric] = list(openmetrics_families(openmetrics))  # type: ignore[no-untyped-call]

    def labels(self) -> dict[str, set[str]]:
        """The names of its labels, by name of a sample."""
        found: dict[str, set[str]] = {}
        for family in self.plain:
            for sample in family.samples:
                found.setdefault(sample.name, set()).update(sample.labels)
        return found


def busy_scrape(folder: Path) -> Scrapes:
    """Starts a nats-server and a gateway with a store in `folder`, and lets both end."""
    return asyncio.run(_busy_scrape(folder))


async def _busy_scrape(folder: Path) -> Scrapes:
    with running_nats(folder / "nats") as server:
        environ = {"MIGD_DATA_DIR": str(folder / "data"), "MIGD_GRPC_ADDR": "127.0.0.1:0"}
        async with (
            nats_migd(server, **environ) as migd,
            nats_client(server) as client,
            subscribed(migd.http, "a.b") as events,
        ):
            await migd.invoke(REFERENCE, {"input": "hi"})
            await migd.invoke("guess.this")
            await migd.post("/mig/v0.1/publish/a.b", {}, x_tenant_id="acme")
            await events.next()
            reply_of(await client.request("mig.v0_1.acme.invoke.no.such", b"{}", timeout=20))
            await _mirrored(migd)
            plain = await migd.get("/metrics")
            openmetrics = await migd.get("/metrics", accept=_OPENMETRICS)
            return Scrapes(plain.raw.decode(), openmetrics.raw.decode())


async def _mirrored(migd: LocalMigd) -> None:
    """Until the event has gone out to NATS."""
    while b'mig_gateway_events_mirrored_total{outcome="sent"}' not in (await migd.get("/metrics")).raw:
        pass
