"""A proxy without a mutant is not noticed; with one, a server does not hear what it is not to hear."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from io import BytesIO
from typing import Any

import pytest
from aiohttp import ClientSession, WSMsgType, WSServerHandshakeError
from grpc import StatusCode, aio
from nats import connect
from nats.errors import NoRespondersError
from yarl import URL

from mig_conformance.checks.load import every_check
from mig_conformance.drivers.port import BINDINGS, BindingName
from mig_conformance.drivers.transcript import Transcript
from mig_conformance.running.links import Links
from mig_conformance.running.result import Outcome
from mig_conformance.running.run import run_checks
from mig_conformance.selfproof.answers import Means
from mig_conformance.selfproof.mutant import Change
from mig_conformance.selfproof.mutation import Mutation
from mig_conformance.selfproof.proxies.between import proxied
from mig_conformance.subject.callers import Callers
from mig_conformance.subject.subject import Subject
from mig_protocol.pb import mig_pb2 as pb
from support.nats_servers import NatsServer
from support.right_server import FEATURES, right_server
from support.scripts import HELD, SCRIPT, Scripts
from support.suite_drivers import ask
from support.until import until


@dataclass(frozen=True, slots=True)
class Both:
    """The server itself, and as it is seen through the proxies."""

    direct: Subject
    seen: Subject
    mutation: Mutation
    scripts: Scripts


@asynccontextmanager
async def behind_proxies(nats_server: NatsServer, *changes: Change) -> AsyncIterator[Both]:
    async with right_server(nats_server) as (subject, scripts):
        means = Means(callers=Callers(subject), now=lambda: datetime.now(UTC), new_id=lambda: "new")
        mutation = Mutation(changes, BINDINGS, means)
        async with proxied(subject, mutation) as seen:
            yield Both(subject, seen, mutation, scripts)


async def test_a_right_server_is_green_through_the_proxies_on_every_binding(nats_server: NatsServer) -> None:
    async with behind_proxies(nats_server) as both, Links(both.seen) as links:
        chosen = [
            (check, binding)
            for check in every_check()
            for binding in check.bindings
            if fnmatches(check.id, "invoke/*", "errors/*", "subscribe/live") and check.needs <= FEATURES
        ]
        results = await run_checks(chosen, both.seen, links, str)
    assert {binding for _, binding in chosen} == set(BINDINGS)
    assert [(each.name, each.why) for each in results if each.outcome is not Outcome.passed] == []
    assert both.mutation.hits == 0


def fnmatches(name: str, *globs: str) -> bool:
    return any(fnmatchcase(name, glob) for glob in globs)


REQUESTS = [
    ("GET", "/healthz", b""),
    ("HEAD", "/healthz", b""),
    ("DELETE", "/healthz", b""),
    ("GET", "/no%2Fsuch%20route", b""),
    ("POST", "/mig/v0.1/invoke/a%2Eb%00", b"{}"),
    ("POST", "/mig/v0.1/hello", b"\xff{"),
    ("POST", "/mig/v0.1/hello", b'{"header": {"message_id": "m"}, "x": "' + b"y" * 3_000_000 + b'"}'),
    ("GET", "/mig/v0.1/subscribe/a.b?resume_cursor=no&x=%26", b""),
    ("GET", f"/mig/v0.1/subscribe/a.b?resume_cursor={'1' * 20_000}", b""),
]


@pytest.mark.parametrize("asked", REQUESTS, ids=lambda asked: f"{asked[0]} {asked[1][:30]} {len(asked[2])}")
async def test_an_answer_over_http_is_the_servers_own(
    nats_server: NatsServer, asked: tuple[str, str, bytes]
) -> None:
    async with behind_proxies(nats_server) as both:
        direct, seen = [
            await answer_of(str(subject.endpoints.http), *asked) for subject in (both.direct, both.seen)
        ]
    assert seen == direct


async def answer_of(url: str, method: str, target: str, body: bytes) -> tuple[int, dict[str, str], Any]:
    async with (
        ClientSession() as session,
        session.request(
            method,
            URL(url + target, encoded=True),
            data=BytesIO(body) if body else None,
            headers={"X-Tenant-ID": "acme"},
        ) as response,
    ):
        own = {"date", "server", "connection", "content-length", "transfer-encoding"}
        fields = {name.lower(): value for name, value in response.headers.items() if name.lower() not in own}
        read = await response.read()
        answer = json.loads(read) if "json" in response.content_type and read else read.decode()
        if isinstance(answer, dict) and "header" in answer:
            answer["header"].pop("timestamp")
            answer["header"].pop("message_id")
        return response.status, fields, answer


async def test_a_refused_handshake_and_a_closed_websocket_pass_the_proxy(nats_server: NatsServer) -> None:
    frame = {"kind": "request", "stream_id": "s", "capability": SCRIPT, "payload": {"x": "y" * 8_000_000}}
    found = []
    async with behind_proxies(nats_server) as both, ClientSession() as session:
        for subject in (both.direct, both.seen):
            url = f"{subject.endpoints.http}/mig/v0.1/stream"
            with pytest.raises(WSServerHandshakeError) as refused:
                await session.ws_connect(url, headers={"X-Tenant-ID": "no tenant"})
            async with session.ws_connect(url, headers={"X-Tenant-ID": "acme"}) as socket:
                with suppress(ConnectionError):
                    await socket.send_str(json.dumps(frame))
                message = await socket.receive(20)
            found.append((refused.value.status, message.type, message.data))
    assert found[0] == found[1]
    assert found[0][1] is WSMsgType.CLOSE


async def test_a_refusal_over_grpc_passes_with_its_details(nats_server: NatsServer) -> None:
    request = pb.InvokeRequest(capability="no.such.capability").SerializeToString()
    async with behind_proxies(nats_server) as both:
        for method in ("/mig.v0_1.Invocation/Invoke", "/mig.v0_1.Invocation/NoSuchMethod"):
            direct, seen = [
                await status_of(str(subject.endpoints.grpc), method, request)
                for subject in (both.direct, both.seen)
            ]
            assert direct[0] is not StatusCode.OK
            assert seen == direct


async def status_of(target: str, method: str, request: bytes) -> tuple[Any, Any, set[str]]:
    async with aio.insecure_channel(target) as channel:
        unary: Any = channel.unary_unary
        with pytest.raises(aio.AioRpcError) as refused:
            await unary(method)(request, metadata=(("x-tenant-id", "acme"),))
    error: Any = refused.value
    return error.code(), error.details(), {name for name, _ in error.trailing_metadata() or ()}


async def test_nats_says_through_the_proxy_that_nobody_takes_a_request(nats_server: NatsServer) -> None:
    async with behind_proxies(nats_server) as both:
        client = await connect(str(both.seen.endpoints.nats))
        try:
            with pytest.raises(NoRespondersError):
                await client.request("mig.v0_1.acme.no.such.subject", b"{}", timeout=20)
            reply = await client.request(
                "mig.v0_1.acme.hello", b"", timeout=20, headers={"message_id": "m-1"}
            )
            assert (reply.headers or {})["message_id"] == "m-1"
        finally:
            await client.close()


@pytest.mark.parametrize("binding", ["http", "websocket", "grpc"])
@pytest.mark.parametrize("heard", [True, False])
async def test_the_server_hears_that_a_client_is_gone_unless_the_mutant_hides_it(
    nats_server: NatsServer, binding: BindingName, heard: bool
) -> None:
    change = Change(at="hangup", do=(("ignore", not heard),))
    async with behind_proxies(nats_server, change) as both:
        asking = asyncio.create_task(hang(both.seen, binding))
        await both.scripts.reached("began")
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)
        await until(lambda: both.mutation.hits > 0)
        if heard:
            await both.scripts.reached("stopped")
        else:
            assert await both.scripts.read("stopped") == 0


async def hang(subject: Subject, binding: BindingName) -> None:
    """A call that does not end."""
    payload = {"steps": [{"mark": "began"}, {"mark_on_stop": "stopped"}, HELD]}
    async with Links(subject) as links:
        await links.driver(binding, Transcript()).call(ask("INVOKE", capability=SCRIPT, payload=payload))
