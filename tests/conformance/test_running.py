"""A run: what is asked of the server beforehand, in which order checks go, and whose fault an ending is."""

from __future__ import annotations

from typing import Any

import pytest
from aiohttp import web

from mig_conformance.checks.features import MEANS
from mig_conformance.checks.trial import Trial
from mig_conformance.drivers.transcript import Transcript
from mig_conformance.flaws import UncheckedError, UnreachableError
from mig_conformance.running.links import Links
from mig_conformance.running.probe import completed
from mig_conformance.running.result import Outcome, Result
from mig_conformance.running.run import run_check, run_checks
from mig_conformance.subject.subject import Auth, Command, Commands, Declaration, Endpoints, Subject
from mig_protocol.operations import FEATURES
from support.local_web import serving
from support.running_migd import local_migd
from support.suite_results import check
from support.tokens import JWT_MODE, SECRET

HELLO = {"call": "HELLO", "expect": {"answer": {"selected_version": "0.1"}}}


def subject(url: str, **members: Any) -> Subject:
    return Subject(endpoints=Endpoints(http=url), **members)


async def asked(url: str, profiles: frozenset[str] | None = None, **members: Any) -> Subject:
    declared = subject(url, **members)
    async with Links(declared) as links:
        return await completed(Declaration(subject=declared, profiles=profiles), links)


async def test_what_a_manifest_does_not_say_is_asked_of_the_server() -> None:
    async with local_migd() as migd:
        found = await asked(migd.url)
    assert found.profiles == frozenset({"core", "streaming", "evented", "full"})
    assert found.features == FEATURES.keys() - {"mcp-bridge"} | {"open", "admin", "metrics", "ui", "docs"}


async def test_what_follows_from_a_manifest_need_not_be_declared() -> None:
    commands = Commands(start=Command(run="serve"))
    async with local_migd(**JWT_MODE) as migd:
        auth = Auth(mode="jwt", hs256_secret=SECRET)
        found = await asked(migd.url, profiles=frozenset({"evented"}), auth=auth, commands=commands)
    assert {"jwt", "tokens", "restart", "events", "admin"} <= found.features
    assert "open" not in found.features
    assert found.profiles == frozenset({"evented"})


@pytest.mark.parametrize("body", ["<html>", "[]", '{"enabled_features": {"a": 1}, "header": {"meta": [1]}}'])
async def test_a_server_that_answers_nonsense_declares_nothing_by_it(body: str) -> None:
    async def nonsense(_request: web.Request) -> web.Response:
        return web.Response(text=body, content_type="application/json")

    async with serving("POST", "/{path:.*}", nonsense) as url:
        found = await asked(url)
    assert found.profiles == frozenset({"core"})
    assert found.features == frozenset({"open"})
    assert not found.features & MEANS.keys()


async def test_a_declared_profile_is_held_to_what_it_requires_whatever_the_server_enables() -> None:
    async def nothing(_request: web.Request) -> web.Response:
        return web.json_response({"enabled_features": []})

    async with serving("POST", "/{path:.*}", nothing) as url:
        found = await asked(url, profiles=frozenset({"streaming"}))
    assert {"streaming", "cancel"} <= found.features


async def test_checks_that_are_alone_and_those_that_restart_come_last() -> None:
    first, alone = check("a/first", steps=(HELLO,)), check("a/alone", steps=(HELLO,), alone=True)
    restarts = check("a/restarts", steps=(HELLO,), needs=frozenset({"restart"}))
    told: list[Result] = []
    async with local_migd() as migd, Links(subject(migd.url)) as links:
        chosen: list[Any] = [(each, "http") for each in (alone, restarts, first)]
        results = await run_checks(chosen, subject(migd.url), links, told.append)
    assert [each.check.id for each in told] == ["a/first", "a/alone", "a/restarts"]
    assert {each.outcome for each in results} == {Outcome.passed}


@pytest.mark.parametrize(
    ("steps", "outcome", "why"),
    [
        (
            ({"call": "HELLO", "expect": {"error": "MIG_TIMEOUT"}},),
            Outcome.failed,
            "step 1: expected MIG_TIM",
        ),
        ((HELLO, {**HELLO, "expect": {"answer": {"header": {"meta": 1}}}}), Outcome.failed, "step 2: "),
        (({"cal": "HELLO"},), Outcome.broken, "CaseError: no step"),
        (({**HELLO, "on": ["grpc"]},), Outcome.broken, "CaseError: invoke.yaml:3: no step of it is on http"),
        (({"call": "HELLO", "as": "admiral"},), Outcome.broken, "KeyError"),
    ],
)
async def test_a_fault_of_the_suite_is_not_one_of_the_server(
    steps: tuple[Any, ...], outcome: Outcome, why: str
) -> None:
    async with local_migd(**JWT_MODE) as migd:
        server = subject(migd.url, auth=Auth(mode="jwt", hs256_secret=SECRET))
        async with Links(server) as links:
            found = await run_check(check(steps=steps), "http", server, links)
    assert found.outcome is outcome
    assert found.why.startswith(why)


async def test_a_server_that_goes_away_ends_the_run() -> None:
    gone = subject("http://127.0.0.1:9")
    async with Links(gone) as links:
        with pytest.raises(UnreachableError, match=r"nobody answers: .*\(during invoke/[ab]@http\)"):
            await run_checks(
                [(check("invoke/a", steps=(HELLO,)), "http"), (check("invoke/b", steps=(HELLO,)), "http")],
                gone,
                links,
                lambda _: None,
            )


async def test_a_server_that_can_not_be_restarted_is_not_judged_by_it() -> None:
    server = subject("http://127.0.0.1:9")
    async with Links(server) as links:
        transcript = Transcript()
        driver = links.driver("http", transcript)
        trial = Trial(server, driver, lambda _: driver, transcript, lambda: "x")
        with pytest.raises(UncheckedError, match="can not be restarted"):
            await trial.restart()
