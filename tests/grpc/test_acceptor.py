"""How calls come from gRPC's threads to the event loop."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import sys
import threading
from typing import Any

import pytest

from migd import grpc_acceptor
from support.grpc_client import grpc_migd

IN_FLIGHT = 100


def asked_for() -> int:
    """How many calls the server has asked gRPC for."""
    coroutines: list[Any] = [task.get_coro() for task in asyncio.all_tasks()]
    return sum(each.__qualname__.endswith("_request_call") for each in coroutines)


async def test_calls_are_asked_for_before_they_come() -> None:
    async with grpc_migd() as (_, client):
        await client.hello()

        assert asked_for() == 32


async def test_calls_that_come_together_each_get_their_own_answer() -> None:
    async with grpc_migd() as (_, client):
        texts = [f"text {number}" for number in range(IN_FLIGHT)]

        answers = await asyncio.gather(*(client.invoke(payload={"input": text}) for text in texts))

        assert [answer.payload["echo"]["input"] for answer in answers] == texts


async def test_a_server_that_has_stopped_asks_for_no_call_and_logs_no_failure(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.ERROR, "asyncio"):
        async with grpc_migd() as (_, client):
            await client.hello()
        assert asked_for() == 0
        gc.collect()

    assert [record.getMessage() for record in caplog.records] == []


@pytest.mark.skipif(sys.platform != "linux", reason="threads have no priorities of their own here")
async def test_grpcs_poller_gives_way_to_the_thread_that_answers() -> None:
    async with grpc_migd():
        own = os.getpriority(os.PRIO_PROCESS, threading.get_native_id())
        pollers = [thread for thread in threading.enumerate() if "_poll_wrapper" in thread.name]

        assert pollers
        for poller in pollers:
            assert poller.native_id is not None
            assert os.getpriority(os.PRIO_PROCESS, poller.native_id) == min(19, own + 5)


async def test_a_grpcio_whose_server_is_built_otherwise_serves_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Changed:
        def __init__(self, *, loop: Any) -> None:
            raise AssertionError(loop)

    monkeypatch.setattr(grpc_acceptor, "_Acceptor", Changed)
    async with grpc_migd() as (_, client):
        assert (await client.hello()).selected_version == "0.1"
        assert asked_for() == 1
