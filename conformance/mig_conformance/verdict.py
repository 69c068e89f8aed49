"""What came of one vector."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Verdict:
    """`flaws` says what is wrong, one line each; `skipped` why it could not be tried. Neither: it passed."""

    message: str
    row: str
    flaws: tuple[str, ...] = ()
    skipped: str = ""

    def __str__(self) -> str:
        if self.flaws:
            return f"FAILED {self.message}, {self.row}: {'; '.join(self.flaws)}"
        return f"{'skipped' if self.skipped else 'passed'} {self.message}, {self.row}" + (
            f": {self.skipped}" if self.skipped else ""
        )


def failed(verdicts: list[Verdict]) -> list[Verdict]:
    """Those with flaws."""
    return [verdict for verdict in verdicts if verdict.flaws]
