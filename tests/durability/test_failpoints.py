"""MIGD_FAILPOINT: the gateway dies at exactly the place that is named, and what follows from that."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from support.lives import CAPABILITY, GoneError, Lives, invoke, publish
from support.running_migd import MigdProcess, running_migd, start_migd
from support.sse import subscribed

Ask = Callable[[aiohttp.ClientSession], Awaitable[dict[str, Any]]]


@pytest.fixture
def lives(tmp_path: Path) -> Lives:
    return Lives(tmp_path)


def died(migd: MigdProcess) -> bool:
    return migd.wait() == -signal.SIGKILL


async def dies_unanswered(lives: Lives, failpoint: str, ask: Ask) -> None:
    """A life in which one request is made, and not answered."""
    async with lives.life(failpoint) as (migd, http):
        with pytest.raises(GoneError):
            await ask(http)
        assert died(migd)


def is_repeated(answer: dict[str, Any]) -> bool:
    return bool(answer["header"].get("meta", {}).get("mig.idempotent_replay", False))


async def test_before_persist_an_event_is_neither_acknowledged_nor_there(lives: Lives) -> None:
    await dies_unanswered(lives, "before-persist", lambda http: publish(http, "lost", "k"))
    async with lives.life() as (_, http):
        again = await publish(http, "lost", "k")
    assert (again["sequence"], is_repeated(again)) == (1, False)


async def test_after_persist_an_event_is_there_though_nobody_was_told_and_its_key_finds_it(
    lives: Lives,
) -> None:
    await dies_unanswered(lives, "after-persist-before-ack", lambda http: publish(http, "kept", "k"))
    async with lives.life() as (_, http):
        again = await publish(http, "kept", "k")
        async with subscribed(http, "a.b", "?resume_cursor=0") as reader:
            assert (await reader.next()).data["event_id"] == again["event_id"]
        assert (await publish(http, "next"))["sequence"] == 2
    assert (again["sequence"], is_repeated(again)) == (1, True)


async def test_after_ack_a_subscriber_that_was_not_given_the_event_finds_it_by_its_cursor(
    lives: Lives,
) -> None:
    async with lives.life("after-ack-before-fan-out") as (migd, http):
        async with subscribed(http, "a.b") as reader:
            assert (await publish(http, "told"))["sequence"] == 1
            with pytest.raises((EOFError, aiohttp.ClientError)):
                await reader.next()
        assert died(migd)
    async with lives.life() as (_, http), subscribed(http, "a.b", "?resume_cursor=0") as reader:
        assert (await reader.next()).data["payload"] == {"value": "told"}


async def test_mid_stream_a_client_sees_a_broken_connection_and_no_terminal_frame(lives: Lives) -> None:
    async with lives.life("mid-stream:3") as (migd, http):
        frames = await streamed(http)
        assert died(migd)
    assert not any(frame["end_stream"] for frame in frames)
    async with lives.life() as (_, http):
        frames = await streamed(http)
    assert [frame["end_stream"] for frame in frames] == [False] * 5 + [True]


async def streamed(http: aiohttp.ClientSession) -> list[dict[str, Any]]:
    """The frames of one stream, up to its terminal one or the end of the connection."""
    frames: list[dict[str, Any]] = []
    request = {"header": {"tenant_id": "acme"}, "kind": "request", "stream_id": "s"}
    async with http.ws_connect("/mig/v0.1/stream") as socket:
        await socket.send_json({**request, "capability": CAPABILITY, "payload": {"name": "acme/s"}})
        async for message in socket:
            frames.append(message.json())
            if frames[-1]["end_stream"]:
                break
    return frames


async def test_a_crash_between_the_providers_success_and_the_record_of_it_lets_the_provider_run_twice(
    lives: Lives,
) -> None:
    """At least once over a crash: the caller was told nothing, asks again, and is given the second run."""
    await dies_unanswered(lives, "before-persist", lambda http: invoke(http, "acme/1", "k"))
    async with lives.life() as (_, http):
        again, once_more = await invoke(http, "acme/1", "k"), await invoke(http, "acme/1", "k")
    first, second = lives.runs()
    assert first.run != second.run == again["payload"]["run"] == once_more["payload"]["run"]
    assert (is_repeated(again), is_repeated(once_more)) == (False, True)


async def test_a_success_whose_record_was_made_is_given_again_though_nobody_was_told(lives: Lives) -> None:
    await dies_unanswered(lives, "after-persist-before-ack", lambda http: invoke(http, "acme/1", "k"))
    async with lives.life() as (_, http):
        again = await invoke(http, "acme/1", "k")
        refused = await invoke(http, "acme/2", "k")
    (only,) = lives.runs()
    assert (again["payload"]["run"], is_repeated(again)) == (only.run, True)
    assert refused["error"]["code"] == "MIG_INVALID_REQUEST"


@pytest.mark.parametrize(("failpoint", "left"), [("before-persist", 2), ("after-persist-before-ack", 1)])
async def test_a_quota_may_lose_a_debit_to_a_crash_and_never_gives_one_twice(
    lives: Lives, failpoint: str, left: int
) -> None:
    """The debit is committed before the provider runs."""
    await lives.set_quota("acme", 2)
    await dies_unanswered(lives, failpoint, lambda http: invoke(http, "acme/1"))
    async with lives.life() as (_, http):
        answers = [await invoke(http, f"acme/{number}") for number in range(2, 5)]
    assert sum("payload" in answer for answer in answers) == len(lives.runs()) == left


async def test_one_execution_under_any_concurrency_is_one_over_http_too(lives: Lives) -> None:
    async with lives.life() as (_, http):
        answers = await asyncio.gather(*(invoke(http, "acme/1", "k") for _ in range(20)))
    (only,) = lives.runs()
    assert {answer["payload"]["run"] for answer in answers} == {only.run}
    assert sum(not is_repeated(answer) for answer in answers) == 1


@pytest.mark.parametrize("name", ["after-lunch", "mid-stream:0", "before-persist:x", "before-persist:"])
def test_an_unknown_failpoint_is_one_line(name: str) -> None:
    migd = start_migd(MIGD_FAILPOINT=name)
    assert migd.wait() == 2
    assert "".join(migd.stderr) == (
        f"migd: MIGD_FAILPOINT={name!r} is not usable: expected before-persist, after-persist-before-ack, "
        "after-ack-before-fan-out, mid-stream, and :N for the Nth passing of it\n"
    )


def test_a_failpoint_is_one_loud_warning() -> None:
    with running_migd(MIGD_FAILPOINT="mid-stream") as migd:
        migd.stop()
    assert "warning MIGD_FAILPOINT=mid-stream: this gateway will kill itself there" in migd.stderr[0]
