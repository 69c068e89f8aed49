"""What a scrape says of the connection to NATS."""

from __future__ import annotations

from support.nats_gateway import nats_migd
from support.nats_servers import NatsServer
from support.running_migd import LocalMigd
from support.until import until


async def nats_numbers(migd: LocalMigd) -> dict[str, str]:
    lines = (await migd.get("/metrics")).raw.decode().splitlines()
    prefix = "mig_gateway_nats_"
    return dict(line.removeprefix(prefix).split() for line in lines if line.startswith(prefix))


async def test_a_scrape_says_whether_nats_is_there_and_how_often_it_came_back(
    own_server: NatsServer,
) -> None:
    async with nats_migd(own_server) as migd:
        assert await nats_numbers(migd) == {"connected": "1.0", "reconnects_total": "0.0"}

        own_server.stop()
        await until(lambda: migd.gateway.readiness().status != "ok")
        assert await nats_numbers(migd) == {"connected": "0.0", "reconnects_total": "0.0"}

        own_server.start()
        await until(lambda: migd.gateway.readiness().status == "ok")
        assert await nats_numbers(migd) == {"connected": "1.0", "reconnects_total": "1.0"}
