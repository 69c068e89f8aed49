"""Many streams on one connection, by the rules of protocol section 4."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from typing import Any

import pytest

from mig_protocol.messages import (
    ConnectionKind,
    ConnectionQuery,
    FrameKind,
    MigErrorCode,
    RequestFrame,
    RequestHeader,
    StreamFrame,
)
from migd.core.call import Call
from migd.core.limits import Limits
from migd.core.provider import Final
from migd.core.sessions import StreamSession
from support.gateway_under_test import GatewayUnderTest, Scripted, calling, capability, settle


class Client:
    """The other end of a session: what it was sent, by stream."""

    def __init__(self, under_test: GatewayUnderTest, call: Call | None = None) -> None:
        self.frames: list[StreamFrame] = []
        self.room = asyncio.Event()
        self.room.set()
        self.session: StreamSession = under_test.gateway.open_session(
            call or calling(), self._take, ConnectionKind.ws_stream
        )

    async def _take(self, frame: StreamFrame) -> None:
        await self.room.wait()
        self.frames.append(frame)

    async def request(self, stream_id: str = "s-1", to: str = "test.scripted", **fields: Any) -> None:
        header = RequestHeader(**fields.pop("header", {}))
        await self.session.receive(
            RequestFrame(kind=FrameKind.request, stream_id=stream_id, capability=to, header=header, **fields)
        )

    async def control(
        self, stream_id: str = "", header: dict[str, Any] | None = None, **payload: Any
    ) -> StreamFrame:
        """Send a control frame; its answer."""
        await self.session.receive(
            RequestFrame(
                kind=FrameKind.control,
                stream_id=stream_id,
                payload=payload,
                header=RequestHeader(**(header or {})),
            )
        )
        return self.frames[-1]

    def by_stream(self) -> dict[str, list[StreamFrame]]:
        streams = defaultdict(list)
        for frame in self.frames:
            streams[frame.stream_id].append(frame)
        return streams

    def shape(self, stream_id: str = "s-1") -> list[tuple[str, Any, bool]]:
        """Kind, payload or error code, end_stream of each frame of a stream."""
        return [
            (frame.kind.value, frame.error.code.value if frame.error else frame.payload, frame.end_stream)
            for frame in self.by_stream()[stream_id]
        ]


async def test_a_stream_is_its_frames_and_one_terminal_frame() -> None:
    async with GatewayUnderTest() as under_test:
        under_test.provider.items = [{"n": 1}, {"n": 2}, Final({"all": 3})]
        client = Client(under_test)
        await client.request(header={"message_id": "m-1"})
        await settle()
        assert client.shape() == [
            ("response", {"n": 1}, False),
            ("response", {"n": 2}, False),
            ("response", {"all": 3}, True),
        ]
        assert {frame.header.message_id for frame in client.frames} == {"m-1"}
        assert {frame.capability for frame in client.frames} == {"test.scripted"}


async def test_a_stream_that_says_no_last_word_ends_with_an_empty_one() -> None:
    async with GatewayUnderTest() as under_test:
        under_test.provider.items = [{"n": 1}]
        client = Client(under_test)
        await client.request()
        await settle()
        assert client.shape() == [("response", {"n": 1}, False), ("response", {}, True)]


async def test_a_unary_capability_sends_exactly_one_frame() -> None:
    async with GatewayUnderTest(capability(Scripted(), modes="unary")) as under_test:
        client = Client(under_test)
        await client.request()
        await settle()
        assert client.shape() == [("response", {"done": True}, True)]


async def test_without_a_stream_id_it_is_named_after_the_message() -> None:
    async with GatewayUnderTest() as under_test:
        client = Client(under_test)
        await client.request(stream_id="", header={"message_id": "m-7"})
        await settle()
        assert list(client.by_stream()) == ["stream-m-7"]


async def test_after_the_terminal_frame_the_stream_id_is_free() -> None:
    async with GatewayUnderTest() as under_test:
        client = Client(under_test)
        for _ in range(2):
            await client.request()
            await settle()
        assert client.shape() == [("response", {}, True)] * 2


async def test_a_stream_id_is_free_from_the_moment_its_terminal_frame_is_sent() -> None:
    async with GatewayUnderTest() as under_test:
        client = Client(under_test)
        again = iter([True])

        async def take(frame: StreamFrame) -> None:
            client.frames.append(frame)
            if frame.end_stream and next(again, False):
                asyncio.get_running_loop().create_task(client.request())
                await settle()

        client.session = under_test.gateway.open_session(calling(), take, ConnectionKind.ws_stream)
        await client.request()
        await settle()
        await settle()
        assert client.shape() == [("response", {}, True)] * 2


async def test_the_next_stream_of_an_id_outlives_the_terminal_frame_of_the_one_before() -> None:
    scripted = Scripted()
    async with GatewayUnderTest(capability(scripted)) as under_test:
        client = Client(under_test)
        client.room.clear()
        await client.request()
        await settle()
        scripted.waits = True
        await client.request()
        client.room.set()
        await settle()
        scripted.release.set()
        await settle()
        assert client.shape() == [("response", {}, True)] * 2


async def test_streams_make_progress_on_their_own() -> None:
    slow, quick = Scripted(), Scripted()
    slow.waits = True
    both = (capability(slow, "test.slow"), capability(quick, "test.quick"))
    async with GatewayUnderTest(*both) as under_test:
        client = Client(under_test)
        await client.request("slow", "test.slow")
        await slow.started.wait()
        for number in range(20):
            await client.request(f"quick-{number}", "test.quick")
        await settle()
        assert len(client.by_stream()) == 20
        slow.release.set()
        await settle()
        assert client.shape("slow") == [("response", {}, True)]


async def test_a_refused_request_is_one_terminal_error_frame_and_is_audited() -> None:
    async with GatewayUnderTest() as under_test:
        client = Client(under_test)
        await client.request("a", "test.none")
        await client.request("b", header={"tenant_id": "umbrella"})
        await client.request("c", header={"mig_version": "7"})
        await settle()
        assert client.shape("a") == [("error", "MIG_UNSUPPORTED_CAPABILITY", True)]
        assert client.shape("b") == [("error", "MIG_FORBIDDEN", True)]
        assert client.shape("c") == [("error", "MIG_VERSION_MISMATCH", True)]
        assert len(under_test.audit.records) == 3


async def test_every_frame_of_a_stream_names_its_capability() -> None:
    async with GatewayUnderTest() as under_test:
        client = Client(under_test)
        under_test.provider.items, under_test.provider.error = [{"n": 1}], ValueError("no")
        await client.request()
        await client.request("s-2", to="test.unknown")
        await settle()
        assert [frame.capability for frame in client.by_stream()["s-1"]] == ["test.scripted"] * 2
        assert [frame.capability for frame in client.by_stream()["s-2"]] == ["test.unknown"]


async def test_a_stream_under_a_used_key_is_its_last_frame_again() -> None:
    async with GatewayUnderTest() as under_test:
        under_test.provider.items = [{"n": 1}, Final({"all": 1})]
        client = Client(under_test)
        for stream_id in ("s-1", "s-2"):
            await client.request(stream_id, header={"idempotency_key": "k-1"})
            await settle()
        assert client.shape("s-1") == [("response", {"n": 1}, False), ("response", {"all": 1}, True)]
        assert client.shape("s-2") == [("response", {"all": 1}, True)]
        replays = [(frame.header.meta or {}).get("mig.idempotent_replay") for frame in client.frames]
        assert replays == [None, None, True]
        assert len(under_test.provider.seen) == 1


async def test_a_key_is_the_same_for_a_stream_and_for_one_answer() -> None:
    async with GatewayUnderTest() as under_test:
        first = await under_test.invoke({"n": 1}, idempotency_key="k-1")
        client = Client(under_test)
        await client.request("s-1", payload={"n": 1}, header={"idempotency_key": "k-1", "tenant_id": "acme"})
        await client.request("s-2", payload={"n": 2}, header={"idempotency_key": "k-1", "tenant_id": "acme"})
        await settle()
        assert client.shape("s-1") == [("response", first.payload, True)]
        assert client.shape("s-2") == [("error", "MIG_INVALID_REQUEST", True)]


async def test_a_failure_after_some_frames_is_the_terminal_frame() -> None:
    async with GatewayUnderTest() as under_test:
        under_test.provider.items = [{"n": 1}]
        under_test.provider.error = ValueError("secret")
        client = Client(under_test)
        await client.request()
        await settle()
        assert client.shape() == [("response", {"n": 1}, False), ("error", "MIG_INTERNAL", True)]


async def test_input_frames_reach_the_provider_until_the_client_ends_them() -> None:
    async with GatewayUnderTest(capability(Scripted(), modes="bidi_stream")) as under_test:
        client = Client(under_test)
        await client.request(payload={"n": 0})
        await client.request(payload={"n": 1})
        await settle()
        await client.request(payload={"n": 2}, end_stream=True)
        await settle()
        assert client.shape() == [
            ("response", {"got": {"n": 1}}, False),
            ("response", {"got": {"n": 2}}, False),
            ("response", {}, True),
        ]


async def test_input_for_a_stream_that_takes_none_is_refused_without_ending_it() -> None:
    async with GatewayUnderTest() as under_test:
        under_test.provider.waits = True
        client = Client(under_test)
        await client.request()
        await under_test.provider.started.wait()
        await client.request()
        under_test.provider.release.set()
        await settle()
        assert client.shape() == [("error", "MIG_INVALID_REQUEST", False), ("response", {}, True)]


async def test_a_sender_is_told_to_pause_and_to_resume() -> None:
    provider = Scripted()
    limits = Limits(max_stream_inputs=4)
    async with GatewayUnderTest(capability(provider, modes="bidi_stream"), limits=limits) as under_test:
        client = Client(under_test)
        await client.request()
        for number in range(4):
            await client.request(payload={"n": number})
        assert client.shape() == [("control", {"action": "backpressure"}, False)]
        await settle()
        assert ("control", {"action": "resume"}, False) in client.shape()


async def test_a_sender_that_does_not_pause_fails_its_stream_and_nothing_grows() -> None:
    limits = Limits(max_stream_inputs=2)
    async with GatewayUnderTest(capability(Scripted(), modes="bidi_stream"), limits=limits) as under_test:
        client = Client(under_test)
        await client.request()
        for number in range(6):
            await client.request(payload={"n": number})
        await settle()
        assert client.shape()[-1] == ("error", "MIG_BACKPRESSURE", True)


async def test_cancel_names_the_stream_or_the_message_or_its_own_header() -> None:
    for how in ({"stream_id": "s-1"}, {"target_message_id": "m-1"}, {"header": {"message_id": "m-1"}}):
        async with GatewayUnderTest() as under_test:
            under_test.provider.waits = True
            client = Client(under_test)
            await client.request(header={"message_id": "m-1"})
            await under_test.provider.started.wait()
            answer = await client.control(action="cancel", reason="enough", **how)
            assert (answer.kind, answer.end_stream) == (FrameKind.control, True)
            assert answer.payload == {"accepted": True, "status": "cancelled"}
            await settle()
            error = client.frames[-1].error
            assert error
            assert (client.frames[-1].stream_id, error.code) == ("s-1", MigErrorCode.MIG_TIMEOUT)
            assert error.retryable is False
            assert error.details == {"cancelled": True, "reason": "enough"}
            assert under_test.provider.stopped.is_set()


async def test_a_cancel_right_behind_its_request_finds_it_running() -> None:
    async with GatewayUnderTest() as under_test:
        under_test.provider.waits = True
        client = Client(under_test)
        await client.request()
        answer = await client.control("s-1", action="cancel")
        assert answer.payload == {"accepted": True, "status": "cancelled"}


async def test_cancel_of_a_stream_that_is_over_is_too_late() -> None:
    async with GatewayUnderTest() as under_test:
        client = Client(under_test)
        await client.request(header={"message_id": "m-1"})
        await settle()
        late = {"accepted": False, "status": "completed"}
        assert (await client.control("s-1", action="cancel")).payload == late
        assert (await client.control(action="cancel", target_message_id="m-1")).payload == late
        pending = await client.control(action="cancel", target_message_id="m-2")
        assert pending.payload == {"accepted": True, "status": "pending"}


async def test_a_cancel_that_meets_the_last_frame_changes_nothing() -> None:
    async with GatewayUnderTest() as under_test:
        client = Client(under_test)
        client.room.clear()
        await client.request(header={"message_id": "m-1"})
        await settle()
        cancelling = asyncio.create_task(client.control("s-1", action="cancel"))
        await settle()
        client.room.set()
        await cancelling
        await settle()
        terminal = [frame.kind.value for frame in client.frames if frame.end_stream]
        assert sorted(terminal) == ["control", "response"]


@pytest.mark.parametrize(
    ("field", "value"), [("reason", "x" * 1025), ("reason", 1), ("target_message_id", "m 1")]
)
async def test_a_cancel_frame_keeps_the_bounds_of_a_cancel_request(field: str, value: Any) -> None:
    async with GatewayUnderTest() as under_test:
        payload: dict[str, Any] = {"action": "cancel", field: value}
        refused = await Client(under_test).control("", None, **payload)
        assert refused.error
        assert refused.error.code is MigErrorCode.MIG_INVALID_REQUEST
        pointers = [one["pointer"] for one in (refused.error.details or {})["violations"]]
        assert pointers == [f"/payload/{field}"]


async def test_what_is_not_a_request_or_a_cancel_is_refused_and_the_session_goes_on() -> None:
    async with GatewayUnderTest() as under_test:
        client = Client(under_test)
        await client.control("x", action="explode")
        await client.control("x", action="cancel", reason=7)
        await client.control("", action="cancel", target_message_id="with space")
        await client.control("", action="cancel")
        await client.session.receive(RequestFrame(kind=FrameKind.response, stream_id="x"))
        codes = [frame.error.code.value for frame in client.frames if frame.error]
        assert codes == ["MIG_INVALID_REQUEST"] * 5
        await client.request()
        await settle()
        assert client.shape() == [("response", {}, True)]


async def test_streams_on_one_connection_are_limited() -> None:
    async with GatewayUnderTest(limits=Limits(max_streams_per_connection=1)) as under_test:
        under_test.provider.waits = True
        client = Client(under_test)
        await client.request("one")
        await under_test.provider.started.wait()
        await client.request("two")
        assert client.shape("two") == [("error", "MIG_BACKPRESSURE", True)]


async def test_streams_that_are_over_take_no_place_however_they_ended() -> None:
    async with GatewayUnderTest(limits=Limits(max_streams_per_connection=1)) as under_test:
        provider, client = under_test.provider, Client(under_test)
        for number in range(3):
            provider.waits = False
            await client.request(f"done-{number}")
            await settle()
            await client.request(f"refused-{number}", to="test.unknown")
            await settle()
            provider.waits = True
            await client.request(f"cancelled-{number}")
            await provider.started.wait()
            await client.control(f"cancelled-{number}", action="cancel")
            await settle()
        ends = [client.shape(name)[-1][1] for name in client.by_stream()]
    assert ends == [{}, "MIG_UNSUPPORTED_CAPABILITY", "MIG_TIMEOUT"] * 3


async def test_a_reader_that_does_not_keep_up_holds_the_provider_back() -> None:
    async with GatewayUnderTest() as under_test:
        under_test.provider.items = [{"n": n} for n in range(100)]
        client = Client(under_test)
        client.room.clear()
        await client.request()
        await settle()
        assert client.frames == []
        client.room.set()
        await client.session.finish()
        assert len(client.frames) == 101


async def test_a_client_that_leaves_takes_all_its_streams_with_it() -> None:
    async with GatewayUnderTest() as under_test:
        under_test.provider.waits = True
        client = Client(under_test)
        await client.request()
        await under_test.provider.started.wait()
        assert under_test.gateway.list_connections(ConnectionQuery()).summary.by_kind == {"ws_stream": 1}
        await client.session.close()
        assert under_test.provider.stopped.is_set()
        assert under_test.gateway.in_flight() == 0
        assert under_test.gateway.list_connections(ConnectionQuery()).summary.total == 0


async def test_draining_ends_streams_with_a_terminal_frame() -> None:
    async with GatewayUnderTest() as under_test:
        under_test.provider.waits = True
        client = Client(under_test)
        await client.request()
        await under_test.provider.started.wait()
        await under_test.gateway.drain(0)
        await settle()
        assert client.shape() == [("error", "MIG_UNAVAILABLE", True)]


async def test_an_input_that_ends_lets_a_finished_client_read_to_the_end() -> None:
    async with GatewayUnderTest(capability(Scripted(), modes="bidi_stream")) as under_test:
        client = Client(under_test)
        await client.request()
        await client.request(payload={"n": 1})
        await client.session.finish()
        assert client.shape()[-1] == ("response", {}, True)
