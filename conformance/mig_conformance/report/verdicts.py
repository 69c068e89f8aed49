"""Is the server what it declares to be?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mig_conformance.checks.features import with_included
from mig_conformance.report.model import ProfileVerdict, Row, VerdictKind
from mig_protocol.operations import PROFILES


def verdicts(rows: Sequence[Row], declared: frozenset[str]) -> Iterator[ProfileVerdict]:
    """One for each profile. A profile has its own requirements and those of the profiles in it.

    A requirement that fails makes it not conformant, expected or not; only one of level SHOULD or MAY may be
    departed from knowingly, by --known-failing. One that could not be judged leaves it partly checked.
    """
    held = with_included(declared)
    for profile in PROFILES:
        included = with_included({profile.id})
        yield _verdict(profile.id, [row for row in rows if row.profile in included], profile.id in held)


def _verdict(profile: str, rows: Sequence[Row], declared: bool) -> ProfileVerdict:
    def count(*states: str) -> int:
        return sum(row.state in states for row in rows)

    failing = [row for row in rows if row.state == "failed" or (row.state == "known" and "MUST" in row.level)]
    return ProfileVerdict(
        profile=profile,
        verdict=_kind(declared, bool(failing), count("passed", "known"), count("unchecked")),
        judged=count("passed", "failed", "known"),
        failed=count("failed"),
        known=count("known"),
        unchecked=count("unchecked"),
    )


def _kind(declared: bool, failing: bool, right: int, unchecked: int) -> VerdictKind:
    if not declared:
        return "not declared"
    if failing:
        return "not conformant"
    if not right:
        return "not checked"
    return "partly checked" if unchecked else "conformant"
