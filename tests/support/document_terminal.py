"""The terminals of somebody who follows a document."""

from __future__ import annotations

import codecs
import os
import re
import signal
import subprocess
import threading
import time
from pathlib import Path

PATIENCE_S = 40.0


class Terminal:
    """One command that goes on, in a process group of its own; what it prints is collected meanwhile."""

    def __init__(self, command: list[str], cwd: Path, environ: dict[str, str]) -> None:
        self._process = subprocess.Popen(
            command,
            cwd=cwd,
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        self._printed = ""
        self._read_to = 0
        self._ended = False
        self._changed = threading.Condition()
        self._reader = threading.Thread(target=self._collect, daemon=True)
        self._reader.start()

    @property
    def ended(self) -> bool:
        return self._ended

    @property
    def status(self) -> int:
        """The exit status of a command that has ended."""
        return self._process.wait(PATIENCE_S)

    @property
    def unread(self) -> str:
        """What it has printed since the last `read` or `rest`."""
        return self._printed[self._read_to :]

    def seen(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        """The pattern anywhere in what is printed, once it is there; None when the command ends without."""
        with self._changed:
            self._changed.wait_for(lambda: self._ended or pattern.search(self._printed), PATIENCE_S)
            return pattern.search(self._printed)

    def read(self, pattern: re.Pattern[str]) -> bool:
        """Whether what is printed next begins with the pattern, once it does or can not any more."""
        with self._changed:
            self._changed.wait_for(lambda: self._ended or pattern.match(self.unread), PATIENCE_S)
            found = pattern.match(self.unread)
            if found:
                self._read_to += found.end()
            return found is not None

    def rest(self) -> str | None:
        """What it prints until its end; None when it does not end."""
        with self._changed:
            self._changed.wait_for(lambda: self._ended, PATIENCE_S)
            if not self._ended:
                return None
            found, self._read_to = self.unread, len(self._printed)
            return found

    def interrupt(self) -> bool:
        """Ctrl-C. Whether it ended of that, in time."""
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGINT)
        deadline = time.monotonic() + PATIENCE_S
        try:
            self._process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            return False
        finally:
            self._reader.join(max(0.0, deadline - time.monotonic()))
        return True

    def _collect(self) -> None:
        assert self._process.stdout is not None
        decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        with self._process.stdout as stream:
            while chunk := os.read(stream.fileno(), 65536):
                with self._changed:
                    self._printed += decoder.decode(chunk).replace("\r", "")
                    self._changed.notify_all()
        with self._changed:
            self._ended = True
            self._changed.notify_all()
