"""The fuzzing would notice: for each kind of defect, a gateway with it, and the check that has to say so."""

from __future__ import annotations

import json
from typing import Any

import pytest

from fuzz import campaign
from fuzz.defective import Answer, Defect, defective_migd
from support.tokens import JWT_MODE, bearer

HEARTBEAT = "/mig/v0.1/heartbeat"
SUBSCRIBE = "/mig/v0.1/subscribe/{topic}"
USAGE = "/cloud/v0.1/usage"


def none(answer: Answer) -> None:
    """No defect."""


def no_message_id(answer: Answer) -> None:
    """A field that the schema requires is missing from the answer."""
    if answer.status == 200:
        body = json.loads(answer.body)
        del body["header"]["message_id"]
        answer.body = json.dumps(body).encode()


def crash_on_large_interval(answer: Answer) -> None:
    """One input in billions ends in a stack trace."""
    if answer.status == 200 and _asked(answer).get("interval_ms", 0) > 2_000_000_000:
        answer.status, answer.body = 500, b"Internal Server Error"
        answer.headers[b"content-type"] = b"text/plain"


def take_anything(answer: Answer) -> None:
    """Nothing is checked any more."""
    answer.status = 200


def hide_refusal(answer: Answer) -> None:
    """An invalid request looks as if the path were unknown."""
    if answer.status == 400:
        body = json.loads(answer.body)
        body["error"]["code"] = "MIG_NOT_FOUND"
        answer.status, answer.body = 404, json.dumps(body).encode()


def status_of_another_code(answer: Answer) -> None:
    """The status is not the code's."""
    if answer.status == 405:
        answer.body = answer.body.replace(b"MIG_INVALID_REQUEST", b"MIG_FORBIDDEN")


def no_allow(answer: Answer) -> None:
    """A 405 does not say which methods there are (RFC 9110, 15.5.6)."""
    answer.headers.pop(b"allow", None)


def undocumented_status(answer: Answer) -> None:
    """Right, but not what the document says."""
    if answer.status == 200:
        answer.status = 202


def other_media_type(answer: Answer) -> None:
    """JSON that says it is something else."""
    answer.headers[b"content-type"] = b"text/json"


def no_cache_control(answer: Answer) -> None:
    """A stream without the header field that the document requires."""
    answer.headers.pop(b"cache-control", None)


def no_sequence_in_events(answer: Answer) -> None:
    """The events inside the stream are not the messages that the document says they are."""
    answer.body = answer.body.replace(b'"sequence":', b'"number":')


def refuse_everything(answer: Answer) -> None:
    """Valid requests are refused."""
    if answer.status == 200:
        answer.status = 400


class Case:
    """A defect, the path where it shows, and the checks that have to say so."""

    def __init__(self, defect: Defect, path: str, *checks: str) -> None:
        self.defect = defect
        self.path = path
        self.checks = set(checks)

    def __str__(self) -> str:
        return self.defect.__name__


CASES = (
    Case(no_message_id, HEARTBEAT, "response_schema_conformance"),
    Case(crash_on_large_interval, HEARTBEAT, "not_a_server_error", "error_envelope"),
    Case(take_anything, HEARTBEAT, "negative_data_rejection"),
    Case(refuse_everything, HEARTBEAT, "positive_data_acceptance"),
    Case(hide_refusal, HEARTBEAT, "refusal_code"),
    Case(status_of_another_code, HEARTBEAT, "error_envelope"),
    Case(no_allow, HEARTBEAT, "unsupported_method"),
    Case(undocumented_status, HEARTBEAT, "status_code_conformance"),
    Case(other_media_type, HEARTBEAT, "content_type_conformance"),
    Case(no_cache_control, SUBSCRIBE, "response_headers_conformance"),
    Case(no_sequence_in_events, SUBSCRIBE, "response_schema_conformance"),
)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_defect_is_found(case: Case) -> None:
    with defective_migd(case.defect) as url:
        report = campaign.run("mig", url, examples=1, paths={case.path})
    assert case.checks <= {finding.check for finding in report.findings}, str(report)


def test_a_gateway_that_takes_everyone_for_authenticated_is_found() -> None:
    token = bearer("acme", "mig:admin")
    with defective_migd(none, credential=token, **JWT_MODE) as url:
        report = campaign.run("cloud", url, examples=1, token=token.removeprefix("Bearer "), paths={USAGE})
    assert "ignored_auth" in {finding.check for finding in report.findings}, str(report)


def test_the_same_gateway_without_a_defect_passes() -> None:
    with defective_migd(none) as url:
        report = campaign.run("mig", url, examples=1, paths={HEARTBEAT, SUBSCRIBE})
    assert not report.findings + report.errors, str(report)


def _asked(answer: Answer) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(answer.request or b"{}")
    return loaded
