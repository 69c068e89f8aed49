"""The linker refuses examples and vectors that do not obey the schemas they illustrate."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.broken_spec import Break, assert_told, named

HTTP = "openapi/mig.v0.1.yaml"
NATS = "asyncapi/mig.v0.1.yaml"
BINDINGS = "                  requested_bindings: [grpc, http]\n                  requested_features"
CORRECT = "correct the example or its schema"

WRONG = [
    Break(
        name="a request body",
        file=HTTP,
        old=BINDINGS,
        new=BINDINGS.replace("http", "smoke"),
        at="                  requested_bindings: [grpc, smoke]",
        says="an example is not valid: requested_bindings.1: 'smoke' is not one of ['grpc', 'nats', 'http']; "
        + CORRECT,
    ),
    Break(
        name="a response body that lacks a field",
        file=HTTP,
        old="                    selected_binding: http\n",
        new="",
        at="                  value:\n                    header:\n",
        says=f"an example is not valid: the example: 'selected_binding' is a required property; {CORRECT}",
    ),
    Break(
        name="a parameter",
        file=HTTP,
        old="      example: observatory.models.infer\n",
        new="      example: no capability\n",
        says="an example is not valid: the example: 'no capability' does not match "
        r"^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$; " + CORRECT,
    ),
    Break(
        name="a NATS payload",
        file=NATS,
        old="          payload: {reason: user pressed stop}\n",
        new="          payload: {reason: 7}\n",
        says=f"an example is not valid: reason: 7 is not of type 'string'; {CORRECT}",
    ),
    Break(
        name="NATS headers",
        file=NATS,
        old="          headers: {idempotency_key: run-42}\n",
        new='          headers: {idempotency_key: "run 42"}\n',
        says="an example is not valid: idempotency_key: 'run 42' does not match ^[!-)+-.0-=?-~]{1,128}$; "
        + CORRECT,
    ),
    Break(
        name="a valid vector",
        file="vectors/heartbeat-request.json",
        old='"interval_ms": 4294967295',
        new='"interval_ms": 4294967296',
        says="an example is not valid: interval_ms: 4294967296 is greater than the maximum of 4294967295; "
        + CORRECT,
    ),
    Break(
        name="a malformed vector that is valid",
        file="vectors/gap-notice.json",
        old='"from_sequence": "3"',
        new='"from_sequence": 3',
        at='    {\n      "name": "from_sequence is a string"',
        says="the malformed vector 'from_sequence is a string' is valid under its schema; "
        'correct the vector or the schema, or write "stage": "operation"',
    ),
]


@pytest.mark.parametrize("case", WRONG, ids=named)
def test_an_example_that_its_schema_refuses_is_refused(case: Break, tmp_path: Path) -> None:
    assert_told(tmp_path, case)
