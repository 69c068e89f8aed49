"""The conformance fixture over a WebSocket: what it emits, takes and leaves behind."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from support.scripts import HELD, SCRIPT, Scripts
from support.websocket_client import Client, connected


@pytest.fixture
async def client(fixture: Scripts) -> AsyncIterator[Client]:
    async with connected(fixture.migd) as each:
        yield each


async def start(client: Client, *steps: Any, **fields: Any) -> None:
    await client.start("s-1", SCRIPT, payload={"steps": list(steps), "result": {"n": 7}}, **fields)


async def frames(client: Client) -> tuple[list[Any], Any]:
    """The payloads of the frames that are not terminal, and the terminal frame."""
    *pieces, last = await client.until_end("s-1")
    assert {frame["kind"] for frame in pieces} <= {"response"}
    return [frame["payload"] for frame in pieces], last


async def test_emit_sends_so_many_frames_with_their_index_in_the_order_of_the_steps(client: Client) -> None:
    await start(client, {"emit": {"payload": {"a": 1}, "times": 3}}, {"mark": "k"}, {"emit": {}})
    pieces, last = await frames(client)
    assert pieces == [{"a": 1, "index": 0}, {"a": 1, "index": 1}, {"a": 1, "index": 2}, {"index": 0}]
    assert last["kind"] == "response"
    assert last["payload"]["result"] == {"n": 7}
    assert last["payload"]["counters"] == {"k": 1}
    assert last["payload"]["emitted"] == 4


async def test_pieces_have_so_many_bytes_of_filler(client: Client) -> None:
    await start(client, {"pieces": {"bytes": 1000, "times": 2}})
    pieces, last = await frames(client)
    assert [(len(piece["filler"].encode()), piece["index"]) for piece in pieces] == [(1000, 0), (1000, 1)]
    assert last["payload"]["emitted"] == 2


async def test_take_answers_each_input_and_rest_those_up_to_the_end_of_the_input(client: Client) -> None:
    await start(client, {"take": 2}, {"emit": {"payload": {"between": True}}}, {"take": "rest"})
    await client.send("request", "s-1", payload={"n": 1})
    assert (await client.next())["payload"] == {"input": {"n": 1}}
    for n in (2, 3, 4):
        await client.send("request", "s-1", payload={"n": n}, end_stream=n == 4)
    pieces, last = await frames(client)
    between = {"between": True, "index": 0}
    assert pieces == [{"input": {"n": 2}}, between, {"input": {"n": 3}}, {"input": {"n": 4}}]
    assert (last["payload"]["taken"], last["payload"]["emitted"]) == (4, 5)


async def test_take_ends_where_no_more_input_comes(client: Client) -> None:
    await start(client, {"take": 10})
    await client.send("request", "s-1", payload={"n": 1}, end_stream=True)
    pieces, last = await frames(client)
    assert pieces == [{"input": {"n": 1}}]
    assert last["payload"]["taken"] == 1


async def test_a_stream_that_ends_its_input_at_once_has_nothing_to_take(client: Client) -> None:
    await start(client, {"take": "rest"}, {"take": 1}, end_stream=True)
    pieces, last = await frames(client)
    assert (pieces, last["payload"]["taken"]) == ([], 0)


@pytest.mark.parametrize(
    ("step", "code", "message"),
    [
        ({"fail": {"code": "MIG_UNAVAILABLE", "message": "as scripted"}}, "MIG_UNAVAILABLE", "as scripted"),
        ({"crash": "a password of the provider"}, "MIG_INTERNAL", "internal error"),
    ],
)
async def test_a_failure_after_frames_is_the_terminal_error_frame(
    client: Client, step: Any, code: str, message: str
) -> None:
    await start(client, {"emit": {"times": 2}}, step)
    pieces, last = await frames(client)
    assert pieces == [{"index": 0}, {"index": 1}]
    assert (last["kind"], last["error"]["code"], last["error"]["message"]) == ("error", code, message)


@pytest.mark.parametrize("held", [HELD, {"take": "rest"}, {"await_mark": {"key": "never"}}])
async def test_a_cancelled_stream_marks_that_it_was_stopped(
    fixture: Scripts, client: Client, held: Any
) -> None:
    await start(client, {"mark_on_stop": "stopped"}, {"emit": {}}, held)
    assert (await client.next())["payload"] == {"index": 0}
    await client.send("control", "s-1", payload={"action": "cancel"})
    assert await fixture.reached("stopped") == 1


async def test_a_client_that_goes_away_marks_that_the_stream_was_stopped(fixture: Scripts) -> None:
    async with connected(fixture.migd) as client:
        await start(client, {"mark_on_stop": "stopped"}, {"emit": {}}, HELD)
        await client.next()
    assert await fixture.reached("stopped") == 1


async def test_a_stream_that_nobody_reads_can_be_stopped(fixture: Scripts, client: Client) -> None:
    flood = [{"pieces": {"bytes": 262_144, "times": 10_000}}]
    header = {"tenant_id": "acme", "message_id": "m-1"}
    await start(client, {"mark_on_stop": "stopped"}, {"mark": "begun"}, *flood, header=header)
    await fixture.reached("begun")
    await fixture.cancel("m-1")
    assert await fixture.reached("stopped") == 1


async def test_a_stream_that_ended_was_not_stopped(fixture: Scripts, client: Client) -> None:
    await start(client, {"mark_on_stop": "stopped"}, {"emit": {"times": 3}})
    await frames(client)
    assert await fixture.read("stopped") == 0
