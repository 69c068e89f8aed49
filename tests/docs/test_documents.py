"""Every command in the documents is run, and answers as its document shows."""

from __future__ import annotations

import ast
import json
import subprocess
from pathlib import Path

import pytest
import yaml

from support.document_blocks import ROOT, Block, Run, blocks, steps
from support.document_reader import Reader

# examples/README.md is followed by tests/examples.
DOCUMENTS = sorted(
    path
    for pattern in (
        "*.md",
        "docs/**/*.md",
        "conformance/*.md",
        "examples/*/*.md",
        "runtime/*.md",
        "tests/*.md",
        "tools/*.md",
    )
    for path in ROOT.glob(pattern)
)

# Why the suite does not run them. Each is a target of the Makefile, and a test asks make whether it is there.
NOT_RUN = {
    "make setup": "it would install into the environment that runs the suite",
    "make test": "it is what runs the suite",
    "make check": "it takes a minute, and is a step of its own wherever the suite is",
    "make generate": "it writes into the folder of the repository; a test generates into another one",
    "make fresh": "it deletes generated/, which the suite imports",
    "make conformance": "it is a part of what runs the suite",
    "make fuzz": "it runs for minutes; the suite has a bounded part of it",
    "make bench": "it measures, which needs a quiet machine",
    "make soak": "it runs for minutes; the suite has a short one of a few thousand operations",
    "make lock": "it asks a package index",
}


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def commands(block: Block) -> list[str]:
    """The lines of a block without their comments."""
    lines = (line.partition(" #")[0].strip() for line in block.text.splitlines())
    return [line for line in lines if line]


def is_left_out(block: Block) -> bool:
    """Whether NOT_RUN has it. A block is run as a whole or not at all."""
    listed = {command in NOT_RUN for command in commands(block)}
    if len(listed) == 2:
        raise block.wrong("put the commands that are not run into a block of their own")
    return listed == {True}


FOLLOWED = [path for path in DOCUMENTS if any(block.language == "bash" for block in blocks(path))]


@pytest.mark.parametrize("path", FOLLOWED, ids=name)
def test_a_document_can_be_followed_from_top_to_bottom(path: Path, tmp_path: Path) -> None:
    with Reader(tmp_path) as reader:
        for step in steps(path):
            if not (isinstance(step, Run) and is_left_out(step.block)):
                reader.take(step)


@pytest.mark.parametrize("path", DOCUMENTS, ids=name)
def test_what_a_document_shows_of_a_language_is_valid_in_it(path: Path) -> None:
    for block in blocks(path):
        try:
            if block.language == "python":
                ast.parse(block.text)
            elif block.language == "yaml":
                yaml.safe_load(block.text)
            elif block.language == "json" and block.words == "example":
                json.loads(block.text)
        except (SyntaxError, yaml.YAMLError, ValueError) as error:
            raise block.wrong(f"not {block.language}: {error}") from error


@pytest.mark.parametrize("command", NOT_RUN)
def test_a_command_that_is_not_run_exists(command: str) -> None:
    program, target = command.split()
    assert program == "make"
    subprocess.run(["make", "-n", target], cwd=ROOT, check=True, capture_output=True)


def test_the_list_of_commands_that_are_not_run_has_no_more_than_the_documents() -> None:
    written = {line for path in DOCUMENTS for block in blocks(path) for line in commands(block)}
    assert set(NOT_RUN) <= written
