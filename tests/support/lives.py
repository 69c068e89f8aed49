"""One gateway after another on one data folder, each until it ends or dies."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

from support.history import Run
from support.running_migd import MigdProcess, running_migd, start_migd

CAPABILITY = "crash.counted"
_MANIFEST = str(Path(__file__).parents[1] / "durability" / "server" / "migd.yaml")


class GoneError(Exception):
    """The gateway does not answer any more; nobody knows what has become of the request."""


class Lives:
    """The gateways serve `crash.counted`, whose runs are written down beside their store."""

    def __init__(self, folder: Path) -> None:
        self._runs = folder / "runs"
        self._audit = folder / "audit.jsonl"
        self._environ: dict[str, Any] = {
            "MIGD_DATA_DIR": str(folder / "data"),
            "CRASH_RUNS": str(self._runs),
            "MIGD_AUDIT_LOG_PATH": str(self._audit),
        }

    @asynccontextmanager
    async def life(self, failpoint: str = "") -> AsyncIterator[tuple[MigdProcess, aiohttp.ClientSession]]:
        """A gateway that is ready, and a client of it; killed at the end of the block if it lives."""
        with running_migd("--config", _MANIFEST, MIGD_FAILPOINT=failpoint, **self._environ) as migd:
            connector = aiohttp.TCPConnector(limit=0)
            async with aiohttp.ClientSession(migd.url, connector=connector) as http:
                yield migd, http

    async def broken_trails(self, http: aiohttp.ClientSession) -> list[str]:
        """What `migd audit verify` has to say against the trail in the store and the one in the file."""
        exported = self._audit.with_name("exported.jsonl")
        async with http.get("/pro/v0.1/audit/export?format=jsonl") as answer:
            assert answer.status == 200
            exported.write_bytes(await answer.read())
        verified = [start_migd("audit", "verify", str(trail)) for trail in (exported, self._audit)]
        return ["".join(migd.stdout + migd.stderr) for migd in verified if migd.wait() != 0]

    def command(self, *arguments: str) -> str:
        """What a `migd` command says of that data folder; it has to go well."""
        migd = start_migd(*arguments, **self._environ)
        assert migd.wait() == 0, migd.stderr
        return "".join(migd.stdout)

    def runs(self) -> list[Run]:
        """Every run of the capability so far, in order."""
        return [Run(*line.split()) for line in self._runs.read_text().splitlines()]

    async def set_quota(self, tenant: str, most: int) -> None:
        """In a life of its own."""
        async with self.life() as (_, http):
            body = {"tenant_id": tenant, "max_invocations": most}
            assert await post(http, tenant, "/pro/v0.1/quotas", **body) == body


async def post(http: aiohttp.ClientSession, tenant: str, path: str, **body: Any) -> dict[str, Any]:
    """The answer, refusals included. Raises GoneError when there is none."""
    try:
        async with http.post(path, json=body, headers={"X-Tenant-ID": tenant}) as answer:
            given: dict[str, Any] = await answer.json()
    except (aiohttp.ClientError, ConnectionError) as error:
        raise GoneError from error
    return given


async def publish(http: aiohttp.ClientSession, value: str, key: str = "") -> dict[str, Any]:
    """The ack of an event of the tenant acme in the topic a.b."""
    header = {"idempotency_key": key} if key else {}
    return await post(http, "acme", "/mig/v0.1/publish/a.b", payload={"value": value}, header=header)


async def invoke(
    http: aiohttp.ClientSession, name: str, key: str = "", tenant: str = "acme"
) -> dict[str, Any]:
    """The answer of one run of the capability, or the refusal."""
    header = {"idempotency_key": key} if key else {}
    path = f"/mig/v0.1/invoke/{CAPABILITY}"
    return await post(http, tenant, path, payload={"name": name}, header=header)
