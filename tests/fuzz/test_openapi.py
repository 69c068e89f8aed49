"""The server does what the OpenAPI documents say, whatever it is sent."""

from __future__ import annotations

import pytest

from fuzz import campaign
from fuzz.campaign import DOCUMENTS, OWN_CHECKS, SERVER_CONFIG, Report
from support.running_migd import running_migd
from support.tokens import JWT_MODE, bearer

TOKEN = bearer("acme", "mig:admin capability:infer").removeprefix("Bearer ")
EVERY_ANSWER = {
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "positive_data_acceptance",
    "negative_data_rejection",
    "missing_required_header",
    "unsupported_method",
    "allow_header_conformance",
    "use_after_free",
    "ensure_resource_availability",
    *OWN_CHECKS,
}
METHODS = ("get", "post")
# A plain GET of these has nothing in it that could be wrong.
TAKE_NOTHING = {
    "GET /admin/v0.1/capabilities",
    "GET /admin/v0.1/health/conformance",
    "GET /healthz",
    "GET /readyz",
    "GET /metrics",
    "GET /cloud/v0.1/usage",
}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_an_open_server_keeps_its_documents(name: str, examples: int) -> None:
    with running_migd("--config", SERVER_CONFIG) as migd:
        report = campaign.run(name, migd.url, examples=examples)
    assert not report.findings + report.errors, str(report)
    assert_thorough(name, report)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_an_authenticating_server_keeps_its_documents(name: str, examples: int) -> None:
    with running_migd("--config", SERVER_CONFIG, cwd=None, **JWT_MODE) as migd:
        report = campaign.run(name, migd.url, examples=examples, token=TOKEN)
    assert not report.findings + report.errors, str(report)
    assert_thorough(name, report)
    assert report.checks["ignored_auth"] > 0
    assert any(401 in statuses for statuses in report.statuses.values())


def assert_thorough(name: str, report: Report) -> None:
    """A campaign that never got through, or never tried what is wrong, would find nothing either."""
    assert set(report.checks) >= EVERY_ANSWER
    described = campaign.document(name)["paths"]
    assert set(report.statuses) == {
        f"{method.upper()} {path}" for path in described for method in described[path] if method in METHODS
    }
    for label, statuses in report.statuses.items():
        assert any(status < 300 for status in statuses), f"{label} never succeeded"
        assert 400 in statuses or label in TAKE_NOTHING, f"{label} never refused anything"
    assert report.events > 0 or name != "mig"
