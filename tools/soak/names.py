"""The names that callers use: a few of their own, and ever new ones that they make up."""

from __future__ import annotations

import random

_TENANTS = 40
_TOPICS = 20
_CONSUMERS = 3
_CAPABILITIES = 200


class Names:
    """One caller's choices. `number` keeps what it makes up apart from what others do."""

    def __init__(self, number: int, seed: int) -> None:
        self._chance = random.Random(seed * 1_000_003 + number)
        self._number = number
        self._made = 0

    def tenant(self) -> str:
        """One of a few."""
        return f"tenant-{self._chance.randrange(_TENANTS)}"

    def topic(self) -> str:
        """One of a few of each tenant's."""
        return f"soak.topic-{self._chance.randrange(_TOPICS)}"

    def consumer(self) -> str:
        """One of a few of each topic's."""
        return f"consumer-{self._chance.randrange(_CONSUMERS)}"

    def capability(self) -> str:
        """One of those that are registered now and then."""
        return f"soak.registered-{self._chance.randrange(_CAPABILITIES)}"

    def new(self, prefix: str) -> str:
        """One that nobody has used before."""
        self._made += 1
        return f"{prefix}-{self._number}-{self._made}"

    def pick(self, cumulative: list[int]) -> int:
        """The place of a choice among weights that are added up."""
        return self._chance.choices(range(len(cumulative)), cum_weights=cumulative)[0]
