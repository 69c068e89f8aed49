"""Which refusals the spec allows, for requests that keep their schema and for requests that break it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from schemathesis import BaseSchema, Case, HookContext, Response
from schemathesis.core.failures import Failure, ServerError
from schemathesis.generation.meta import ExamplesPhaseData
from schemathesis.openapi.checks import RejectedPositiveData

from fuzz.envelope import code_of, message_of

ANY = "*"


@dataclass(frozen=True, slots=True)
class Refusal:
    """A request of `operation` may be refused with `code` and a message like `says`: `why` is the reason."""

    operation: str
    code: str
    says: str
    why: str

    def fits(self, operation: str, code: str, message: str) -> bool:
        return (
            self.operation in (ANY, operation)
            and self.code == code
            and re.search(self.says, message) is not None
        )


OF_VALID_REQUESTS = (
    Refusal(ANY, "MIG_VERSION_MISMATCH", "mig_version", "any text is a version; this server speaks 0.1"),
    Refusal("hello", "MIG_VERSION_MISMATCH", "no common version", "the same"),
    Refusal(
        ANY,
        "MIG_INVALID_REQUEST",
        "expected an integer, got a number",
        "a receiver may refuse an integer that is written with a fraction (spec/vectors/README.md)",
    ),
    Refusal("invoke", "MIG_UNSUPPORTED_CAPABILITY", "no capability", "any id is valid, few exist"),
    Refusal(
        "invoke", "MIG_INVALID_REQUEST", "does not match the input schema", "a capability has its own schema"
    ),
    Refusal("invoke", "MIG_INVALID_REQUEST", "used with another payload", "an idempotency_key came again"),
    Refusal("invoke", "MIG_TIMEOUT", "was cancelled", "a CANCEL of its message id came before it"),
    Refusal("createOrg", "MIG_INVALID_REQUEST", "exists already", "an id can be given once"),
    Refusal("createTenant", "MIG_INVALID_REQUEST", "exists already", "an id can be given once"),
    Refusal("createGateway", "MIG_INVALID_REQUEST", "exists already", "an id can be given once"),
    Refusal("createTenant", "MIG_NOT_FOUND", "org", "the org has to be there first"),
    Refusal("createGateway", "MIG_NOT_FOUND", "tenant", "the tenant has to be there first"),
)


def excuse_documented(schema: BaseSchema) -> None:
    """Let what the spec allows not count as a failure of this schema's checks."""
    schema.hooks.register_hook_with_name(_is_failure, "filter_failure")


def may_be_refused_with(case: Case[Any], code: str) -> bool:
    """Whether a request that breaks its schema may be refused with this code."""
    if code == "MIG_UNAUTHORIZED":
        return _breaks_credential(case)
    return code == "MIG_INVALID_REQUEST"


def operation_id(case: Case[Any]) -> str:
    """The operationId of the OpenAPI document."""
    return str(case.operation.definition.raw["operationId"])


def _is_failure(_context: HookContext, failure: Failure, case: Case[Any], response: Response) -> bool:
    return not (isinstance(failure, RejectedPositiveData | ServerError) and _is_documented(case, response))


def _is_documented(case: Case[Any], response: Response) -> bool:
    code = code_of(response)
    return bool(code) and any(
        refusal.fits(operation_id(case), code, message_of(response)) for refusal in OF_VALID_REQUESTS
    )


def _breaks_credential(case: Case[Any]) -> bool:
    data = None if case.meta is None else case.meta.phase.data
    if data is None or isinstance(data, ExamplesPhaseData):
        return False
    return "Authorization" in (data.parameter, *(mutation.parameter for mutation in data.mutations))
