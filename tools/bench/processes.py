"""The measured servers: processes on a core of their own, whose memory and processor time can be read."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

_READY = re.compile(r"ready on http://[^:]+:(\d+)(?:.* gRPC on [^:]+:(\d+))?")
ROOT = Path(__file__).parents[2]


class Server:
    """A process that said it is ready. `grpc_port` is 0 where it did not name one."""

    def __init__(
        self, process: subprocess.Popen[str], port: int, grpc_port: int, started_in_s: float
    ) -> None:
        self.port = port
        self.grpc_port = grpc_port
        self.started_in_s = started_in_s
        self._process = process
        self._seen = psutil.Process(process.pid)

    @property
    def rss(self) -> int:
        """Resident memory, in bytes."""
        return int(self._seen.memory_info().rss)

    @property
    def cpu_s(self) -> float:
        """Processor time spent so far, in seconds."""
        times = self._seen.cpu_times()
        return float(times.user + times.system)

    def stop(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(15)
        finally:
            self._process.kill()
            self._process.wait()


def take_load_core() -> None:
    """Keep this process off the servers' core. With a single core the figures mean little, and it says so."""
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < 2:
        print("one core only: server and load share it, so these figures say little")
        return
    os.sched_setaffinity(0, set(cores[1:2]))


@contextmanager
def migd(*arguments: str, **environ: str) -> Iterator[Server]:
    """migd as it is run: metrics on, audit to a file, the default store and the reference capability."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("MIGD_")}
    with tempfile.TemporaryDirectory(prefix="migd-bench-") as folder:
        settings = {
            "MIGD_ADDR": "127.0.0.1:0",
            "MIGD_AUDIT_LOG_PATH": str(Path(folder) / "audit.jsonl"),
            "MIGD_DATA_DIR": folder,
            "MIGD_LOG_LEVEL": "warning",
            **environ,
        }
        with _running([sys.executable, "-m", "migd", *arguments], inherited | settings) as server:
            yield server


@contextmanager
def floor(size: int, module: str = "tools.bench.floors") -> Iterator[Server]:
    """The floor of unary calls, with answers of `size` bytes; `module` says over what."""
    with _running([sys.executable, "-m", module, str(size)], dict(os.environ)) as server:
        yield server


@contextmanager
def _running(command: list[str], environ: dict[str, str]) -> Iterator[Server]:
    own = os.sched_getaffinity(0)
    started = time.perf_counter()
    # A child inherits where its parent may run at that moment.
    os.sched_setaffinity(0, _server_core())
    try:
        process = subprocess.Popen(command, env=environ, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    finally:
        os.sched_setaffinity(0, own)
    server = Server(process, *_ports(process), time.perf_counter() - started)
    try:
        yield server
    finally:
        server.stop()


def _server_core() -> set[int]:
    own = os.sched_getaffinity(0)
    others = sorted(set(range(os.cpu_count() or 1)) - own)
    return set(others[:1]) or own


def _ports(process: subprocess.Popen[str]) -> tuple[int, int]:
    assert process.stdout is not None
    for text in process.stdout:
        if found := _READY.search(text):
            return int(found[1]), int(found[2] or 0)
    raise RuntimeError(f"{process.args!r} ended before it was ready")
