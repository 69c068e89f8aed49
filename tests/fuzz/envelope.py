"""What every error answer has to be, whatever the OpenAPI document says of its status."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from typing import Any

import jsonschema_rs
from schemathesis import Response

from mig_protocol.errors import ERRORS
from mig_protocol.messages import MigErrorCode


@cache
def _validator() -> jsonschema_rs.Draft202012Validator:
    bundle = json.loads(files("mig_protocol").joinpath("schema/bundle.json").read_text())
    return jsonschema_rs.Draft202012Validator(
        {**bundle, "$ref": "#/$defs/ErrorEnvelope"}, validate_formats=True
    )


def flaws(response: Response) -> Iterator[str]:
    """One line for each rule of the error table that the answer breaks; nothing when it keeps them all."""
    kind = response.headers.get("content-type", [""])[0]
    if kind != "application/json":
        yield f"an error of media type {kind!r}"
        return
    body = json.loads(response.content)
    wrong = [f"{error.instance_path}: {error.message}" for error in _validator().iter_errors(body)]
    if wrong:
        yield f"not an ErrorEnvelope: {wrong}"
        return
    yield from _against_table(response, body["error"])


def code_of(response: Response) -> str:
    """The code of an ErrorEnvelope, "" for any other body."""
    try:
        return str(json.loads(response.content)["error"]["code"])
    except (ValueError, KeyError, TypeError):
        return ""


def message_of(response: Response) -> str:
    """The message of an ErrorEnvelope."""
    return str(json.loads(response.content)["error"]["message"])


def _against_table(response: Response, error: dict[str, Any]) -> Iterator[str]:
    row = ERRORS[MigErrorCode(error["code"])]
    if response.status_code not in (row.http_status, *row.http_variants.values()):
        yield f"{error['code']} under status {response.status_code}"
    if row.retry_after and "retry-after" not in response.headers:
        yield f"{error['code']} without Retry-After"
    if response.status_code == 401 and "www-authenticate" not in response.headers:
        yield "401 without WWW-Authenticate"
    if error["retryable"] and not row.retryable:
        yield f"{error['code']} said to be retryable"
