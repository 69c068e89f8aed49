"""A Markdown document as the steps that its reader takes.

| fence | what it is |
|---|---|
| `bash` | a command that ends with status 0 |
| `bash fails` | a command that ends with another status |
| `bash server` | a gateway in a terminal of its own, until the next one or the end of the document |
| `bash background` | a command that goes on in a second terminal |
| `json`, `text` | as the next fence: the answer of the command before it |
| `json background`, `text background` | what the command in the second terminal has printed since |
| `json example`, `text example` | no answer of anything |
| any other language with `file=NAME` | saved under that name |
| any other language | to be read only |
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
_FENCE = re.compile(r"(?P<indent> *)(?P<ticks>`{3,})(?P<info>[^`]*)$")
_ANSWERS = ("json", "text")
_COMMAND_WORDS = ("", "fails", "server", "background")


class DocumentError(AssertionError):
    """The document is not as its rules want it, or does not do what it says. Begins with file and line."""


@dataclass(frozen=True, slots=True)
class Block:
    """One fenced block. `words` is what follows the language in the info string."""

    path: Path
    line: int
    language: str
    words: str
    text: str

    def wrong(self, message: str) -> DocumentError:
        where = self.path.relative_to(ROOT) if self.path.is_relative_to(ROOT) else self.path
        return DocumentError(f"{where}:{self.line}: {message}")


@dataclass(frozen=True, slots=True)
class Run:
    """A command that ends."""

    block: Block
    answer: Block | None = None

    @property
    def fails(self) -> bool:
        return self.block.words == "fails"


@dataclass(frozen=True, slots=True)
class Serve:
    """A gateway to start in place of the one that runs."""

    block: Block
    answer: Block | None = None


@dataclass(frozen=True, slots=True)
class Background:
    """A command to start in the second terminal, in place of the one that runs there."""

    block: Block
    answer: Block | None = None


@dataclass(frozen=True, slots=True)
class Printed:
    """What the second terminal shows by now."""

    block: Block


@dataclass(frozen=True, slots=True)
class Save:
    """A file to write."""

    block: Block
    name: str


Step = Run | Serve | Background | Printed | Save


def blocks(path: Path) -> list[Block]:
    """Every fenced block of the document, in order. Raises DocumentError for one that is not closed."""
    found: list[Block] = []
    numbered = enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
    for number, line in numbered:
        if opening := _FENCE.match(line):
            language, _, words = opening["info"].strip().partition(" ")
            text = _until_closed(path, number, opening, numbered)
            found.append(Block(path, number, language, words.strip(), text))
    return found


def steps(path: Path) -> list[Step]:
    """What a reader of the document does, in order. Raises DocumentError where its rules are broken."""
    found: list[Step] = []
    open_for_answer = False
    for block in blocks(path):
        if block.language == "bash":
            found.append(_command(block))
        elif block.language in _ANSWERS and block.words == "background":
            found.append(Printed(block))
        elif block.language in _ANSWERS and block.words == "":
            if not open_for_answer:
                raise block.wrong("an answer without a command before it; say `example` if it is none")
            found[-1] = _answered(found[-1], block)
        elif block.words.startswith("file="):
            found.append(Save(block, block.words.removeprefix("file=")))
        elif block.language in ("", "sh", "shell", "console"):
            raise block.wrong("commands stand in ```bash; everything else names its language")
        open_for_answer = block.language == "bash"
    return found


def _until_closed(
    path: Path, number: int, opening: re.Match[str], numbered: Iterator[tuple[int, str]]
) -> str:
    lines: list[str] = []
    for _, line in numbered:
        if line.strip() == opening["ticks"]:
            return "\n".join(lines) + "\n"
        lines.append(line.removeprefix(opening["indent"]))
    raise DocumentError(f"{path}:{number}: the block is not closed")


def _command(block: Block) -> Step:
    if block.words not in _COMMAND_WORDS:
        raise block.wrong(f"`bash {block.words}`: only {', '.join(_COMMAND_WORDS[1:])} may follow bash")
    if block.words == "server":
        return Serve(block)
    return Background(block) if block.words == "background" else Run(block)


def _answered(step: Step, answer: Block) -> Step:
    if isinstance(step, Serve):
        return Serve(step.block, answer)
    return Background(step.block, answer) if isinstance(step, Background) else Run(step.block, answer)
