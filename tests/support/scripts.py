"""A gateway with the conformance fixture, and scripts for it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from support.running_migd import Answer, LocalMigd, local_migd

SCRIPT = "mig.conformance.script"
FIXTURE = {"MIGD_CONFORMANCE_FIXTURE": "true"}
HELD = {"wait_ms": 60_000}
"""A step that no test waits for."""


class Scripts:
    """Runs scripts over HTTP, as `tenant` unless a call says otherwise."""

    def __init__(self, migd: LocalMigd, tenant: str = "acme") -> None:
        self.migd = migd
        self.tenant = tenant

    async def run(self, *steps: Any, **header: Any) -> Answer:
        return await self.migd.invoke(SCRIPT, {"steps": list(steps)}, **{"tenant": self.tenant, **header})

    async def reached(self, key: str, count: int = 1) -> int:
        """The counter, once it is so far."""
        answer = await self.run({"await_mark": {"key": key, "count": count}})
        return int(answer.json["payload"]["counters"][key])

    async def read(self, key: str, **header: Any) -> int:
        """The counter as it is now."""
        return int((await self.run({"read": key}, **header)).json["payload"]["counters"][key])

    async def cancel(self, message_id: str) -> None:
        path = f"/mig/v0.1/cancel/{message_id}"
        ack = await self.migd.post(path, {"header": {"tenant_id": self.tenant}})
        assert ack.json["status"] == "cancelled"


@asynccontextmanager
async def scripts(**environ: str) -> AsyncIterator[Scripts]:
    async with local_migd(**{**FIXTURE, **environ}) as migd:
        yield Scripts(migd)
