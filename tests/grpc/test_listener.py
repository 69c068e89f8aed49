"""The gRPC listener: where it is, what it says of itself, and how it goes down."""

from __future__ import annotations

import asyncio
import signal
import socket
import subprocess
import sys
from typing import Any

import pytest
from google.protobuf import descriptor_pb2
from grpc import ChannelConnectivity, StatusCode, aio
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from mig_protocol.pb import mig_pb2 as pb
from migd.listening import ListenError
from support.gateway_under_test import Scripted, capability
from support.grpc_client import GRPC, REFERENCE, GrpcClient, connected, error_in, grpc_migd, refused
from support.running_migd import going_down, local_migd, running_migd, start_migd
from support.until import until

LONG = {"MIGD_SHUTDOWN_GRACE_S": "3600"}
SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING
SERVICES = ("mig.v0_1.Discovery", "mig.v0_1.Invocation", "mig.v0_1.Events", "mig.v0_1.Control")


@pytest.fixture
def provider() -> Scripted:
    scripted = Scripted()
    scripted.waits = True
    return scripted


def health_of(channel: aio.Channel) -> Any:
    stub: Any = health_pb2_grpc.HealthStub
    return stub(channel)


@pytest.mark.parametrize("address", ["127.0.0.1:0", "[::1]:0", "localhost:0", ":0"])
async def test_it_listens_where_it_is_told_to(address: str) -> None:
    if address.startswith("[") and not ipv6():
        pytest.skip("this machine has no IPv6")
    async with grpc_migd(MIGD_GRPC_ADDR=address) as (_, client):
        assert (await client.hello()).selected_version == "0.1"


@pytest.mark.skipif(not socket.has_dualstack_ipv6(), reason="this machine has no IPv6")
async def test_every_interface_is_both_families() -> None:
    async with grpc_migd(MIGD_GRPC_ADDR=":0") as (migd, _):
        assert migd.grpc is not None
        for host in ("127.0.0.1", "[::1]"):
            async with aio.insecure_channel(f"{host}:{migd.grpc.address.port}") as channel:
                client = GrpcClient(channel, (("x-tenant-id", "acme"),))
                frames = client.frames()
                await frames.start("s-1")
                await frames.until_end("s-1")
                (entry,) = (await migd.get("/admin/v0.1/connections")).json["connections"]
                assert entry["remote_addr"].startswith(f"{host}:")
                frames.call.cancel()
                while (await migd.get("/admin/v0.1/connections")).json["summary"]["total"]:
                    pass


def test_a_process_says_where_grpc_is_and_ends_in_order() -> None:
    with running_migd(MIGD_GRPC_ADDR="127.0.0.1:0") as migd:
        (line,) = [line for line in migd.stdout if "ready on" in line]
        assert ", gRPC on 127.0.0.1:" in line
        migd.send_signal(signal.SIGTERM)

        assert migd.wait() == 0
    assert all("going down" in line for line in migd.stderr)


def test_an_address_in_use_is_one_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        migd = start_migd(MIGD_GRPC_ADDR=address)

        assert migd.wait() == 2
    assert migd.stderr == [
        f"migd: can not listen on {address}: the port is in use; stop what has it or choose another "
        "with MIGD_GRPC_ADDR\n"
    ]


def test_an_address_that_is_none_is_one_line() -> None:
    migd = start_migd(MIGD_GRPC_ADDR="9090")

    assert migd.wait() == 2
    assert migd.stderr[0].startswith("migd: MIGD_GRPC_ADDR='9090' is not usable: expected host:port")


def test_two_gateways_do_not_share_a_port() -> None:
    with running_migd(MIGD_GRPC_ADDR="127.0.0.1:0") as first:
        address = "".join(first.stdout).rpartition("gRPC on ")[2].strip()
        second = start_migd(MIGD_GRPC_ADDR=address)

        assert second.wait() == 2


async def test_the_listener_itself_takes_no_port_that_another_has() -> None:
    async with grpc_migd() as (migd, _):
        assert migd.grpc is not None
        with pytest.raises(ListenError, match="MIGD_GRPC_ADDR"):
            async with local_migd(MIGD_GRPC_ADDR=str(migd.grpc.address)):
                pass


def test_nothing_of_grpc_is_loaded_where_it_is_off() -> None:
    script = (
        "import sys, migd.server\n"
        "from migd.app import Application; from migd.config import load_settings\n"
        "Application(load_settings({}), ())\n"
        "print(*{'grpc', 'google.protobuf', 'grpc_health', 'grpc_reflection'} & sys.modules.keys())"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert done.stdout == "\n"


async def test_without_the_setting_hello_does_not_offer_grpc() -> None:
    async with local_migd() as migd:
        asked = {"header": {"tenant_id": "acme"}, "requested_bindings": ["grpc"]}
        assert (await migd.post("/mig/v0.1/hello", asked)).json["selected_binding"] == "http"
    async with local_migd(**GRPC) as migd:
        assert (await migd.post("/mig/v0.1/hello", asked)).json["selected_binding"] == "grpc"


@pytest.mark.parametrize("service", ["", *SERVICES])
async def test_health_is_serving_for_the_server_and_each_service(service: str) -> None:
    async with grpc_migd() as (_, client):
        answer = await health_of(client.channel).Check(health_pb2.HealthCheckRequest(service=service))

    assert answer.status == SERVING


async def test_health_follows_readiness_and_tells_those_who_watch(provider: Scripted) -> None:
    async with grpc_migd(capability(provider), **LONG) as (migd, client):
        health = health_of(client.channel)
        running = asyncio.ensure_future(client.invoke("test.scripted"))
        await provider.started.wait()
        watch = health.Watch(health_pb2.HealthCheckRequest(service="mig.v0_1.Invocation"))
        assert (await watch.read()).status == SERVING
        stopping = await going_down(migd)

        assert (await watch.read()).status == NOT_SERVING
        provider.release.set()
        await asyncio.gather(running, stopping)


async def test_a_gateway_that_is_not_ready_is_not_serving() -> None:
    async with grpc_migd() as (migd, client):
        health = health_of(client.channel)
        await migd.gateway.drain(0)

        assert (await health.Check(health_pb2.HealthCheckRequest())).status == NOT_SERVING


async def test_an_unknown_service_has_no_health() -> None:
    async with grpc_migd() as (_, client):
        with pytest.raises(aio.AioRpcError) as raised:
            await health_of(client.channel).Check(health_pb2.HealthCheckRequest(service="mig.v0_1.Nope"))

    assert raised.value.code() is StatusCode.NOT_FOUND


async def test_reflection_lists_the_services_and_gives_their_description() -> None:
    stub: Any = reflection_pb2_grpc.ServerReflectionStub
    async with grpc_migd() as (_, client):
        call = stub(client.channel).ServerReflectionInfo()
        await call.write(reflection_pb2.ServerReflectionRequest(list_services=""))
        listed = {one.name for one in (await call.read()).list_services_response.service}
        await call.write(reflection_pb2.ServerReflectionRequest(file_containing_symbol=SERVICES[1]))
        files = (await call.read()).file_descriptor_response.file_descriptor_proto
        await call.done_writing()

    described = [descriptor_pb2.FileDescriptorProto.FromString(data) for data in files]
    assert set(SERVICES) | {"grpc.health.v1.Health"} <= listed
    assert "mig.v0_1" in {file.package for file in described}


async def test_what_is_in_flight_may_finish_and_nothing_new_is_taken(provider: Scripted) -> None:
    async with grpc_migd(capability(provider), **LONG) as (migd, client):
        running = asyncio.ensure_future(client.invoke("test.scripted"))
        await provider.started.wait()
        stopping = await going_down(migd)
        for call in (client.hello(), client.invoke(), client.publish("a.b")):
            _, error = await refused(call)
            assert (pb.MigErrorCode.Name(error.code), error.retryable) == ("MIG_UNAVAILABLE", True)
        provider.release.set()

        assert (await running).payload["done"] is True
        await stopping


async def test_what_outlives_the_grace_is_failed_and_stopped(provider: Scripted) -> None:
    async with grpc_migd(capability(provider), MIGD_SHUTDOWN_GRACE_S="0.01") as (migd, client):
        running = asyncio.ensure_future(client.invoke("test.scripted"))
        await provider.started.wait()
        stopping = asyncio.create_task(migd.stop())
        _, error = await refused(running)
        await stopping

    assert provider.stopped.is_set()
    assert (pb.MigErrorCode.Name(error.code), error.retryable) == ("MIG_UNAVAILABLE", True)


async def test_streams_get_their_terminal_frame_then_the_call_ends(provider: Scripted) -> None:
    async with grpc_migd(capability(provider), MIGD_SHUTDOWN_GRACE_S="0.01") as (migd, client):
        frames = client.frames()
        await frames.start("s-1", "test.scripted")
        await provider.started.wait()
        stopping = asyncio.create_task(migd.stop())
        last = await frames.next()
        with pytest.raises(aio.AioRpcError) as raised:
            await frames.call.read()
        await stopping

    assert (last.stream_id, last.kind, last.end_stream) == ("s-1", pb.FRAME_KIND_ERROR, True)
    assert pb.MigErrorCode.Name(last.error.code) == "MIG_UNAVAILABLE"
    assert pb.MigErrorCode.Name(error_in(raised.value).code) == "MIG_UNAVAILABLE"


async def test_a_new_stream_on_an_old_call_is_refused_and_the_old_one_may_finish(provider: Scripted) -> None:
    async with grpc_migd(capability(provider), **LONG) as (migd, client):
        frames = client.frames()
        await frames.start("old", "test.scripted")
        await provider.started.wait()
        stopping = await going_down(migd)
        await frames.start("new", "test.scripted")
        new = await frames.next()
        provider.release.set()
        old = await frames.next()
        await stopping

    assert (new.stream_id, pb.MigErrorCode.Name(new.error.code)) == ("new", "MIG_UNAVAILABLE")
    assert (old.stream_id, old.kind) == ("old", pb.FRAME_KIND_RESPONSE)


async def test_a_subscription_ends_as_unavailable_and_can_be_resumed_from_its_cursor() -> None:
    async with grpc_migd(**LONG) as (migd, client):
        events = await client.subscribe("a.b")
        await client.publish("a.b")
        assert (await events.read()).sequence == 1
        await migd.stop()
        with pytest.raises(aio.AioRpcError) as raised:
            await events.read()

    error = error_in(raised.value)
    assert pb.MigErrorCode.Name(error.code) == "MIG_UNAVAILABLE"
    assert "resume from the last sequence" in error.message


async def test_more_calls_than_a_connection_may_have_wait() -> None:
    scripted = Scripted()
    scripted.waits = True
    settings = {"MIGD_GRPC_MAX_CALLS_PER_CONNECTION": "2"}
    async with grpc_migd(capability(scripted), **settings) as (migd, client), connected(migd) as other:
        calls = [asyncio.ensure_future(client.invoke("test.scripted")) for _ in range(3)]
        await until(lambda: migd.gateway.in_flight() == 2)
        await other.invoke()  # another connection is not held up
        assert migd.gateway.in_flight() == 2
        scripted.release.set()
        answers = await asyncio.gather(*calls)

    assert len(answers) == 3


def ipv6() -> bool:
    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6):
            return True
    except OSError:
        return False


async def test_a_payload_that_nests_deeper_than_protobuf_takes_is_refused() -> None:
    nested: dict[str, Any] = {}
    for _ in range(60):
        nested = {"a": nested}
    async with grpc_migd() as (_, client):
        request = pb.InvokeRequest(capability=REFERENCE)
        request.payload.update(nested)
        status, error = await refused(client.raw("/mig.v0_1.Invocation/Invoke", request.SerializeToString()))
        assert (status.code(), error.code) == (StatusCode.INVALID_ARGUMENT, pb.MIG_INVALID_REQUEST)
        assert (await client.invoke(payload={"input": "hi"})).payload["result"] == "ok"


@pytest.mark.parametrize("setting", ["MIGD_GRPC_IDLE_TIMEOUT_S", "MIGD_GRPC_MAX_AGE_S"])
async def test_a_connection_without_calls_or_past_its_age_is_let_go(setting: str) -> None:
    async with grpc_migd(**{setting: "0.2"}) as (migd, _):
        assert migd.grpc is not None
        async with aio.insecure_channel(str(migd.grpc.address)) as channel:
            await channel.channel_ready()
            await channel.wait_for_state_change(ChannelConnectivity.READY)
            assert channel.get_state() is ChannelConnectivity.IDLE
