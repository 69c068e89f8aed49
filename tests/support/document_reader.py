"""Somebody who follows a document step by step, in a copy of the repository's folder."""

from __future__ import annotations

import os
import re
import shutil
import socket
import sys
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

from support.document_answers import json_difference, text_pattern
from support.document_blocks import ROOT, Background, Block, Printed, Run, Save, Serve, Step
from support.document_terminal import PATIENCE_S, Terminal

_CURL_STAND_IN = Path(__file__).with_name("curl_stand_in.py")
_DOCUMENTED = re.compile(r"(?:localhost|127\.0\.0\.1):8080")
_DOCUMENTED_GRPC = re.compile(r"(?:localhost|127\.0\.0\.1):9090")
# As documents have it; the tests of several documents may run at the same time.
_NATS_PORT = re.compile(r"\b4222\b")
_READY = re.compile(r"ready on http://(\S+?)[\s/][^\n]*?(?:gRPC on (\S+))?\n")
_BUSY = re.compile(
    r"^(?:mig_gateway_active_streams\{[^}]*\}|mig_gateway_invocations_in_flight) (\S+)$", re.MULTILINE
)
_ERROR_ENVELOPE = '"error":{"code":"MIG_'
_LEFT_OUT = (".git", ".venv", ".mypy_cache", ".ruff_cache", ".pytest_cache", ".hypothesis")


class Reader:
    """Takes the steps of one document; `with` ends what is still running.

    Every command runs in one folder, one after the other, and sees the variables that those before it
    set. The gateway of a `server` block listens on a free port: where a document says 8080, that one is
    meant, 9090 is where gRPC is, and 4222 the port of a nats-server. Raises DocumentError at the first step
    that does not go as the document says.
    """

    def __init__(self, folder: Path, *, curl: str | None = shutil.which("curl")) -> None:
        self.folder = folder
        self._bookkeeping = folder / ".reader"
        self._shell = shutil.which("bash") or "sh"
        self._authority = ""
        self._grpc = ""
        self._nats_port = ""
        self._server: Terminal | None = None
        self._second: Terminal | None = None
        self._saved: list[Save] = []
        _furnish(folder)
        self._bookkeeping.mkdir()
        self._variables = self._bookkeeping / "variables"
        self._variables.write_text("")
        # The gateways of a document share what they keep, as its reader's would.
        self._environ = {**_environ(self._programs(curl)), "XDG_DATA_HOME": str(self._bookkeeping / "data")}

    def __enter__(self) -> Reader:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for terminal in (self._second, self._server):
            if terminal is not None:
                terminal.interrupt()

    def take(self, step: Step) -> None:
        """Do what the document says, and see whether it goes as the document says."""
        if isinstance(step, Save):
            self._saved.append(step)
            self._save(step)
        elif isinstance(step, Run):
            self._run(step)
        elif isinstance(step, Serve):
            self._serve(step)
        elif isinstance(step, Background):
            self._go_on(step)
        else:
            self._look(step)

    def _save(self, step: Save) -> None:
        """Written again for each gateway: a file may say where it is, and each is on a port of its own."""
        (self.folder / step.name).write_text(self._with_ports(step.block.text), encoding="utf-8")

    def _run(self, step: Run) -> None:
        # -e: each command counts, not the last alone. -a: what is set here is there for the next block.
        script = f"set -ea\n. {self._variables}\n{self._text(step.block)}\nexport -p > {self._variables}\n"
        terminal = Terminal([self._shell, "-c", script], self.folder, self._environ)
        printed = terminal.rest()
        if printed is None:
            terminal.interrupt()
            raise step.block.wrong("it does not end; `server` and `background` blocks need not")
        printed = self._as_documented(printed)
        if (terminal.status != 0) is not step.fails:
            raise step.block.wrong(f"ended with status {terminal.status}:\n{printed}")
        if step.answer is not None:
            self._compare(step.answer, printed)
        elif _ERROR_ENVELOPE in printed:
            raise step.block.wrong(f"is refused, which the document does not show:\n{printed}")

    def _serve(self, step: Serve) -> None:
        if self._server is not None and not self._server.interrupt():
            raise step.block.wrong("the gateway before this one does not end on Ctrl-C")
        self._authority = ""
        # Any port will do, and no other machine needs to reach it.
        environ = {**self._environ, "MIGD_ADDR": "127.0.0.1:0"}
        self._server = Terminal(
            [self._shell, "-ec", self._with_nats(re.sub(r":(?:8080|9090)\b", ":0", step.block.text))],
            self.folder,
            environ,
        )
        ready = self._server.seen(_READY)
        if ready is None:
            raise step.block.wrong(f"no gateway became ready:\n{self._server.unread}")
        self._authority, self._grpc = ready[1], ready[2] or ""
        for saved in self._saved:
            self._save(saved)
        if step.answer is not None:
            self._compare_next(self._server, step.answer)

    def _go_on(self, step: Background) -> None:
        if self._second is not None and not self._second.interrupt():
            raise step.block.wrong("the command before this one does not end on Ctrl-C")
        calls = bool(_DOCUMENTED.search(step.block.text))
        if calls and not self._settles(lambda: not self._busy()):
            raise step.block.wrong("the gateway is still busy with what came before")
        self._second = second = Terminal(
            [self._shell, "-ec", self._text(step.block)], self.folder, self._environ
        )
        # The document goes on with what the call does in the gateway, so it has to have arrived there.
        if calls and not self._settles(lambda: second.ended or self._busy()):
            raise step.block.wrong(f"the gateway has not heard of it; it printed:\n{second.unread}")
        if step.answer is not None:
            self._compare_next(second, step.answer)

    def _look(self, step: Printed) -> None:
        if self._second is None:
            raise step.block.wrong("there is nothing in the background")
        self._compare_next(self._second, step.block)

    def _compare_next(self, terminal: Terminal, answer: Block) -> None:
        if answer.language == "json":
            printed = terminal.rest()
            if printed is None:
                raise answer.wrong(f"the command has not ended; so far:\n{terminal.unread}")
            self._compare(answer, self._as_documented(printed))
        elif not terminal.read(text_pattern(self._with_ports(answer.text))):
            raise answer.wrong(f"printed instead:\n{self._as_documented(terminal.unread)}")

    def _compare(self, answer: Block, printed: str) -> None:
        if answer.language == "json":
            difference = json_difference(answer.text, printed)
            if difference is not None:
                raise answer.wrong(f"{difference}\n{printed}")
        elif not text_pattern(answer.text).fullmatch(printed.rstrip() + "\n"):
            raise answer.wrong(f"printed instead:\n{printed}")

    def _text(self, block: Block) -> str:
        if _DOCUMENTED.search(block.text) and not self._authority:
            raise block.wrong("nothing serves yet; a `bash server` block has to come before it")
        return self._with_ports(block.text)

    def _with_ports(self, text: str) -> str:
        """With the ports that the gateway and this document's nats-server listen on."""
        if self._authority:
            text = _DOCUMENTED.sub(self._authority, text)
        return self._with_nats(_DOCUMENTED_GRPC.sub(self._grpc, text) if self._grpc else text)

    def _with_nats(self, text: str) -> str:
        if _NATS_PORT.search(text) and not self._nats_port:
            with socket.create_server(("127.0.0.1", 0)) as free:
                self._nats_port = str(free.getsockname()[1])
        return _NATS_PORT.sub(self._nats_port, text)

    def _as_documented(self, printed: str) -> str:
        """With the port that the document shows, and the folder that its reader is in."""
        if self._authority:
            printed = printed.replace(self._authority, "127.0.0.1:8080")
        if self._grpc:
            printed = printed.replace(self._grpc, "127.0.0.1:9090")
        if self._nats_port:
            printed = printed.replace(f":{self._nats_port}", ":4222")
        return printed.replace(f"{self.folder}/", "")

    def _settles(self, condition: Callable[[], bool]) -> bool:
        """Whether it comes true in time. Each look is a request to the gateway, and so a pause, too."""
        deadline = time.monotonic() + PATIENCE_S
        while not condition():
            if time.monotonic() > deadline:
                return False
        return True

    def _busy(self) -> bool:
        """Whether the gateway has open streams or running invocations."""
        with urllib.request.urlopen(f"http://{self._authority}/metrics", timeout=PATIENCE_S) as answer:
            return any(map(float, _BUSY.findall(answer.read().decode())))

    def _programs(self, curl: str | None) -> Path:
        """A folder of programs that comes before the system's on PATH."""
        programs = self._bookkeeping / "bin"
        programs.mkdir()
        if curl is None:
            stand_in = programs / "curl"
            stand_in.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{_CURL_STAND_IN}" "$@"\n')
            stand_in.chmod(0o755)
        return programs


def _environ(programs: Path) -> dict[str, str]:
    """The machine's own, without settings of migd and of make."""
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("MIGD_", "MAKE", "MFLAGS"))
    }
    path = os.pathsep.join(
        (str(programs), str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath))
    )
    return {**kept, "PATH": path, "PYTHONUNBUFFERED": "1"}


def _furnish(folder: Path) -> None:
    """Everything of the repository's folder, in a folder that may be written to."""
    for entry in ROOT.iterdir():
        if entry.name not in _LEFT_OUT:
            (folder / entry.name).symlink_to(entry)
    environment = folder / ".venv"
    environment.mkdir()
    for entry in Path(sys.prefix).iterdir():
        if entry.name != ".installed":
            (environment / entry.name).symlink_to(entry)
    # The environment that runs the tests is the one that the Makefile would set up.
    (environment / ".installed").touch()
