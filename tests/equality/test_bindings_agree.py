"""One machine makes up calls and asks them over every binding: what can be observed is the same."""

from __future__ import annotations

import pytest

from equality.defects import DEFECTS, Defect
from equality.examination import AGREEMENT, DISCOVERY, examine
from equality.world import a_world


@pytest.mark.parametrize("jwt", [False, True], ids=["open", "jwt"])
def test_the_same_calls_have_the_same_outcome_over_every_binding(jwt: bool, nats_url: str) -> None:
    with a_world(jwt=jwt, nats_url=nats_url) as world:
        examine(world, AGREEMENT)


@pytest.mark.parametrize("defect", DEFECTS, ids=lambda defect: str(defect.__name__))
def test_the_machine_finds_a_defect_of_one_binding(defect: Defect, nats_url: str) -> None:
    with (
        a_world(jwt=False, nats_url=nats_url, spoil=defect) as world,
        pytest.raises(AssertionError, match=defect.__name__.partition("_")[0]),
    ):
        examine(world, DISCOVERY)
