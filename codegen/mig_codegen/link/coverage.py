"""Has every requirement a check on each of its bindings, or a reason, and every check a requirement?"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Mapping, Sequence

from mig_codegen.link.checks import Check
from mig_codegen.link.place import Place
from mig_codegen.load.tree import CASES
from mig_codegen.problem import Problems

_OPTIONAL = "MAY"  # what a server may leave out needs no check


def check_coverage(rows: Sequence[Place], checks: Iterable[Check], problems: Problems) -> None:
    """Refuse a requirement that nothing covers or explains, and a check that covers no requirement."""
    known = {check.id: check for check in checks}
    for row in rows:
        if "checks" in row.value:
            _check_checks(row, known, problems)
        elif "excluded" not in row.value and row.text("level") != _OPTIONAL:
            what = f"{row.text('id')} is a {row.text('level')} that no check covers"
            todo = 'add checks: [area/name], or say why there can be none: excluded: "reason"'
            problems.add(row.source, what, todo)
    named = {place.value for row in rows for place in row.members("checks")}
    for check in known.values():
        if check.id not in named:
            what = f"no requirement names the check {check.id}"
            problems.add(check.source, what, "add it to the row of spec/requirements that it covers")


def _check_checks(row: Place, known: Mapping[str, Check], problems: Problems) -> None:
    """Refuse checks that do not exist or judge another binding; if there is none, bindings without any."""
    covering = []
    for name in row.members("checks"):
        check = known.get(name.value)
        if check is None:
            what = f"{row.text('id')} names the check {name.value!r}, which does not exist"
            file = posixpath.join(CASES, f"{name.value.partition('/')[0]}.yaml")
            problems.add(name.source, what, f"correct the name, or add the case to {file}")
        elif not any(check.covers(binding) for binding in row.value["bindings"]):
            what = f"{row.text('id')} names the check {name.value!r}, which runs on none of its bindings"
            problems.add(name.source, what, "remove it, or correct the bindings of one of the two")
        else:
            covering.append(check)
    if len(covering) == len(row.value["checks"]):
        _check_bindings(row, covering, problems)


def _check_bindings(row: Place, covering: Sequence[Check], problems: Problems) -> None:
    for binding in row.value["bindings"]:
        if row.get("unchecked", binding) is None and not any(check.covers(binding) for check in covering):
            what = f"none of the checks of {row.text('id')} runs on {binding}"
            todo = f'add one that does, or say why there is none: unchecked: {{{binding}: "reason"}}'
            problems.add(row.file.at(*row.path, "bindings"), what, todo)
    for reason in row.members("unchecked"):
        if reason.key not in row.value["bindings"]:
            what = f"{row.text('id')} explains why {reason.key} is unchecked, which is none of its bindings"
            problems.add(reason.source, what, "remove the reason")
        for check in covering:
            if check.covers(reason.key):
                what = f"{row.text('id')} explains why {reason.key} is unchecked, and {check.id} checks it"
                problems.add(reason.source, what, "remove the reason")
