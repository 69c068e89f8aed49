"""A capability that is hidden from a tenant answers as one that does not exist, however it is asked for."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from migd.core.catalog import Capability
from security.expectation import OTHER, REFERENCE_SCOPE
from support.gateway_under_test import Scripted, capability
from support.grpc_client import GRPC, connected, refused
from support.nats_gateway import NatsCaller, nats_client
from support.nats_servers import NatsServer, running_nats
from support.running_migd import LocalMigd, local_migd
from support.tokens import JWT_MODE, bearer
from support.until import until

UNKNOWN = "nowhere.out"  # as long as the other, since lengths are on the wire
TOKEN = bearer("acme", f"{REFERENCE_SCOPE} mig:admin")
_BY_NATURE = re.compile(r'"(message_id|timestamp|stream_id)": ?"[^"]*"|stream-[0-9a-f-]+')


def hidden_one() -> Capability:
    """Every property that could show: streams in both directions, a schema, a limit on the payload."""
    schema = {"type": "object", "required": ["must"]}
    modes = "unary server_stream bidi_stream"
    return capability(Scripted(), "hidden.away", modes, tenants=frozenset({OTHER}), input_schema=schema)


@pytest.fixture(scope="module")
def nats_server(tmp_path_factory: pytest.TempPathFactory) -> Any:
    with running_nats(tmp_path_factory.mktemp("nats")) as server:
        yield server


@pytest.fixture
async def migd(nats_server: NatsServer) -> AsyncIterator[LocalMigd]:
    async with local_migd(hidden_one(), **JWT_MODE, **GRPC, MIGD_NATS_URL=nats_server.url) as running:
        await until(lambda: running.gateway.readiness().status == "ok")
        yield running


async def invoked(migd: LocalMigd, _: NatsServer, asked: str) -> Any:
    answer = await migd.post(f"/mig/v0.1/invoke/{asked}", {}, authorization=TOKEN)
    return answer.status, answer.raw.decode()


async def invoked_with_a_large_payload(migd: LocalMigd, _: NatsServer, asked: str) -> Any:
    body = {"payload": {"text": "x" * 5000}}
    answer = await migd.post(f"/mig/v0.1/invoke/{asked}", body, authorization=TOKEN)
    return answer.status, answer.raw.decode()


async def looked_up_for_the_console(migd: LocalMigd, _: NatsServer, asked: str) -> Any:
    answer = await migd.get(f"/ui/capabilities/{asked}/input", authorization=TOKEN)
    return answer.status, answer.raw.decode()


async def discovered(migd: LocalMigd, _: NatsServer, asked: str) -> Any:
    return (await migd.post("/mig/v0.1/discover", {"query": asked}, authorization=TOKEN)).raw.decode()


async def streamed(migd: LocalMigd, _: NatsServer, asked: str) -> Any:
    """Two frames at once: the second would be input for a capability that takes input."""
    async with migd.http.ws_connect("/mig/v0.1/stream", headers={"Authorization": TOKEN}) as socket:
        for _frame in range(2):
            await socket.send_json({"kind": "request", "stream_id": "s", "capability": asked, "payload": {}})
        return [json.dumps(await socket.receive_json()) for _frame in range(2)]


async def invoked_over_grpc(migd: LocalMigd, _: NatsServer, asked: str) -> Any:
    async with connected(migd, None, authorization=TOKEN) as client:
        status, error = await refused(client.invoke(asked))
        return status.code(), status.details(), error.SerializeToString(deterministic=True).decode()


async def invoked_over_nats(_: LocalMigd, server: NatsServer, asked: str) -> Any:
    async with nats_client(server) as client:
        reply = await NatsCaller(client).invoke(asked, Authorization=TOKEN)
        return json.dumps(reply.json), sorted(reply.headers)


async def streamed_over_nats(_: LocalMigd, server: NatsServer, asked: str) -> Any:
    async with nats_client(server) as client:
        reply = await NatsCaller(client).stream(asked, Authorization=TOKEN)
        return json.dumps(reply.json), sorted(reply.headers)


WAYS = (
    invoked,
    invoked_with_a_large_payload,
    looked_up_for_the_console,
    discovered,
    streamed,
    invoked_over_grpc,
    invoked_over_nats,
    streamed_over_nats,
)


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
async def test_hidden_is_as_unknown(
    migd: LocalMigd, nats_server: NatsServer, way: Callable[[LocalMigd, NatsServer, str], Awaitable[Any]]
) -> None:
    hidden = repr(await way(migd, nats_server, "hidden.away")).replace("hidden.away", UNKNOWN)
    unknown = repr(await way(migd, nats_server, UNKNOWN))
    assert _BY_NATURE.sub("", hidden) == _BY_NATURE.sub("", unknown)


async def test_those_who_may_see_it_are_told_what_is_wrong(migd: LocalMigd) -> None:
    answer = await migd.post("/mig/v0.1/invoke/hidden.away", {}, authorization=bearer(OTHER))
    assert (answer.status, answer.code) == (400, "MIG_INVALID_REQUEST")
