"""Every command of examples/README.md, and the answer it promises."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from support.curl import read_curl

from .conftest import ROOT, Started, without_changing

_BLOCKS = re.compile(r"^```(sh|json|jsonl)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_ADDRESS = "http://127.0.0.1:8080"


def documented(path: Path) -> list[tuple[str, str, str]]:
    """(command, kind of answer, answer) for each command, in order."""
    blocks = _BLOCKS.findall(path.read_text(encoding="utf-8"))
    commands = [index for index, (kind, _) in enumerate(blocks) if kind == "sh"]
    assert [blocks[index + 1][0] != "sh" for index in commands] == [True] * len(commands)
    assert len(blocks) == 2 * len(commands)
    return [(blocks[index][1], *blocks[index + 1]) for index in commands]


COMMANDS = documented(ROOT / "examples" / "README.md")


def run(command: str, url: str) -> list[Any]:
    """The JSON values that the command prints."""
    if command.startswith("curl"):
        _, text = read_curl(command.replace(_ADDRESS, url)).send()
        return [json.loads(text)]
    python, *words = shlex.split(command.replace("\\\n", " "))
    assert python == ".venv/bin/python"
    finished = subprocess.run(
        [sys.executable, *words, "--url", url.replace("http", "ws", 1)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return [json.loads(line) for line in finished.stdout.splitlines()]


def approximately(value: Any) -> Any:
    """The value with room in its probabilities for another machine's arithmetic."""
    if isinstance(value, dict):
        return {key: approximately(item) for key, item in value.items()}
    if isinstance(value, list):
        return [approximately(item) for item in value]
    return pytest.approx(value, abs=0.001) if isinstance(value, float) else value


@pytest.mark.parametrize(("command", "kind", "answer"), COMMANDS, ids=range(1, len(COMMANDS) + 1))
def test_a_command_of_the_readme_gives_the_answer_of_the_readme(
    started: Started, command: str, kind: str, answer: str
) -> None:
    expected = [json.loads(line) for line in (answer.splitlines() if kind == "jsonl" else [answer])]
    found = run(command, started.url)
    assert [without_changing(each) for each in found] == [
        approximately(without_changing(each)) for each in expected
    ]


def test_the_readme_has_commands() -> None:
    assert len(COMMANDS) >= 5
