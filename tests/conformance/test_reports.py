"""The forms of a report: each says what happened, and none says a secret."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import msgspec
import pytest
from jsonschema import Draft202012Validator
from playwright.sync_api import Browser

from mig_conformance.report.as_json import (
    ReportError,
    from_json,
    report_schema,
    schema_of_model,
    to_json,
)
from mig_conformance.report.badge import to_badge
from mig_conformance.report.junit import to_junit
from mig_conformance.report.model import Report
from mig_conformance.report.page import to_page
from mig_conformance.running.result import Outcome
from mig_conformance.subject.subject import Auth, Endpoints, Subject
from mig_protocol import SPEC_HASH
from support.browser import MISSING, open_browser, visit
from support.suite_results import check, failure, of_profile, patterns, report_of, result

CORE = of_profile("core")
WRONG = check("invoke/wrong", CORE)


def mixed() -> Report:
    """One check of each outcome."""
    outcomes = [outcome for outcome in Outcome if outcome is not Outcome.failed]
    return report_of(
        failure(WRONG, text='{"error": "<b>\x00"}'),
        *(result(check(f"hello/{outcome.name}"), "grpc", outcome, why="so") for outcome in outcomes),
    )


def test_the_json_is_what_its_schema_says() -> None:
    Draft202012Validator.check_schema(report_schema())
    Draft202012Validator(report_schema()).validate(msgspec.json.decode(to_json(mixed())))


def test_the_packaged_schema_is_that_of_the_model() -> None:
    assert report_schema() == json.loads(json.dumps(schema_of_model())), (
        "run tools/report_schema.py as it says"
    )


def test_the_json_is_read_back_as_it_was() -> None:
    assert from_json(to_json(mixed())) == mixed()


@pytest.mark.parametrize("wrong", [b"", b"{}", to_json(mixed()).replace(b'"format": 1', b'"format": 2')])
def test_what_is_no_report_is_refused(wrong: bytes) -> None:
    with pytest.raises(ReportError):
        from_json(wrong)


def test_a_failure_has_all_that_is_needed_to_mend_it() -> None:
    (failed,) = [each for each in mixed().checks if each.outcome == "failed"]
    assert failed.requirements == (CORE,)
    assert failed.expected == '{answer: {payload: {result: "ok"}}}'
    assert [each.what for each in failed.exchanges] == ["POST /mig/v0.1/hello", "HTTP 500"]
    assert failed.again == "mig-conformance run --only invoke/wrong@http"


def test_a_selection_has_no_verdict_on_a_profile() -> None:
    whole, part = report_of(result(check())), report_of(result(check()), only=patterns("*"))
    assert [each.profile for each in whole.profiles] == ["core", "streaming", "evented", "full"]
    assert part.profiles == ()
    assert "it says nothing about a profile" in to_page(part)


def test_junit_has_a_case_for_each_check_and_no_green_one_that_did_not_run() -> None:
    root = ElementTree.fromstring(to_junit(mixed()))
    assert {name: root.get(name) for name in ("tests", "failures", "errors", "skipped")} == {
        "tests": "7",
        "failures": "2",
        "errors": "1",
        "skipped": "3",
    }
    found = {case.get("name"): [each.tag for each in case] for case in root.iter("testcase")}
    assert found["hello/passed@grpc"] == []
    assert found["hello/unchecked@grpc"] == ["skipped"]
    assert found["hello/unexpected@grpc"] == ["failure"]
    told = root.find(".//testcase[@name='invoke/wrong@http']/failure")
    assert told is not None
    assert "again: mig-conformance run --only invoke/wrong@http" in (told.text or "")


def test_a_badge_says_the_verdict() -> None:
    failed = to_badge(report_of(failure(WRONG)))
    assert "<title>MIG 0.1: not conformant: core</title>" in failed
    assert ElementTree.fromstring(failed).tag == "{http://www.w3.org/2000/svg}svg"


def test_no_form_has_a_credential() -> None:
    token = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhIn0.c2lnbmF0dXJl"
    subject = Subject(
        endpoints=Endpoints(http="http://user:pass-word@localhost:8080", nats="nats://u:nats-word@localhost"),
        auth=Auth(mode="jwt", tokens={"own": "opaque-token"}, hs256_secret="hs256-secret"),
        profiles=frozenset({"core"}),
    )
    text = f"opaque-token, hs256-secret, {token}, pass-word, nats-word, Bearer other-token"
    report = report_of(failure(WRONG, text=text), subject=subject)
    for written in (to_json(report).decode(), to_junit(report).decode(), to_page(report), to_badge(report)):
        assert not re.search(r"eyJ|opaque-token|other-token|hs256-secret|pass-word|nats-word", written)
    assert report.implementation.endpoints == {"http": "http://localhost:8080", "nats": "nats://localhost"}
    assert report.suite.spec_hash == SPEC_HASH


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if MISSING:
        pytest.skip("no chromium on this machine")
    with open_browser() as found:
        yield found


@pytest.mark.parametrize("width", [1200, 390])
def test_the_page_is_read_at_a_glance_and_fetches_nothing(
    browser: Browser, width: int, tmp_path: Path
) -> None:
    file = tmp_path / "report.html"
    file.write_text(to_page(report_of(failure(WRONG), result(check("hello/right")))))
    with visit(browser, file.as_uri(), width=width) as seen:
        page = seen.page
        assert page.locator(".pill").inner_text() == "Not conformant"
        assert page.locator("header").get_by_text("core, over http, sse, websocket, grpc, nats").is_visible()
        story = page.locator(".story.failed")
        assert story.get_by_text("mig-conformance run --only invoke/wrong@http").is_visible()
        assert story.get_by_text("HTTP 500").is_visible()
        page.get_by_role("button", name="failed", exact=True).click()
        assert page.locator(".section tbody tr:visible").count() == 1
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert (seen.complaints, seen.asked) == ([], [file.as_uri()])


def test_the_page_is_readable_without_scripts(browser: Browser, tmp_path: Path) -> None:
    file = tmp_path / "report.html"
    file.write_text(to_page(mixed()))
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(file.as_uri())
    page.locator(".section summary").first.click()
    assert page.locator(".section tbody tr").first.is_visible()
    assert not page.locator(".filter").is_visible()
    context.close()
