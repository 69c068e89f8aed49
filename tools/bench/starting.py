"""How long one waits: for migd to be ready, and for `make generate`."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from tools.bench import processes
from tools.bench.report import Figure


def measure_start(*, quick: bool) -> Iterator[Figure]:
    """From the process's start to the line that says it is ready."""
    seconds = []
    for _ in range(3 if quick else 9):
        with processes.migd() as server:
            seconds.append(server.started_in_s)
    yield Figure(
        name="start to ready",
        value=median(seconds),
        unit="s",
        most=1.0,
        note=f"from {min(seconds):.2f} to {max(seconds):.2f} s",
    )


def measure_generate(*, quick: bool) -> Iterator[Figure]:
    """What `make generate` runs, written beside the repository instead of into it."""
    seconds = []
    for _ in range(1 if quick else 3):
        with tempfile.TemporaryDirectory(prefix="migd-bench-") as folder:
            seconds.append(_generate(Path(folder)))
    yield Figure(name="make generate", value=median(seconds), unit="s", most=20.0)


def _generate(folder: Path) -> float:
    spec = folder / "spec"
    subprocess.run(["cp", "-r", str(processes.ROOT / "spec"), str(spec)], check=True)
    command = [
        sys.executable,
        "-m",
        "mig_codegen",
        "generate",
        "--spec",
        str(spec),
        "--out",
        str(folder / "out"),
    ]
    began = time.perf_counter()
    subprocess.run(command, check=True, cwd=processes.ROOT, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began
