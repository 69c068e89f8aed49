"""Steps of cases against a gateway: what is green, and what is red and why."""

from __future__ import annotations

from pathlib import Path

import pytest

from mig_conformance.drivers.port import BindingName
from mig_conformance.running.result import Outcome
from support.running_migd import local_migd
from support.suite_checks import results, written


async def outcome(folder: Path, steps: str, binding: BindingName = "http") -> tuple[Outcome, str]:
    async with local_migd() as migd:
        check = written(folder, steps, bindings=binding)
        [result] = await results([(check, binding)], http=migd.url)
        return result.outcome, result.why


@pytest.mark.parametrize(
    "steps",
    [
        "[{call: INVOKE, each: [a, b.c], message: {capability: '${each}'},"
        " expect: {error: MIG_UNSUPPORTED_CAPABILITY}}]",
        "[{call: HELLO, each: [!!binary //4=, '['], body: '${each}', expect: {error: MIG_INVALID_REQUEST}}]",
        "[{call: HELLO, expect: {header: {tenant_id: acme, meta: {idg.product_tier: core}}}}]",
        "[{call: HELLO, body: '{', expect: {error: MIG_INVALID_REQUEST, header: {tenant_id: !any }}}]",
        "[{call: HELLO, keep: {id: /header/message_id}},"
        " {call: HELLO, expect: {header: {message_id: !not '${kept.id}'}}}]",
    ],
)
async def test_a_step_that_finds_what_it_expects_is_green(steps: str, tmp_path: Path) -> None:
    assert await outcome(tmp_path, steps) == (Outcome.passed, "")


@pytest.mark.parametrize(
    ("steps", "why"),
    [
        (
            "[{call: HELLO, each: [['0.1'], ['9.9']], message: {supported_versions: '${each}'}}]",
            "step 1: ['9.9']: refused with",
        ),
        (
            "[{call: HELLO}, {call: HELLO, expect: {header: {tenant_id: other}}}]",
            "step 2: the header: /tenant_id",
        ),
        ("[{call: HELLO, expect: {error: MIG_INTERNAL}}]", "step 1: expected MIG_INTERNAL"),
    ],
)
async def test_a_step_that_does_not_is_red_and_says_where(steps: str, why: str, tmp_path: Path) -> None:
    found, said = await outcome(tmp_path, steps)
    assert (found, said[: len(why)]) == (Outcome.failed, why)


async def test_a_handshake_that_is_refused_is_an_answer(tmp_path: Path) -> None:
    step = "[{call: INVOKE, as: {tenant: a!b}, expect: {error: MIG_INVALID_REQUEST}}]"
    assert await outcome(tmp_path, step, "websocket") == (Outcome.passed, "")


async def test_a_member_that_no_step_has_is_a_fault_of_the_suite(tmp_path: Path) -> None:
    found, said = await outcome(tmp_path, "[{call: HELLO, every: [1]}]")
    assert (found, said) == (Outcome.broken, "CaseError: no step: ['every']")
