"""More connections than the process may have files open."""

from __future__ import annotations

import asyncio
import resource
import sys
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp
import psutil
import pytest

from support.running_migd import running_migd
from support.until import until

MOST = 64
REQUEST = {"payload": {"input": "hello"}, "header": {"tenant_id": "acme"}}


async def invoke(http: aiohttp.ClientSession) -> int:
    async with http.post("/mig/v0.1/invoke/observatory.models.infer", json=REQUEST) as answer:
        await answer.read()
        return answer.status


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux sets the limits of another process")
async def test_a_crowd_at_the_door_costs_those_inside_nothing_and_is_forgotten(tmp_path: Path) -> None:
    with running_migd(MIGD_DATA_DIR=str(tmp_path)) as migd:
        seen = psutil.Process(migd.process.pid)
        resource.prlimit(seen.pid, resource.RLIMIT_NOFILE, (MOST, MOST))
        address = urlsplit(migd.url)
        async with aiohttp.ClientSession(migd.url) as inside:
            assert await invoke(inside) == 200
            crowd = [await asyncio.open_connection(address.hostname, address.port) for _ in range(2 * MOST)]
            assert await crowd[-1][0].read() == b""
            assert await invoke(inside) == 200
        for _, writer in crowd:
            writer.close()
        await until(lambda: seen.num_fds() < MOST // 2)
        async with aiohttp.ClientSession(migd.url) as late:
            assert await invoke(late) == 200
        migd.stop()
    assert len(migd.stderr) < 10
