"""One row of the table of what callers do."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from tools.soak.caller import Caller
from tools.soak.names import Names

REFERENCE = "observatory.models.infer"
# As server/waiting_capability.py has it.
WAITING = "soak.wait"

Act = Callable[[Caller, Names], Awaitable[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """`act` does it once and says how it ended; `ran` are the ends that the gateway counts as usage.

    `weight` is how often it is done among others, `filling` how often while the bounds are still to be met.
    """

    name: str
    act: Act
    weight: int
    expected: frozenset[str]
    filling: int = 0
    ran: frozenset[str] = frozenset()


def kind(name: str, act: Act, weight: int, *expected: str, filling: int = 0, ran: str = "") -> Kind:
    return Kind(
        name=name,
        act=act,
        weight=weight,
        filling=filling,
        expected=frozenset(expected),
        ran=frozenset({ran} - {""}),
    )
