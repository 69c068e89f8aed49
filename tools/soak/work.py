"""Many callers at a time, each doing one operation after another."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from itertools import accumulate

from tools.bench.processes import Server
from tools.soak.caller import Caller
from tools.soak.kind import Kind
from tools.soak.kinds import KINDS
from tools.soak.names import Names

_ANSWER_S = 60.0


class Tally:
    """What was done and how it ended."""

    def __init__(self) -> None:
        self.outcomes: Counter[tuple[str, str]] = Counter()
        self.unexpected: Counter[str] = Counter()
        self.ran = 0

    @property
    def operations(self) -> int:
        return self.outcomes.total()

    def add(self, kind: Kind, outcome: str) -> None:
        self.ran += outcome in kind.ran
        if outcome in kind.expected:
            self.outcomes[kind.name, outcome] += 1
        else:
            self.outcomes[kind.name, "unexpected"] += 1
            self.unexpected[f"{kind.name}: {outcome[:200]}"] += 1


class Crew:
    """Callers that keep their connections from one phase to the next. Use as an async context manager."""

    def __init__(self, server: Server, size: int, seed: int, tally: Tally) -> None:
        self._members = [
            (Caller(server.port, server.grpc_port), Names(number, seed)) for number in range(size)
        ]
        self._tally = tally

    async def __aenter__(self) -> Crew:
        for caller, _ in self._members:
            await caller.__aenter__()
        return self

    async def __aexit__(self, *_: object) -> None:
        for member in self._members:
            await member[0].__aexit__()

    async def work(self, operations: int, *, filling: bool, until: float) -> None:
        """So many operations in all; fewer when the loop's clock says `until` before."""
        weights = list(accumulate(kind.filling if filling else kind.weight for kind in KINDS))
        left = iter(range(operations))
        async with asyncio.TaskGroup() as tasks:
            for caller, names in self._members:
                tasks.create_task(self._one_after_another(caller, names, weights, left, until))

    async def _one_after_another(
        self, caller: Caller, names: Names, weights: list[int], left: Iterator[int], until: float
    ) -> None:
        clock = asyncio.get_running_loop().time
        for _ in left:
            if clock() >= until:
                return
            kind = KINDS[names.pick(weights)]
            try:
                async with asyncio.timeout(_ANSWER_S):
                    outcome = await kind.act(caller, names)
            except Exception as error:
                # What its connections still bring is nobody's answer: this caller does no more.
                self._tally.add(kind, f"failed, {error!r}")
                return
            self._tally.add(kind, outcome)
