"""A report: plain values, the same in memory and as JSON (report.schema.json)."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

FORMAT = 1

State = Literal["passed", "failed", "known", "unchecked", "not applicable", "excluded"]
VerdictKind = Literal["conformant", "partly checked", "not checked", "not conformant", "not declared"]
OutcomeName = Literal["passed", "failed", "known", "unexpected", "unchecked", "not_applicable", "broken"]


class Suite(Struct, frozen=True, kw_only=True):
    """What judged, and by which revision of the protocol."""

    version: str
    mig_version: str
    spec_hash: Annotated[str, Meta(description="SHA-256 over the files of spec/ that define the protocol.")]


class Implementation(Struct, frozen=True, kw_only=True):
    """What was judged, as its manifest has it. URLs are without credentials."""

    name: str
    version: str
    contact: str
    endpoints: Annotated[dict[str, str], Meta(description="Addresses by http, grpc, nats.")]
    auth: Literal["none", "jwt"]
    profiles: Annotated[tuple[str, ...], Meta(description="Those that it declares.")]
    features: Annotated[tuple[str, ...], Meta(description="Those that it declares.")]


class Selection(Struct, frozen=True, kw_only=True):
    """What was asked of the suite."""

    bindings: Annotated[tuple[str, ...], Meta(description="Those that were judged.")]
    only: Annotated[tuple[str, ...], Meta(description="Patterns; without any, everything that applies.")]
    known_failing: Annotated[tuple[str, ...], Meta(description="Patterns of checks that may fail.")]


class ProfileVerdict(Struct, frozen=True, kw_only=True):
    """`failed`, `known`, `unchecked` and `judged` count requirements of the profile and of those in it."""

    profile: str
    verdict: VerdictKind
    judged: int
    failed: int
    known: int
    unchecked: int


class Cell(Struct, frozen=True, kw_only=True):
    """A requirement on one binding; `why` says it for all but passed."""

    state: State
    why: str = ""


class Row(Struct, frozen=True, kw_only=True):
    """A requirement. `section` is where in the protocol it comes from."""

    id: str
    level: str
    text: str
    section: str
    profile: str
    state: Annotated[State, Meta(description="Of all bindings together: the worst.")]
    cells: Annotated[dict[str, Cell], Meta(description="By binding; SSE counts as http.")]


class Exchange(Struct, frozen=True, kw_only=True):
    """One thing that went over the wire."""

    way: Literal["sent", "received"]
    what: str
    text: str


class Judged(Struct, frozen=True, kw_only=True):
    """A check on one binding. `expected` and `exchanges` are there where it failed, `again` too: the command
    that runs just it.
    """

    name: str
    check: str
    binding: str
    title: str
    requirements: tuple[str, ...]
    outcome: OutcomeName
    why: str
    seconds: float
    expected: str = ""
    again: str = ""
    exchanges: tuple[Exchange, ...] = ()


class Report(Struct, frozen=True, kw_only=True):
    """`began` is RFC 3339 in UTC. `profiles` is empty where patterns selected a part of the checks."""

    format: Annotated[int, Meta(description="1: the version of this form.")]
    suite: Suite
    implementation: Implementation
    selection: Selection
    began: str
    seconds: float
    totals: Annotated[dict[str, int], Meta(description="How many checks ended how.")]
    profiles: tuple[ProfileVerdict, ...]
    requirements: tuple[Row, ...]
    checks: tuple[Judged, ...]
