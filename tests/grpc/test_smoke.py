"""mig-grpc-smoke: passes a right server, finds what is wrong with a wrong one, and says so in a line each."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from msgspec.structs import replace

from mig_protocol.errors import MigFault
from mig_protocol.grpc_server import GrpcDuplex, GrpcExchange
from mig_protocol.messages import CancelStatus, MigErrorCode
from mig_protocol.pb import mig_pb2 as pb
from migd.bindings.grpc.service import GrpcBinding
from support.grpc_client import GRPC
from support.running_migd import local_migd, running_migd
from support.tokens import JWT_MODE, bearer

Answer = Callable[[Any], Any]


def smoke(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "mig_conformance.smoke.grpc_tool", *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


async def smoke_of(*arguments: str) -> tuple[int, list[str]]:
    """The exit status, and the names and reasons of the checks that failed."""
    done = await asyncio.to_thread(smoke, *arguments)
    lines = done.stdout.splitlines()
    assert lines, done.stderr
    assert all(line.startswith(("[PASS] ", "[FAIL] ")) for line in lines)
    return done.returncode, [line for line in lines if line.startswith("[FAIL] ")]


@pytest.mark.parametrize("dash", ["-", "--"])
def test_a_right_server_passes_every_check(dash: str) -> None:
    with running_migd(MIGD_GRPC_ADDR="127.0.0.1:0") as migd:
        address = "".join(migd.stdout).rpartition("gRPC on ")[2].strip()
        done = smoke(f"{dash}addr", address, f"{dash}tenant=acme")

    assert (done.returncode, done.stderr) == (0, "")
    assert len(done.stdout.splitlines()) > 30
    assert "[FAIL]" not in done.stdout


async def test_a_right_server_that_wants_tokens_passes_too() -> None:
    token = bearer("acme", "capability:infer").removeprefix("Bearer ")
    async with local_migd(**GRPC, **JWT_MODE) as migd:
        assert migd.grpc is not None
        address = str(migd.grpc.address)
        assert await smoke_of("-addr", address, "-token", token) == (0, [])
        status, failed = await smoke_of("-addr", address)

    assert status == 1
    assert len(failed) > 25
    # A status that comes while a frame is sent is lost in grpc's client, which sees the end of the call only.
    assert all("MIG_UNAUTHORIZED" in line or "the server ended the call" in line for line in failed)
    assert any("MIG_UNAUTHORIZED" in line for line in failed)


def test_a_server_that_is_not_there_is_one_line() -> None:
    done = smoke("-addr", "127.0.0.1:9")

    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "mig-grpc-smoke: no gRPC server answers at 127.0.0.1:9; is it running, and is -addr right?\n"
    )


@pytest.mark.parametrize(
    ("wrong", "says"), [(("-port", "1"), "-port"), (("-tenant", "a b"), "-tenant 'a b'")]
)
def test_a_wrong_command_line_is_a_usage_error(wrong: tuple[str, str], says: str) -> None:
    done = smoke(*wrong)

    assert done.returncode == 2
    assert says in done.stderr.splitlines()[-1]


def test_help_names_every_option() -> None:
    done = smoke("-h")

    assert done.returncode == 0
    for option in ("-addr", "--addr", "-tenant", "-token"):
        assert option in done.stdout


class Defective(GrpcBinding):
    """The real binding, with one answer spoilt on its way out."""

    operation: str
    spoil: Answer

    def _spoilt(self, operation: str, answer: Any) -> Any:
        if operation != self.operation:
            return answer
        if hasattr(answer, "__await__"):
            return self._later(answer)
        return self.spoil(answer)

    async def _later(self, answer: Any) -> Any:
        return self.spoil(await answer)

    def hello(self, *given: Any) -> Any:
        return self._spoilt("hello", super().hello(*given))

    def discover(self, *given: Any) -> Any:
        return self._spoilt("discover", super().discover(*given))

    def invoke(self, *given: Any) -> Any:
        return self._spoilt("invoke", super().invoke(*given))

    def publish(self, *given: Any) -> Any:
        return self._spoilt("publish", super().publish(*given))

    def cancel(self, *given: Any) -> Any:
        return self._spoilt("cancel", super().cancel(*given))

    def heartbeat(self, *given: Any) -> Any:
        return self._spoilt("heartbeat", super().heartbeat(*given))

    def failed(self, exchange: GrpcExchange, fault: MigFault) -> Any:
        return self._spoilt("failed", super().failed(exchange, fault))

    async def subscribe(self, *given: Any) -> AsyncIterator[bytes]:
        events: Any = await super().subscribe(*given)
        return _each(events, self.spoil) if self.operation == "subscribe" else events

    def stream(self, exchange: GrpcExchange, messages: GrpcDuplex) -> Any:
        spoilt = _Spoilt(messages, self.spoil) if self.operation == "stream" else messages
        return super().stream(exchange, spoilt)


class _Spoilt:
    def __init__(self, messages: GrpcDuplex, spoil: Answer) -> None:
        self.receive = messages.receive
        self._messages = messages
        self._spoil = spoil

    async def send(self, message: bytes) -> None:
        await self._messages.send(self._spoil(message))


async def _each(events: AsyncIterator[bytes], spoil: Answer) -> AsyncIterator[bytes]:
    try:
        async for event in events:
            yield spoil(event)
    finally:
        await events.aclose()  # type: ignore[attr-defined]


def header(**fields: Any) -> Answer:
    return lambda answer: replace(answer, header=replace(answer.header, **fields))


def frame(**fields: Any) -> Answer:
    return lambda data: changed(pb.StreamFrame.FromString(data), fields)


def event(**fields: Any) -> Answer:
    return lambda data: changed(pb.EventMessage.FromString(data), fields)


def changed(message: Any, fields: dict[str, Any]) -> Any:
    for name, value in fields.items():
        setattr(message, name, value)
    return message.SerializeToString()


def error(**fields: Any) -> Answer:
    return lambda envelope: replace(envelope, error=replace(envelope.error, **fields))


@pytest.mark.parametrize(
    ("operation", "spoil", "finds"),
    [
        ("hello", lambda one: replace(one, enabled_features=["mcp-bridge"]), "hello selects"),
        ("discover", lambda one: replace(one, capabilities=[]), "discover lists"),
        ("invoke", lambda one: replace(one, payload={"result": "ok"}), "invoke answers"),
        ("invoke", header(message_id="other"), "the answer's header"),
        ("invoke", header(meta={}), "the answer's header"),
        ("invoke", header(message_id="same"), "a request without a header"),
        ("publish", lambda one: replace(one, sequence=7), "publish numbers"),
        ("publish", lambda one: replace(one, accepted=False), "publish numbers"),
        ("cancel", lambda one: replace(one, accepted=True, status=CancelStatus.cancelled), "cancel after"),
        ("heartbeat", lambda one: replace(one, suggested_interval_ms=0), "heartbeat keeps"),
        ("failed", error(code=MigErrorCode.MIG_INTERNAL), "an unknown capability is refused"),
        ("failed", error(retryable=True), "another mig_version"),
        ("failed", lambda one: replace(one, error=replace(one.error, details={})), "a payload that breaks"),
        ("stream", frame(end_stream=False), "a stream is response frames"),
        ("stream", frame(stream_id="other"), "a stream is response frames"),
        ("stream", frame(kind=pb.FRAME_KIND_EVENT), "a stream is response frames"),
        ("subscribe", event(replay=False), "subscribe replays"),
        ("subscribe", event(sequence=1), "subscribe replays"),
        ("subscribe", event(event_id="other"), "an event is what"),
    ],
)
async def test_a_server_that_answers_wrongly_is_found(
    operation: str, spoil: Answer, finds: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    spoilt = type("Spoilt", (Defective,), {"operation": operation, "spoil": staticmethod(spoil)})
    monkeypatch.setattr("migd.app._grpc_binding", lambda gateway: spoilt(gateway))
    async with local_migd(**GRPC) as migd:
        assert migd.grpc is not None
        status, failed = await smoke_of("-addr", str(migd.grpc.address), "-timeout", "0.5")

    assert status == 1
    assert any(line.startswith(f"[FAIL] {finds}") for line in failed), failed
