"""The measured servers: processes on a core of their own, whose memory and processor time can be read."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

_READY = re.compile(r"ready on http://[^:]+:(\d+)(?:.* gRPC on [^:]+:(\d+))?")
_NATS_LISTENS = re.compile(r"Listening for client connections on \S+:(\d+)")
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

    @property
    def files(self) -> int:
        """Open file descriptors."""
        return int(self._seen.num_fds())

    @property
    def threads(self) -> int:
        return int(self._seen.num_threads())

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
    """migd as it is run: metrics on, audit to a file, the sqlite store and the reference capability."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("MIGD_")}
    with tempfile.TemporaryDirectory(prefix="migd-bench-") as folder:
        settings = {
            "MIGD_ADDR": "127.0.0.1:0",
            "MIGD_AUDIT_LOG_PATH": str(Path(folder) / "audit.jsonl"),
            "MIGD_DATA_DIR": folder,
            "MIGD_STORE": "sqlite",
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
def nats_server() -> Iterator[int]:
    """A nats-server beside the load, away from the measured server's core; gives its port."""
    with tempfile.TemporaryDirectory(prefix="migd-bench-") as folder:
        command = [str(Path(sysconfig.get_path("scripts")) / "nats-server"), "-a", "127.0.0.1", "-p", "-1"]
        process = subprocess.Popen([*command, "--ports_file_dir", folder], stderr=subprocess.PIPE, text=True)
        try:
            assert process.stderr is not None
            found = next(found for text in process.stderr if (found := _NATS_LISTENS.search(text)))
            yield int(found[1])
        finally:
            process.kill()
            process.wait()


@contextmanager
def nats_floor(port: int, size: int) -> Iterator[Server]:
    """The floor of NATS requests, with answers of `size` bytes."""
    command = [sys.executable, "-m", "tools.bench.nats_echo", f"nats://127.0.0.1:{port}", str(size)]
    with _running(command, dict(os.environ)) as server:
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
