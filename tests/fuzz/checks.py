"""Checks of our own on every answer that schemathesis gets. Importing this module registers them."""

from __future__ import annotations

from typing import Any

import schemathesis
from schemathesis import Case, CheckContext, Response
from schemathesis.specs.openapi.checks import has_only_additional_properties_in_non_body_parameters

from fuzz.envelope import code_of, flaws
from fuzz.refusals import may_be_refused_with, operation_id


@schemathesis.check
def error_envelope(_context: CheckContext, response: Response, case: Case[Any]) -> None:
    """Every error is an ErrorEnvelope under the status of its code, 404 and 405 included."""
    unready = operation_id(case) == "readiness" and response.status_code == 503
    if response.status_code >= 400 and not unready:
        found = list(flaws(response))
        assert not found, "; ".join(found)


@schemathesis.check
def refusal_code(_context: CheckContext, response: Response, case: Case[Any]) -> None:
    """A request that breaks its schema is refused with MIG_INVALID_REQUEST, or with what comes before it."""
    if case.meta is None or not case.meta.generation.mode.is_negative or response.status_code < 400:
        return
    if has_only_additional_properties_in_non_body_parameters(case):
        return  # not a fault: what the document does not list is not looked at
    code = code_of(response)
    assert may_be_refused_with(case, code), f"refused with {code}, not with MIG_INVALID_REQUEST"
