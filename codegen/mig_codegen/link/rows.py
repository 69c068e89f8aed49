"""Are the ids of a table's rows unique, and do the rows name what exists?"""

from __future__ import annotations

from collections.abc import Iterable

from mig_codegen.link.place import Place
from mig_codegen.model import Source
from mig_codegen.problem import Problems


def check_unique(rows: Iterable[Place], key: str, problems: Problems) -> None:
    """Refuse a second row with the same value under `key`."""
    first: dict[str, Source] = {}
    for row in rows:
        name = row.text(key)
        if name in first:
            problems.add(
                row.source, f"the {key} {name!r} is also that of {first[name]}", "give one of them another"
            )
        first.setdefault(name, row.source)


def check_among(
    row: Place, key: str, values: Iterable[str], known: Iterable[str], problems: Problems
) -> None:
    """Refuse a value under `key` of the row that is not among the known ones."""
    for value in values:
        if value not in known:
            what = f"{row.text('id')} names the {key} {value!r}, which does not exist"
            problems.add(row.file.at(*row.path, key), what, f"write one of {', '.join(sorted(known))}")
