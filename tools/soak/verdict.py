"""What the server looked like before, between and after, and whether that is as it should be."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tools.soak.work import Tally

_MB = 1e6


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """The server's memory (bytes), open files and threads at one moment."""

    rss: int
    files: int
    threads: int

    def __str__(self) -> str:
        return f"{self.rss / _MB:.1f} MB, {self.files} files, {self.threads} threads"


@dataclass(frozen=True, slots=True, kw_only=True)
class Life:
    """One run, and the server before anyone came (`idle`), with its bounds met (`warm`), when all was done
    (`full`) and without anyone again (`left`). `wanted` operations were to be done; `usage` is what the
    gateway says has run.
    """

    tally: Tally
    wanted: int
    idle: Reading
    warm: Reading
    full: Reading
    left: Reading
    usage: dict[str, int]
    most_growth_mb: float

    @property
    def growth_mb(self) -> float:
        """What was added after the warm-up."""
        return (self.full.rss - self.warm.rss) / _MB

    def faults(self) -> Iterator[str]:
        """One line for each thing that is not as it should be."""
        for what, number in self.tally.unexpected.most_common(20):
            yield f"{number} unexpected: {what}"
        if self.tally.operations < self.wanted:
            yield f"only {self.tally.operations:,} of {self.wanted:,} operations were done"
        if self.growth_mb > self.most_growth_mb:
            yield f"memory grew by {self.growth_mb:.1f} MB after the warm-up, not {self.most_growth_mb:g}"
        if self.left.files > self.idle.files:
            yield f"{self.left.files - self.idle.files} files more are open than before anyone came"
        if self.left.threads > self.warm.threads:
            yield f"{self.left.threads - self.warm.threads} threads more are there than after the warm-up"
        if set(self.usage.values()) != {self.tally.ran}:
            yield f"{self.tally.ran:,} invocations ran, and the usage says {self.usage}"
