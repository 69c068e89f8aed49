"""mig-nats-smoke: passes a right server, finds what is wrong with a wrong one, and says so in a line each."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
from msgspec.structs import replace

from mig_conformance.smoke import nats_tool
from mig_protocol.errors import MigFault
from mig_protocol.messages import CancelStatus, MigErrorCode, StreamFrame
from migd.bindings.nats.dispatch import Dispatch
from migd.bindings.nats.service import GatewayService
from migd.bindings.nats.streams import Streams
from support.nats_gateway import nats_migd
from support.nats_servers import NatsServer
from support.running_migd import local_migd
from support.tokens import JWT_MODE, bearer

Answer = Callable[[Any], Any]
SERVICE = "migd.bindings.nats.binding.GatewayService"


def smoke(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "mig_conformance.smoke.nats_tool", *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


async def smoke_of(*arguments: str) -> tuple[int, list[str]]:
    """The exit status, and the lines of the checks that failed."""
    lines: list[str] = []
    status = await nats_tool.smoke(nats_tool.nats_arguments(arguments), lines.append)
    assert len(lines) > 30
    assert all(line.startswith(("[PASS] ", "[FAIL] ")) for line in lines)
    return status, [line for line in lines if line.startswith("[FAIL] ")]


@pytest.mark.parametrize("dash", ["-", "--"])
async def test_a_right_server_passes_every_check(nats_server: NatsServer, dash: str) -> None:
    async with nats_migd(nats_server):
        done = await asyncio.to_thread(smoke, f"{dash}url", nats_server.url, f"{dash}tenant=other")
    lines = done.stdout.splitlines()
    assert (done.returncode, done.stderr) == (0, "")
    assert len(lines) > 30
    assert all(line.startswith("[PASS] ") for line in lines)


async def test_a_right_server_that_wants_tokens_passes_too(nats_server: NatsServer) -> None:
    token = bearer("acme", "capability:infer").removeprefix("Bearer ")
    async with nats_migd(nats_server, **JWT_MODE):
        assert await smoke_of("-url", nats_server.url, "-token", token) == (0, [])
        status, failed = await smoke_of("-url", nats_server.url)
    assert status == 1
    assert sum("MIG_UNAUTHORIZED" in line for line in failed) > 25


def test_nats_that_is_not_there_is_one_line_without_its_password() -> None:
    done = smoke("-url", "nats://user:hunter2@127.0.0.1:9")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("mig-nats-smoke: no NATS server lets us in at nats://127.0.0.1:9: ")
    assert done.stderr.count("\n") == 1


async def test_a_server_that_is_not_there_is_one_line(nats_server: NatsServer) -> None:
    async with local_migd():
        done = await asyncio.to_thread(smoke, "-url", nats_server.url)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "mig-nats-smoke: nobody serves mig.v0_1.acme.hello; is the server connected to NATS?\n"
    )


def test_a_wrong_command_line_is_a_usage_error_and_help_names_every_option() -> None:
    assert smoke("-addr", "x").returncode == 2
    told = smoke("-h")
    assert told.returncode == 0
    for option in ("-url", "--url", "-tenant", "-token"):
        assert option in told.stdout


class Defective(GatewayService):
    """The real service, with one answer spoilt on its way out."""

    operation: str
    spoil: Answer

    def __getattribute__(self, name: str) -> Any:
        found = super().__getattribute__(name)
        if name != super().__getattribute__("operation"):
            return found
        spoil = super().__getattribute__("spoil")

        def spoilt(*given: Any) -> Any:
            answer = found(*given)
            return _later(answer, spoil) if hasattr(answer, "__await__") else spoil(answer)

        return spoilt


async def _later(answer: Any, spoil: Answer) -> Any:
    return spoil(await answer)


def header(**fields: Any) -> Answer:
    return lambda answer: replace(answer, header=replace(answer.header, **fields))


def error(**fields: Any) -> Answer:
    return lambda envelope: replace(envelope, error=replace(envelope.error, **fields))


@pytest.mark.parametrize(
    ("operation", "spoil", "finds"),
    [
        ("hello", lambda one: replace(one, enabled_features=["mcp-bridge"]), "hello selects"),
        ("discover", lambda one: replace(one, capabilities=[]), "discover lists"),
        ("invoke", header(message_id="other"), "the header may come in NATS headers"),
        ("publish", lambda one: replace(one, sequence=7), "a mirrored event"),
        ("cancel", lambda one: replace(one, status=CancelStatus.cancelled), "cancel after"),
        ("heartbeat", lambda one: replace(one, suggested_interval_ms=0), "heartbeat keeps"),
        ("failed", error(code=MigErrorCode.MIG_INTERNAL), "a stream_id that makes no subject"),
        ("failed", lambda one: replace(one, error=replace(one.error, details={})), "a NATS header out of"),
    ],
)
async def test_a_server_that_answers_wrongly_is_found(
    nats_server: NatsServer, operation: str, spoil: Answer, finds: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    spoilt = type("Spoilt", (Defective,), {"operation": operation, "spoil": staticmethod(spoil)})
    monkeypatch.setattr(SERVICE, spoilt)
    await assert_found(nats_server, finds)


@pytest.mark.parametrize(
    ("fields", "finds"),
    [
        ({"end_stream": False}, "a stream goes to"),
        ({"stream_id": "other"}, "a stream goes to"),
        ({"payload": {"delta": "x"}}, "a stream of the server's choice"),
    ],
)
async def test_wrong_frames_are_found(
    nats_server: NatsServer, fields: dict[str, Any], finds: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    send = Streams._send

    async def spoilt(self: Streams, stream: Any, frame: StreamFrame) -> None:
        await send(self, stream, replace(frame, **fields))

    monkeypatch.setattr(Streams, "_send", spoilt)
    await assert_found(nats_server, finds)


async def test_answers_without_their_nats_headers_are_found(
    nats_server: NatsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mig_protocol.nats_server.header_fields", lambda _: {"tenant_id": "acme"})
    await assert_found(nats_server, "invoke answers with the payload: the NATS headers")


async def test_a_server_that_takes_mirrored_events_for_requests_is_found(
    nats_server: NatsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("migd.bindings.nats.dispatch.is_mirrored_event", lambda _: False)
    await assert_found(nats_server, "a mirrored event")


async def test_a_server_that_is_silent_is_found(
    nats_server: NatsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fitting(*_: Any) -> Any:
        raise MigFault(MigErrorCode.MIG_INTERNAL, "kept to itself")

    monkeypatch.setattr(Dispatch, "_fitting", fitting)
    await assert_found(
        nats_server, "hello selects version, binding and features: no answer within", patience_s="0.05"
    )


async def assert_found(server: NatsServer, finds: str, patience_s: str = "2") -> None:
    async with nats_migd(server):
        status, failed = await smoke_of("-url", server.url, "-timeout", patience_s)
    assert status == 1
    assert any(line.startswith(f"[FAIL] {finds}") for line in failed), failed
