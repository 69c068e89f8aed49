"""Settings of the gateway in its migd.yaml: the top-level `settings`."""

from __future__ import annotations

import difflib
from collections.abc import Mapping

import yaml

from migd.manifest.document import Place
from migd.setting_rows import PREFIX, SETTINGS, Setting
from migd.setting_sources import Given

_BY_KEY = {row.field: row for row in SETTINGS}


def read_settings(place: Place | None) -> Mapping[str, Given]:
    """Those that the file sets, by variable; what they say can be used. Raises ManifestError."""
    found: dict[str, Given] = {}
    for key, entry in (place.entries() if place is not None else {}).items():
        row = _row(key, entry)
        found[row.variable] = _given(row, entry)
    return found


def _row(key: str, entry: Place) -> Setting:
    row = _BY_KEY.get(key)
    if row is None:
        plain = key.lower().replace("-", "_").removeprefix(PREFIX.lower())
        close = difflib.get_close_matches(plain, _BY_KEY, n=1)
        hint = f'did you mean "{close[0]}"?' if close else "`migd config show` lists those there are"
        raise entry.wrong(f"is not a setting; {hint}")
    if not row.in_file:
        raise entry.wrong(f"a file can not say which file is read: use {row.flag} or {row.variable}")
    return row


def _given(row: Setting, entry: Place) -> Given:
    text = _text(row, entry)
    if text:
        _check(row, entry, text)
        if row.kind.placed is not None:
            text = row.kind.placed(entry.file.parent, text)
    return Given(text=text, source="migd.yaml", name=entry.path, line=entry.line)


def _check(row: Setting, entry: Place, text: str) -> None:
    try:
        row.kind.parse(text)
    except ValueError:
        shown = "" if row.secret or row.kind.shown else f"{entry.written!r} "
        raise entry.wrong(f"{shown}is not usable: expected {row.kind.allowed}") from None


def _text(row: Setting, entry: Place) -> str:
    """As the environment would have it: numbers and flags as they are written, a list with commas."""
    if isinstance(entry.node, yaml.SequenceNode) and row.kind.listed:
        return ",".join(_scalar(row, item) for item in entry.items())
    return _scalar(row, entry)


def _scalar(row: Setting, entry: Place) -> str:
    if not isinstance(entry.node, yaml.ScalarNode):
        raise entry.wrong(f"expected {row.kind.allowed}, found {entry.kind}")
    if entry.kind == "a string":
        return entry.text().strip()
    return "" if entry.kind == "nothing" else entry.written
