"""A mutant, as its file has it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from mig_conformance.drivers.port import BindingName
from mig_conformance.subject.subject import AuthMode

At = Literal["request", "answer", "event", "comment", "frame_in", "frame_out", "mirror", "hangup"]
STAGES: frozenset[str] = frozenset(get_args(At))


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What is changed, and where.

    `at` is the stage. A frame is a request or an answer, too: of INVOKE, or of CANCEL where its kind is
    control. `of` are operations, or globs over paths, subjects and full names of RPCs; empty means any.
    `when` has patterns by the place that they are about: "/pointer" into the message, "request./pointer" into
    what it answers, "status", "fields.NAME". `nth` counts what matches on one connection, one subscription,
    or else in one run of a check. `do` are the edits (selfproof.edits) in their order: name, argument.
    """

    at: At
    of: tuple[str, ...] = ()
    when: Mapping[str, Any] = field(default_factory=dict)
    nth: int | None = None
    do: tuple[tuple[str, Any], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutant:
    """One way to break the requirement `breaks`; each check of `killed_by` has to be red on every one of
    `bindings` that it runs on. `changes` are made on the wire to a server in the auth mode `mode`, or else a
    server is started with `env` besides its own variables.
    """

    id: str
    title: str
    breaks: str
    killed_by: tuple[str, ...]
    mode: AuthMode
    bindings: tuple[BindingName, ...]
    changes: tuple[Change, ...]
    env: Mapping[str, str]
    file: str
    line: int
