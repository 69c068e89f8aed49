"""Which refusals the spec allows, for requests that keep their schema and for requests that break it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from schemathesis import BaseSchema, Case, HookContext, Response
from schemathesis.core.failures import Failure
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
    Refusal(
        ANY,
        "MIG_INVALID_REQUEST",
        "expected an integer, got a number",
        "a receiver may refuse an integer that is written with a fraction (spec/vectors/README.md)",
    ),
    Refusal("invoke", "MIG_UNSUPPORTED_CAPABILITY", "no capability", "any id is valid, few exist"),
    Refusal(ANY, "MIG_VERSION_MISMATCH", "mig_version", "any text is a version; this server speaks 0.1"),
)


def excuse_documented(schema: BaseSchema) -> None:
    """A valid request may be refused for a documented reason without that being a failure."""
    schema.hooks.register_hook_with_name(_is_failure, "filter_failure")


def _is_failure(_context: HookContext, failure: Failure, case: Case, response: Response) -> bool:
    return not (isinstance(failure, RejectedPositiveData) and is_documented(case, response))


def is_documented(case: Case, response: Response) -> bool:
    """Whether a request that keeps its schema may be refused like this."""
    code = code_of(response)
    return bool(code) and any(
        refusal.fits(operation_id(case), code, message_of(response)) for refusal in OF_VALID_REQUESTS
    )


def may_be_refused_with(case: Case, response: Response, code: str) -> bool:
    """Whether a request that breaks its schema may be refused with this code."""
    return code == "MIG_INVALID_REQUEST"


def operation_id(case: Case) -> str:
    """The operationId of the OpenAPI document."""
    return str(case.operation.definition.raw["operationId"])
