"""Every route, RPC, subject and page x every kind of credential x own and other tenant, as the spec has it.

What can be asked for is taken from what the servers route by, so what is added is asked too: it needs rights
in the registry, and a request here that is good enough to be let in.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest

from security import over_grpc, over_http, over_nats
from security.expectation import MODES, Mode
from security.matrix import hold
from security.planted import planted
from support.grpc_client import GRPC, connected
from support.nats_gateway import nats_client
from support.nats_servers import running_nats
from support.until import until

every_mode = pytest.mark.parametrize("mode", MODES.values(), ids=MODES.keys())


@every_mode
async def test_http_lets_in_whom_the_spec_lets_in_and_tells_nothing_of_others(mode: Mode) -> None:
    async with planted(mode) as migd:
        await hold(mode, over_http.routes(), partial(over_http.ask_route, migd), at_least=800)


@every_mode
async def test_a_websocket_lets_in_whom_the_spec_lets_in(mode: Mode) -> None:
    async with planted(mode) as migd:
        await hold(mode, over_http.websocket(), partial(over_http.ask_websocket, migd), at_least=50)


@every_mode
async def test_pages_show_to_everyone_what_is_everyones_and_the_rest_by_rights(mode: Mode) -> None:
    async with planted(mode) as migd:
        await hold(mode, over_http.pages(migd), partial(over_http.ask_page, migd), at_least=100)


@every_mode
async def test_grpc_lets_in_whom_the_spec_lets_in_and_tells_nothing_of_others(mode: Mode) -> None:
    async with planted(mode, **GRPC) as migd, connected(migd, None) as client:
        assert not await over_grpc.unexpected_rpcs(client.channel)
        await hold(mode, over_grpc.rpcs(), partial(over_grpc.ask_rpc, client.channel), at_least=400)


@every_mode
async def test_nats_lets_in_whom_the_spec_lets_in_and_tells_nothing_of_others(
    mode: Mode, tmp_path: Path
) -> None:
    with running_nats(tmp_path, config=over_nats.MONITORED) as server:
        async with planted(mode, MIGD_NATS_URL=server.url) as migd, nats_client(server) as client:
            await until(lambda: migd.gateway.readiness().status == "ok")
            assert not await over_nats.unexpected_subjects(server.monitor)
            await hold(mode, over_nats.served(), partial(over_nats.ask_subject, client), at_least=400)
