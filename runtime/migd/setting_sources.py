"""Who says what a setting is: the command line, the environment, the migd.yaml, or nobody."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from migd.setting_rows import SETTINGS, Setting

Source = Literal["flag", "environment", "migd.yaml", "default"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """The text of a setting, and who says it. `name` is what a message calls the setting by; `line` is that
    of a migd.yaml, 0 elsewhere.
    """

    text: str = field(repr=False)
    source: Source
    name: str
    line: int = 0


def given_settings(
    environ: Mapping[str, str], flags: Mapping[str, str], declared: Mapping[str, Given]
) -> Mapping[str, Given]:
    """Every setting by its variable, from the first that says something: `flags`, `environ`, then `declared`,
    which is what a migd.yaml says. All three are by variable. An empty text is as none.
    """
    return {
        row.variable: next(
            (given for given in _in_order(row, environ, flags, declared) if given.text),
            Given(text=row.default, source="default", name=row.variable),
        )
        for row in SETTINGS
    }


def _in_order(
    row: Setting, environ: Mapping[str, str], flags: Mapping[str, str], declared: Mapping[str, Given]
) -> Iterator[Given]:
    yield Given(text=flags.get(row.variable, "").strip(), source="flag", name=row.flag)
    yield Given(text=environ.get(row.variable, "").strip(), source="environment", name=row.variable)
    if row.variable in declared:
        yield declared[row.variable]
