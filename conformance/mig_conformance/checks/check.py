"""A check, as its file has it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mig_conformance.drivers.port import BindingName


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """`id` is area/name. Either `steps` (see checks.steps) or `python`, "module:function" in
    mig_conformance.temporal, says what to do; `vars` are values that its steps can name.

    `needs` are features (checks.features) without which it does not apply. One that is `alone` runs when no
    other does, since it looks at the whole server. `requirements` are the ids of the rows that name it.
    """

    id: str
    title: str
    bindings: tuple[BindingName, ...]
    needs: frozenset[str]
    alone: bool
    steps: tuple[Mapping[str, Any], ...]
    python: str | None
    vars: Mapping[str, Any]
    file: str
    line: int
    requirements: tuple[str, ...] = ()

    def on(self, binding: BindingName) -> str:
        """The name of the check on one binding, as reports and patterns have it."""
        return f"{self.id}@{binding}"
