"""How long and how the machine is run."""

from __future__ import annotations

import os
from typing import Final

from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from equality.machine import BindingsAgree
from equality.world import World

_EXAMPLES: Final = "MIG_EQUALITY_EXAMPLES"
_STEPS: Final = 30

AGREEMENT: Final = settings(
    max_examples=int(os.environ.get(_EXAMPLES, "30")),
    stateful_step_count=_STEPS,
    deadline=None,
    # The same sequences at every run; with a number in MIG_EQUALITY_EXAMPLES, so many new ones.
    derandomize=_EXAMPLES not in os.environ,
    database=None,
    suppress_health_check=list(HealthCheck),
)
"""For bindings that should agree. A difference is made as small as possible, which takes its time."""

DISCOVERY: Final = settings(
    AGREEMENT, max_examples=100, derandomize=True, phases=[Phase.generate], print_blob=False
)
"""For bindings that do not: the first difference is enough."""


def examine(world: World, profile: settings) -> None:
    """Raises AssertionError with the calls that had different outcomes."""

    class Machine(BindingsAgree):
        pass

    Machine.world = world
    run_state_machine_as_test(Machine, settings=profile)
