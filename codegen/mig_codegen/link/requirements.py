"""Is every MUST of the spec a numbered requirement, and every number cited one that exists?"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from mig_codegen.link.place import Place
from mig_codegen.link.rows import check_unique
from mig_codegen.load import Spec
from mig_codegen.model import Profile, Requirement, Source
from mig_codegen.problem import Problems

BINDINGS = ("http", "websocket", "grpc", "nats", "mcp")

_MUST = re.compile(r"\bMUST\b")
_CITATION = re.compile(r"\[(MIG-[A-Z0-9-]+)\]")
_PROSE = frozenset({"description", "summary", "title"})


def link_requirements(spec: Spec, profiles: Iterable[Profile], problems: Problems) -> tuple[Requirement, ...]:
    """Every requirement row, in the order of files and rows."""
    rows = [row for file in spec.folder("requirements") for row in Place.root(file).members("requirements")]
    known = {profile.id for profile in profiles}
    check_unique(rows, "id", problems)
    for row in rows:
        _check_among(row, "profile", [row.text("profile")], known, problems)
        _check_among(row, "bindings", row.value["bindings"], set(BINDINGS), problems)
    return tuple(_requirement(row) for row in rows)


def _check_among(row: Place, key: str, values: list[str], known: set[str], problems: Problems) -> None:
    for value in values:
        if value not in known:
            what = f"{row.text('id')} names the {key} {value!r}, which does not exist"
            problems.add(row.file.at(*row.path, key), what, f"write one of {', '.join(sorted(known))}")


def _requirement(row: Place) -> Requirement:
    return Requirement(
        id=row.text("id"),
        level=row.text("level"),
        text=row.text("text"),
        section=row.text("source"),
        profile=row.text("profile"),
        bindings=tuple(row.value["bindings"]),
        source=row.source,
    )


def check_citations(spec: Spec, requirements: Iterable[Requirement], problems: Problems) -> None:
    """Refuse a MUST without the id of its row behind it, and an id without a row."""
    known = {row.id for row in requirements}
    for source, text in _prose(spec):
        cited = _CITATION.findall(text)
        if _MUST.search(text) and not cited:
            what = "a MUST without its requirement"
            problems.add(source, what, "cite the row of spec/requirements as [MIG-XXX-000], or add one")
        for name in cited:
            if name not in known:
                what = f"[{name}] is cited and has no row in spec/requirements"
                problems.add(source, what, "add the row or cite another")


def _prose(spec: Spec) -> Iterator[tuple[Source, str]]:
    for proto in spec.protos:
        for path, text in proto.comments.items():
            yield proto.at(*path), text
    for file in spec.files:
        if file.name.startswith(("spec/requirements/", "spec/vectors/")):
            continue
        for place in Place.root(file).everything():
            if place.key in _PROSE and isinstance(place.value, str):
                yield place.source, place.value
