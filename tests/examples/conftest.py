"""The examples as a reader runs them: processes of their own, on free ports."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
_READY = re.compile(r"ready on (http://\S+)")


@dataclass(slots=True)
class Started:
    """A running `examples/run.py`."""

    process: subprocess.Popen[str]
    url: str


def start_run(*arguments: str, **environ: str) -> subprocess.Popen[str]:
    inherited = {
        name: value for name, value in os.environ.items() if not name.startswith(("MIGD_", "MARKDOWN_"))
    }
    return subprocess.Popen(
        [sys.executable, str(ROOT / "examples" / "run.py"), *arguments],
        cwd=ROOT,
        env={**inherited, "MIGD_STORE": "memory", **environ},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.fixture(scope="session")
def started() -> Iterator[Started]:
    """migd with examples/migd.yaml and the Markdown service behind it, for every test of the folder."""
    process = start_run("--addr", "127.0.0.1:0")
    assert process.stdout is not None
    assert process.stderr is not None
    said: list[str] = []
    for line in process.stdout:
        said.append(line)
        if found := _READY.search(line):
            # Read on, or the pipes would fill.
            readers = [
                threading.Thread(target=pipe.read, daemon=True) for pipe in (process.stdout, process.stderr)
            ]
            for reader in readers:
                reader.start()
            yield Started(process, found[1])
            break
    else:
        pytest.fail(f"the examples did not start: {said} {process.stderr.read()}")
    process.send_signal(signal.SIGTERM)
    process.wait(30)
    for reader in readers:
        reader.join()
    process.stdout.close()
    process.stderr.close()


@pytest.fixture(scope="session")
def markdown_service() -> Iterator[str]:
    """The Markdown service by itself; its URL."""
    process = subprocess.Popen(
        [sys.executable, str(ROOT / "examples" / "markdown_service.py"), "--port", "0"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        assert process.stdout is not None
        yield process.stdout.readline().strip()
        process.terminate()
