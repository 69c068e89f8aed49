"""Which checks does the conformance suite have, and on which bindings?"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from dataclasses import dataclass

from mig_codegen.link.place import Place
from mig_codegen.link.rows import check_among, check_unique
from mig_codegen.load import SourceFile, Spec
from mig_codegen.model import Source
from mig_codegen.problem import Problems

BINDINGS = ("http", "sse", "websocket", "grpc", "nats")


@dataclass(frozen=True, kw_only=True)
class Check:
    """One case of the suite. `id` is "area/name"."""

    id: str
    bindings: tuple[str, ...]
    source: Source

    def covers(self, binding: str) -> bool:
        """Whether it judges this binding of a requirement, which counts Server-Sent Events to HTTP."""
        return binding in self.bindings or (binding == "http" and "sse" in self.bindings)


def link_checks(spec: Spec, problems: Problems) -> tuple[Check, ...]:
    """Every check, in the order of files and cases."""
    for file in spec.cases:
        _check_area(file, problems)
    return tuple(check for file in spec.cases for check in _checks(file, problems))


def _check_area(file: SourceFile, problems: Problems) -> None:
    area = file.value["area"]
    if posixpath.basename(file.name) != f"{area}.yaml":
        what = f"the area {area!r} does not go with the file name"
        problems.add(file.at("area"), what, f"name the file {area}.yaml")


def _checks(file: SourceFile, problems: Problems) -> Iterator[Check]:
    cases = list(Place.root(file).members("cases"))
    check_unique(cases, "id", problems)
    for case in cases:
        check_among(case, "bindings", case.value["bindings"], BINDINGS, problems)
        yield Check(
            id=f"{file.value['area']}/{case.text('id')}",
            bindings=tuple(case.value["bindings"]),
            source=case.source,
        )
