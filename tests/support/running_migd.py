"""A real migd for a test: as a process of its own, or in the test's own event loop."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import ssl
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import aiohttp
from yarl import URL

from migd.app import Application
from migd.auth_config import AuthConfig
from migd.config import load_settings
from migd.core.catalog import Capability
from migd.http_edge import HttpEdge
from migd.listening import listen, reachable_url
from migd.manifest import Manifest
from migd.providers.builtin import reference_capability
from migd.reload import Reload
from migd.server import edge_of, grpc_edge_of
from support.until import until

if TYPE_CHECKING:
    from migd.grpc_edge import GrpcEdge

_START_S = 30.0
_READY = re.compile(r"ready on (https?://\S+)")


class MigdProcess:
    """`python -m migd`. Its standard error is collected while it runs."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.stdout: list[str] = []
        self.stderr: list[str] = []
        self._ready = threading.Event()
        self._readers = [
            threading.Thread(target=self._collect, args=(process.stdout, self.stdout), daemon=True),
            threading.Thread(target=self._collect, args=(process.stderr, self.stderr), daemon=True),
        ]
        for reader in self._readers:
            reader.start()

    @property
    def url(self) -> str:
        """`http://host:port`, once it is ready."""
        found = _READY.search("".join(self.stdout))
        assert found, f"migd is not ready: {self.stderr}"
        return found[1]

    def wait_ready(self) -> None:
        """Until the ready line is there; fails with what migd said when it ends instead."""
        self._ready.wait(_START_S)
        assert self.url

    def send_signal(self, number: int) -> None:
        self.process.send_signal(number)

    def wait(self) -> int:
        """The exit status, with everything that it wrote collected."""
        status = self.process.wait(_START_S)
        for reader in self._readers:
            reader.join(_START_S)
        return status

    def stop(self) -> int:
        """End it in order, if it has not ended."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.wait()

    def _collect(self, stream: IO[str] | None, lines: list[str]) -> None:
        assert stream is not None
        with stream:
            for line in stream:
                lines.append(line)
                if lines is self.stdout and _READY.search(line):
                    self._ready.set()
        self._ready.set()


def start_migd(*arguments: str, cwd: Path | None = None, **environ: str) -> MigdProcess:
    """The process as it starts, with no variables of migd's but these; port 0 unless they say otherwise.

    It keeps nothing unless they say where: see `_keeping`.
    """
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("MIGD_")}
    return MigdProcess(
        subprocess.Popen(
            [sys.executable, "-m", "migd", *arguments],
            env={**inherited, "MIGD_ADDR": "127.0.0.1:0", **_keeping(environ)},
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
    )


def _keeping(environ: Mapping[str, str]) -> dict[str, str]:
    """With the memory store, unless a folder for the default one is named: never that of the user."""
    named = {"MIGD_DATA_DIR", "XDG_DATA_HOME"} & environ.keys()
    return {**environ} if named else {"MIGD_STORE": "memory", **environ}


@contextmanager
def running_migd(*arguments: str, cwd: Path | None = None, **environ: str) -> Iterator[MigdProcess]:
    """A process that is ready to serve, and is gone at the end of the block."""
    migd = start_migd(*arguments, cwd=cwd, **environ)
    try:
        migd.wait_ready()
        yield migd
    finally:
        if migd.process.poll() is None:
            migd.process.kill()
        migd.wait()


@dataclass(slots=True)
class Answer:
    """One HTTP answer, read to its end."""

    status: int
    headers: Mapping[str, str]
    raw: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.raw)

    @property
    def code(self) -> str:
        """The code of an ErrorEnvelope."""
        return str(self.json["error"]["code"])


class LocalMigd:
    """A gateway that serves on a real port from within the test's event loop, and a client of it.

    `grpc` is its gRPC server where MIGD_GRPC_ADDR is set; `reload` does what SIGHUP does, under the same
    settings and capabilities.
    """

    def __init__(
        self,
        application: Application,
        edge: HttpEdge,
        http: aiohttp.ClientSession,
        url: str,
        grpc: GrpcEdge | None = None,
        *,
        reload: Reload,
    ) -> None:
        self.grpc = grpc
        self.reload = reload
        self.application = application
        self.gateway = application.gateway
        self.edge = edge
        self.http = http
        self.url = url
        self.serving = asyncio.create_task(edge.run_until_stopped())

    async def request(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        """`body` as JSON, or as it is when it is bytes; `x_tenant_id="acme"` is the field X-Tenant-ID."""
        data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        fields = {name.replace("_", "-"): value for name, value in headers.items()}
        async with self.http.request(method, URL(path, encoded=True), data=data, headers=fields) as response:
            return Answer(response.status, response.headers, await response.read())

    async def post(self, path: str, body: Any = None, **headers: str) -> Answer:
        return await self.request("POST", path, body, **headers)

    async def get(self, path: str, **headers: str) -> Answer:
        return await self.request("GET", path, **headers)

    async def invoke(
        self, capability: str, payload: Any = None, tenant: str = "acme", **header: Any
    ) -> Answer:
        message = {"header": {"tenant_id": tenant, **header}, "payload": payload or {}}
        return await self.post(f"/mig/v0.1/invoke/{capability}", message)

    async def stop(self) -> None:
        """What SIGTERM does; returns when all has ended."""
        self.edge.stop()
        await self.serving


@asynccontextmanager
async def local_migd(*capabilities: Capability, **environ: str) -> AsyncIterator[LocalMigd]:
    """The reference capability and `capabilities`, under the settings that these variables give."""
    async with guarded_migd(environ, *capabilities) as migd:
        yield migd


@asynccontextmanager
async def guarded_migd(
    environ: Mapping[str, str],
    *capabilities: Capability,
    auth: AuthConfig | None = None,
    tls: ssl.SSLContext | None = None,
) -> AsyncIterator[LocalMigd]:
    """`auth` is what a migd.yaml would say of callers; `tls` what the HTTP client trusts and shows."""
    settings = load_settings({"MIGD_ADDR": "127.0.0.1:0", "MIGD_SHUTDOWN_GRACE_S": "0", **_keeping(environ)})
    manifest = Manifest(capabilities=(reference_capability(), *capabilities), auth=auth or AuthConfig())
    application = Application(settings, manifest.capabilities, auth=auth)
    reload = Reload(application, settings, lambda: (settings, manifest))
    with listen(settings.addr) as listener:
        url = reachable_url(listener, tls=settings.tls_cert is not None)
        await application.start()
        grpc = grpc_edge_of(application, settings)
        if grpc is not None:
            await grpc.start()
        connector = aiohttp.TCPConnector(ssl=tls or True)
        async with aiohttp.ClientSession(url, connector=connector) as http:
            edge = edge_of(application, settings, listener, grpc)
            migd = LocalMigd(application, edge, http, url, grpc, reload=reload)
            try:
                await migd.edge.ready.wait()
                yield migd
            finally:
                await migd.stop()
                await application.close()


async def going_down(migd: LocalMigd) -> asyncio.Task[None]:
    """The end, once it has begun."""
    stopping = asyncio.create_task(migd.stop())
    await until(lambda: migd.gateway.readiness().status != "ok")
    return stopping
