"""Is every MUST of the spec a numbered requirement, and every number cited one that exists?"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from mig_codegen.link.place import Place
from mig_codegen.link.rows import check_among, check_unique
from mig_codegen.load import Spec
from mig_codegen.model import Profile, Requirement, Source
from mig_codegen.problem import Problems

BINDINGS = ("http", "websocket", "grpc", "nats", "mcp")

_MUST = re.compile(r"\bMUST\b")
_CITATION = re.compile(r"\[(MIG-[A-Z0-9-]+)\]")
_PROSE = frozenset({"description", "summary", "title"})


def requirement_rows(spec: Spec) -> tuple[Place, ...]:
    """The rows as written, in the order of files and rows."""
    return tuple(
        row for file in spec.folder("requirements") for row in Place.root(file).members("requirements")
    )


def link_requirements(spec: Spec, profiles: Iterable[Profile], problems: Problems) -> tuple[Requirement, ...]:
    """Every requirement row, in the order of files and rows."""
    rows = requirement_rows(spec)
    known = {profile.id for profile in profiles}
    check_unique(rows, "id", problems)
    for row in rows:
        check_among(row, "profile", [row.text("profile")], known, problems)
        check_among(row, "bindings", row.value["bindings"], BINDINGS, problems)
        _check_one_story(row, problems)
    return tuple(_requirement(row) for row in rows)


def _check_one_story(row: Place, problems: Problems) -> None:
    """Refuse a row that is both checked and excluded, and reasons that belong to checks it does not have."""
    if "excluded" in row.value and "checks" in row.value:
        what = f"{row.text('id')} names checks and is excluded"
        problems.add(row.file.at(*row.path, "excluded"), what, "keep one of the two")
    if "unchecked" in row.value and "checks" not in row.value:
        what = f"{row.text('id')} has unchecked bindings and no checks"
        todo = "name the checks of its other bindings, or write the reason as excluded"
        problems.add(row.file.at(*row.path, "unchecked"), what, todo)


def _requirement(row: Place) -> Requirement:
    return Requirement(
        id=row.text("id"),
        level=row.text("level"),
        text=row.text("text"),
        section=row.text("source"),
        profile=row.text("profile"),
        bindings=tuple(row.value["bindings"]),
        checks=tuple(row.value.get("checks", ())),
        excluded=row.value.get("excluded"),
        unchecked=row.value.get("unchecked", {}),
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
