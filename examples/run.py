"""Start everything that the examples need, and stop it again: what `make run` does.

First the Markdown service, on a free port of this machine (MARKDOWN_PORT chooses one), then migd with
examples/migd.yaml in front of it. migd listens on 127.0.0.1:8080 unless MIGD_ADDR or --addr says otherwise;
further arguments are migd's. Ctrl-C ends both: migd first, so that what it still runs can finish.
"""

from __future__ import annotations

import asyncio
import os
import re
import signal
import sys
import urllib.request
from asyncio.subprocess import PIPE, Process
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
DEFAULT_ADDR = "127.0.0.1:8080"
READY = re.compile(r"ready on (http://\S+)")
SERVICE_END_S = 5.0
TRY = """
Ask which language a text is in:

  curl -s {url}/mig/v0.1/invoke/text.language.identify -H 'X-Tenant-ID: acme' \\
    -d '{{"payload": {{"text": "Het is vandaag mooi weer"}}}}'

More to try is in examples/README.md. Ctrl-C stops everything.
"""


async def run(arguments: list[str]) -> int:
    """Until migd ends, by itself or on a signal. Returns its exit status; 1 if the service failed."""
    port = os.environ.get("MARKDOWN_PORT", "0")
    service = await _start([str(FOLDER / "markdown_service.py"), "--port", port], os.environ)
    try:
        url = (await _stdout(service).readline()).decode().strip()
        if not url:  # it has said why
            return 1
        await asyncio.to_thread(_check_health, url)
        environ = {"MIGD_ADDR": DEFAULT_ADDR, **os.environ, "MARKDOWN_PORT": url.rpartition(":")[2]}
        command = ["-m", "migd", "--config", str(_as_written(FOLDER / "migd.yaml")), *arguments]
        migd = await _start(command, environ)
        _pass_signals_on(migd)
        return await _until_one_ends(migd, service)
    finally:
        await _end(service)


def _check_health(url: str) -> None:
    with urllib.request.urlopen(f"{url}/healthz", timeout=10) as answer:
        answer.read()


async def _end(process: Process) -> None:
    _terminate(process)
    try:
        await asyncio.wait_for(process.wait(), SERVICE_END_S)
    except TimeoutError:
        process.kill()
        await process.wait()


def _terminate(process: Process) -> None:
    # Not its own method, which looks whether the process has ended and so takes its status from asyncio.
    if process.returncode is None:
        with suppress(ProcessLookupError):
            os.kill(process.pid, signal.SIGTERM)


async def _start(command: list[str], environ: Mapping[str, str]) -> Process:
    # A process group of its own: the terminal's Ctrl-C comes here alone, and is passed on in order.
    return await asyncio.create_subprocess_exec(
        sys.executable, *command, env=environ, stdin=asyncio.subprocess.DEVNULL, stdout=PIPE, process_group=0
    )


def _pass_signals_on(migd: Process) -> None:
    """migd ends in order on the first signal, and at once on a second."""

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, _terminate, migd)


async def _until_one_ends(migd: Process, service: Process) -> int:
    relaying = asyncio.create_task(_relay(migd))
    ended = asyncio.create_task(service.wait())
    await asyncio.wait({relaying, ended}, return_when=asyncio.FIRST_COMPLETED)
    failed = ended.done()
    if failed:
        print(f"the Markdown service ended with status {ended.result()}: stopping migd", file=sys.stderr)
        _terminate(migd)
    await relaying
    status = await migd.wait()
    ended.cancel()
    return 1 if failed else status


async def _relay(migd: Process) -> None:
    """Show what migd writes, and what to do once it is ready."""
    async for line in _stdout(migd):
        text = line.decode()
        print(text, end="", flush=True)
        if ready := READY.search(text):
            print(TRY.format(url=ready[1]), flush=True)


def _stdout(process: Process) -> asyncio.StreamReader:
    if process.stdout is None:
        raise RuntimeError("started without a pipe")
    return process.stdout


def _as_written(path: Path) -> Path:
    """As one would write it from the current folder: messages about the file name it so."""
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


if __name__ == "__main__":
    try:
        sys.exit(asyncio.run(run(sys.argv[1:])))
    except KeyboardInterrupt:
        sys.exit(130)
