"""One machine makes up calls and asks them over every binding: what can be observed is the same."""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from equality.machine import BindingsAgree
from equality.world import World, a_world

EXAMPLES = int(os.environ.get("MIG_EQUALITY_EXAMPLES", "25"))


def examine(world: World, profile: settings) -> None:
    class Machine(BindingsAgree):
        pass

    Machine.world = world
    run_state_machine_as_test(Machine, settings=profile)


@pytest.mark.parametrize("jwt", [False, True], ids=["open", "jwt"])
def test_the_same_calls_have_the_same_outcome_over_every_binding(jwt: bool, nats_url: str) -> None:
    profile = settings(
        max_examples=EXAMPLES,
        stateful_step_count=30,
        deadline=None,
        phases=[Phase.explicit, Phase.generate] + ([] if os.environ.get("NOSHRINK") else [Phase.shrink]),
        derandomize="MIG_EQUALITY_EXAMPLES" not in os.environ,
        suppress_health_check=list(HealthCheck),
    )
    with a_world(jwt=jwt, nats_url=nats_url) as world:
        examine(world, profile)
