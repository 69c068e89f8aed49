"""schemathesis over one OpenAPI document against a running server, and what it found."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Any

import schemathesis
from schemathesis.engine import events, from_schema

from fuzz import checks
from fuzz.publisher import publishing
from fuzz.refusals import excuse_documented
from fuzz.requests import EXAMPLE_TOPIC, TENANT, TOPIC, shape_requests

SERVER_CONFIG = str(Path(__file__).parent / "server" / "migd.yaml")
DOCUMENTS = ("mig", "admin", "pro", "cloud")
OWN_CHECKS = (checks.error_envelope.__name__, checks.refusal_code.__name__)
_SEED = 20260115
_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Finding:
    """A check that failed, and how to see it again."""

    operation: str
    check: str
    message: str
    curl: str
    answer: str

    def __str__(self) -> str:
        return f"{self.operation}: {self.check}: {self.message}\n  {self.curl}\n  {self.answer}"


@dataclass(slots=True)
class Report:
    """What one campaign saw.

    `statuses` are counted by operation, `checks` by name, those that passed included; `events` is how many
    Server-Sent Events came. `errors` are requests that could not be made, or got no answer.
    """

    findings: list[Finding] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    statuses: dict[str, Counter[int]] = field(default_factory=dict)
    checks: Counter[str] = field(default_factory=Counter)
    events: int = 0

    def __str__(self) -> str:
        found = [str(finding) for finding in self.findings]
        more = [f"and {len(found) - _SHOWN} more"] if len(found) > _SHOWN else []
        return "\n".join([*found[:_SHOWN], *more, *self.errors])


def document(name: str) -> dict[str, Any]:
    """An OpenAPI document as the generated package carries it."""
    text = files("mig_protocol").joinpath(f"openapi/{name}.v0.1.json").read_text()
    loaded: dict[str, Any] = json.loads(text)
    return loaded


def run(
    name: str, url: str, *, examples: int, token: str | None = None, paths: Collection[str] = ()
) -> Report:
    """Every phase of schemathesis with every check; the same requests each time, as far as they do not come
    from earlier answers.

    `examples` bounds the random ones for each operation. With a `token`, every request but those that test
    its absence carries it, and the document is read as a server that authenticates its callers means it.
    `paths` are those to go to; none means all.
    """
    raw = document(name)
    if paths:
        raw["paths"] = {path: raw["paths"][path] for path in paths}
    if token is not None:
        raw["security"] = [{"bearer": []}]
    schema = schemathesis.openapi.from_dict(raw, config=_config(url, examples, token))
    shape_requests(schema)
    excuse_documented(schema)
    report = Report()
    fields = {"X-Tenant-ID": TENANT} | ({"Authorization": f"Bearer {token}"} if token else {})
    with publishing(url, (TOPIC, EXAMPLE_TOPIC), fields):
        for event in from_schema(schema).execute():
            _note(report, event)
    return report


def _config(url: str, examples: int, token: str | None) -> schemathesis.Config:
    settings: dict[str, Any] = {
        "seed": _SEED,
        "base-url": url,
        "workers": 1,
        "continue-on-failure": True,
        "generation": {"max-examples": examples, "deterministic": True, "database": "none"},
        # What a request is made of must not depend on what an earlier one was answered.
        "phases": {
            "examples": {"extra-data-sources": {"responses": False}},
            "coverage": {"extra-data-sources": {"responses": False}},
            "fuzzing": {"extra-data-sources": {"responses": False}, "error-feedback": {"enabled": False}},
        },
        "cache": {"enabled": False},
        "warnings": False,
        "checks": {
            "positive_data_acceptance": {"expected-statuses": ["2xx"]},
            "negative_data_rejection": {"expected-statuses": ["400", "401", "404", "405", "413"]},
        },
        "operations": [
            {"include-operation-id": "subscribe", "max-stream-events": 2},
            {
                "include-operation-id": "stream",
                "checks": {
                    "positive_data_acceptance": {"expected-statuses": ["101"]},
                    "not_a_server_error": {"expected-statuses": ["101", "4xx"]},
                },
            },
        ],
    }
    if token is not None:
        settings["auth"] = {"openapi": {"bearer": {"bearer": token}}}
    return schemathesis.Config.from_dict(settings)


def _note(report: Report, event: events.EngineEvent) -> None:
    if isinstance(event, events.NonFatalError):
        report.errors.append(f"{event.label}: {event.info.title}: {event.value}")
    elif isinstance(event, events.FatalError):
        report.errors.append(repr(event.exception))
    elif isinstance(event, events.ScenarioFinished):
        for case_id, interaction in event.recorder.interactions.items():
            if interaction.response is not None:
                operation = event.recorder.cases[case_id].value.operation.label
                _note_answer(report, operation, interaction.response)
                _note_checks(report, operation, interaction.response, event.recorder.checks.get(case_id, []))


def _note_answer(report: Report, operation: str, response: schemathesis.Response) -> None:
    report.statuses.setdefault(operation, Counter())[response.status_code] += 1
    if response.headers.get("content-type") == ["text/event-stream"]:
        report.events += response.content.count(b"\ndata: ")


def _note_checks(report: Report, operation: str, response: schemathesis.Response, done: list[Any]) -> None:
    for check in done:
        report.checks[check.name] += 1
        if check.failure_info is not None:
            failure = check.failure_info.failure
            report.findings.append(
                Finding(
                    operation,
                    check.name,
                    f"{failure.title}: {failure.message}",
                    check.failure_info.code_sample,
                    f"{response.status_code} {response.content[:400].decode(errors='replace')}",
                )
            )
