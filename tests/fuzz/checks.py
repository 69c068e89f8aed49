"""Checks of our own on every answer that schemathesis gets. Importing this module registers them."""

from __future__ import annotations

import schemathesis
from schemathesis import Case, CheckContext, Response

from fuzz.envelope import code_of, flaws
from fuzz.refusals import may_be_refused_with, operation_id

ERROR_ENVELOPE = "error_envelope"
REFUSAL_CODE = "refusal_code"


@schemathesis.check
def error_envelope(ctx: CheckContext, response: Response, case: Case) -> None:
    """Every error is an ErrorEnvelope under the status of its code, 404 and 405 included."""
    if response.status_code < 400 or _is_health(response, case):
        return
    found = list(flaws(response))
    assert not found, "; ".join(found)


@schemathesis.check
def refusal_code(ctx: CheckContext, response: Response, case: Case) -> None:
    """A request that breaks its schema is refused as that: MIG_INVALID_REQUEST, or what the spec says comes
    before it.
    """
    if case.meta is None or not case.meta.generation.mode.is_negative or response.status_code < 400:
        return
    code = code_of(response)
    assert may_be_refused_with(case, code), f"refused with {code}, not with MIG_INVALID_REQUEST"


def _is_health(response: Response, case: Case) -> bool:
    return operation_id(case) == "readiness" and response.status_code == 503
