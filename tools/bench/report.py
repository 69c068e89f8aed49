"""One measured figure beside what it is measured against."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """`value` in `unit`. Judged by the budget is `value`, or `value / floor` where there is a floor; `most`
    and `least` are the budget, None where there is none on that side. `note` is what else was seen.
    """

    name: str
    value: float
    unit: str
    floor: float | None = None
    least: float | None = None
    most: float | None = None
    note: str = ""

    @property
    def ratio(self) -> float | None:
        return None if self.floor is None else self.value / self.floor

    @property
    def within(self) -> bool:
        """Whether the budget holds; a figure without a budget is always within."""
        judged = self.value if self.ratio is None else self.ratio
        return (self.least is None or judged >= self.least) and (self.most is None or judged <= self.most)


_COLUMNS = ("figure", "", "floor", "ratio", "budget", "verdict")
_ROW = "{:<34} {:>12} {:<12} {:>10} {:>6}  {:<10} {}"


def heading() -> str:
    """The first line of the table."""
    return _ROW.format("measured", *_COLUMNS)


def line(figure: Figure) -> str:
    """One line of the table, and a second with the note."""
    ratio = figure.ratio
    row = _ROW.format(
        figure.name,
        _number(figure.value),
        figure.unit,
        "" if figure.floor is None else _number(figure.floor),
        "" if ratio is None else f"{ratio:.2f}",
        _budget(figure),
        _verdict(figure),
    ).rstrip()
    return f"{row}\n    {figure.note}" if figure.note else row


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def _budget(figure: Figure) -> str:
    if figure.least is not None:
        return f">= {_number(figure.least)}"
    return "" if figure.most is None else f"<= {_number(figure.most)}"


def _verdict(figure: Figure) -> str:
    if figure.least is None and figure.most is None:
        return "-"
    return "within" if figure.within else "MISSED"
