"""The right server: migd with every binding, as its command starts it, and a nats-server for it."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import sys
import tempfile
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from mig_conformance.flaws import SuiteError
from mig_conformance.subject.subject import Auth, AuthMode, Endpoints, Subject

_SECRET = "the secret of the self-test's own server"  # noqa: S105 (nobody else runs with it)
_PATIENCE_S = 30.0
_HELLO = "streaming events replay cancel idempotency deadlines tracing backpressure heartbeat mcp-bridge"
_OWN = {
    "none": "script open admin metrics mirror ui docs",
    "jwt": "script jwt tokens admin metrics mirror ui docs",
}


@asynccontextmanager
async def reference_server(mode: AuthMode, further: Mapping[str, str]) -> AsyncIterator[Subject]:
    """Started with `further` variables besides what it needs, and stopped at the end."""
    http, grpc, nats = _free_port(), _free_port(), _free_port()
    async with AsyncExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="mig-self-test-"))
        await stack.enter_async_context(
            _running([_found("nats-server"), "-a", "127.0.0.1", "-p", str(nats)], {}, nats)
        )
        variables = {
            "MIGD_ADDR": f"127.0.0.1:{http}",
            "MIGD_GRPC_ADDR": f"127.0.0.1:{grpc}",
            "MIGD_NATS_URL": f"nats://127.0.0.1:{nats}",
            "MIGD_DATA_DIR": folder,
            "MIGD_CONFORMANCE_FIXTURE": "true",
            # Mutants leave work behind that nobody waits for.
            "MIGD_SHUTDOWN_GRACE_S": "0",
            "MIGD_AUTH_MODE": mode,
            **({"MIGD_JWT_HS256_SECRET": _SECRET} if mode == "jwt" else {}),
            **further,
        }
        await stack.enter_async_context(_running([_found("migd")], variables, http))
        yield Subject(
            implementation="migd",
            endpoints=Endpoints(
                http=f"http://127.0.0.1:{http}", grpc=f"127.0.0.1:{grpc}", nats=f"nats://127.0.0.1:{nats}"
            ),
            auth=Auth(mode=mode, hs256_secret=_SECRET if mode == "jwt" else None),
            profiles=frozenset({"core", "streaming", "evented", "full"}),
            features=frozenset(_HELLO.split()) | frozenset(_OWN[mode].split()),
        )


@asynccontextmanager
async def _running(command: Sequence[str], variables: Mapping[str, str], port: int) -> AsyncIterator[None]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("MIGD_")}
    with tempfile.TemporaryFile() as output:
        process = await asyncio.create_subprocess_exec(
            *command,
            env={**inherited, **variables},
            stdout=output,
            stderr=output,
            stdin=asyncio.subprocess.DEVNULL,
        )
        try:
            await _answers(process, port, command[0])
            yield
        finally:
            if process.returncode is None:
                process.terminate()
            await process.wait()


async def _answers(process: asyncio.subprocess.Process, port: int, name: str) -> None:
    async with asyncio.timeout(_PATIENCE_S):
        while process.returncode is None:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except ConnectionRefusedError:
                await asyncio.sleep(0.02)
            else:
                writer.close()
                return
    raise SuiteError(f"{name} ended with status {process.returncode} before it served")


def _found(name: str) -> str:
    beside = Path(sys.executable).with_name(name)
    found = str(beside) if beside.exists() else shutil.which(name)
    if found is None:
        raise SuiteError(f"there is no {name}, neither beside {sys.executable} nor in PATH: install it")
    return found


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])
