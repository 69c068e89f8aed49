# Generated from spec/ by `make generate`. Do not edit: change the spec or codegen/ and generate again.
"""Every MIG error on every binding, and the one exception that carries them.

The table is spec/registry/errors.yaml. A `MigFault` is raised where a failure is found and translated once,
at the edge, by the binding that the call came in on.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from msgspec import UNSET

from mig_protocol.messages import ErrorEnvelope, MessageHeader, MigError, MigErrorCode


class ErrorRow(NamedTuple):
    """One error code. `retryable` is the default that a fault may narrow; `http_variants` names special
    statuses.
    """

    code: MigErrorCode
    retryable: bool
    http_status: int
    http_variants: Mapping[str, int]
    grpc_status: int
    grpc_name: str
    jsonrpc: int
    retry_after: bool
    description: str


_ROWS = (
    ErrorRow(
        code=MigErrorCode.MIG_INVALID_REQUEST,
        retryable=False,
        http_status=400,
        http_variants=MappingProxyType({"method_not_allowed": 405, "too_large": 413}),
        grpc_status=3,
        grpc_name="INVALID_ARGUMENT",
        jsonrpc=-32600,
        retry_after=False,
        description="The message is malformed, breaks a bound or a schema, or contradicts itself. Correct it before sending it again; details.violations, where present, says what is wrong at which JSON Pointer.",
    ),
    ErrorRow(
        code=MigErrorCode.MIG_UNAUTHORIZED,
        retryable=False,
        http_status=401,
        http_variants=MappingProxyType({}),
        grpc_status=16,
        grpc_name="UNAUTHENTICATED",
        jsonrpc=-32001,
        retry_after=False,
        description="The server asks for a credential and there is none, or it is not valid. Get a new token.",
    ),
    ErrorRow(
        code=MigErrorCode.MIG_FORBIDDEN,
        retryable=False,
        http_status=403,
        http_variants=MappingProxyType({}),
        grpc_status=7,
        grpc_name="PERMISSION_DENIED",
        jsonrpc=-32003,
        retry_after=False,
        description="The caller is known and may not do this, for want of a scope, or speaks for a tenant that is not its own.",
    ),
    ErrorRow(
        code=MigErrorCode.MIG_NOT_FOUND,
        retryable=False,
        http_status=404,
        http_variants=MappingProxyType({}),
        grpc_status=5,
        grpc_name="NOT_FOUND",
        jsonrpc=-32601,
        retry_after=False,
        description="The route, or a resource that the request names, does not exist.",
    ),
    ErrorRow(
        code=MigErrorCode.MIG_UNSUPPORTED_CAPABILITY,
        retryable=False,
        http_status=404,
        http_variants=MappingProxyType({}),
        grpc_status=5,
        grpc_name="NOT_FOUND",
        jsonrpc=-32601,
        retry_after=False,
        description="No capability with this id is visible to the tenant. DISCOVER lists those that are.",
    ),
    ErrorRow(
        code=MigErrorCode.MIG_VERSION_MISMATCH,
        retryable=False,
        http_status=400,
        http_variants=MappingProxyType({}),
        grpc_status=9,
        grpc_name="FAILED_PRECONDITION",
        jsonrpc=-32012,
        retry_after=False,
        description="The message is of a version that the server does not speak, or HELLO found no version in common.",
    ),
    ErrorRow(
        code=MigErrorCode.MIG_TIMEOUT,
        retryable=True,
        http_status=504,
        http_variants=MappingProxyType({}),
        grpc_status=4,
        grpc_name="DEADLINE_EXCEEDED",
        jsonrpc=-32008,
        retry_after=False,
        description="The deadline passed before the work was done, or the invocation was cancelled (then not retryable, details.cancelled is true and details.reason says why). Either way the work is stopped.",
    ),
    ErrorRow(
        code=MigErrorCode.MIG_RATE_LIMITED,
        retryable=True,
        http_status=429,
        http_variants=MappingProxyType({}),
        grpc_status=8,
        grpc_name="RESOURCE_EXHAUSTED",
        jsonrpc=-32009,
        retry_after=True,
        description="The tenant has used up its quota, its rate, or its share of the server's room for what it would create.",
    ),
    ErrorRow(
        code=MigErrorCode.MIG_BACKPRESSURE,
        retryable=True,
        http_status=503,
        http_variants=MappingProxyType({}),
        grpc_status=8,
        grpc_name="RESOURCE_EXHAUSTED",
        jsonrpc=-32010,
        retry_after=True,
        description="The server or the connection has no room for this now. Wait for Retry-After, then try again.",
    ),
    ErrorRow(
        code=MigErrorCode.MIG_UNAVAILABLE,
        retryable=True,
        http_status=503,
        http_variants=MappingProxyType({}),
        grpc_status=14,
        grpc_name="UNAVAILABLE",
        jsonrpc=-32011,
        retry_after=False,
        description="No provider can serve this now, or the server is starting or going away. Another server, or this one later, may be able to.",
    ),
    ErrorRow(
        code=MigErrorCode.MIG_INTERNAL,
        retryable=False,
        http_status=500,
        http_variants=MappingProxyType({}),
        grpc_status=13,
        grpc_name="INTERNAL",
        jsonrpc=-32603,
        retry_after=False,
        description="The server or a provider failed in a way that the caller can do nothing about. The answer tells nothing of the cause; the server's log has it under the message id.",
    ),
)

ERRORS: Final[Mapping[MigErrorCode, ErrorRow]] = MappingProxyType({row.code: row for row in _ROWS})
"""Every code, in the order of the protobuf numbers."""


class MigFault(Exception):
    """A refusal or failure that MIG has a code for. `message` is one line that the caller can act on.

    `retryable` defaults to the code's. `variant` chooses one of the code's special HTTP statuses, such as
    "too_large"; ValueError if the code has none of that name. `retry_after_s` is the wait to suggest, in
    seconds. `header` is the response header, set by whoever knows the request's normalised one.
    """

    def __init__(
        self,
        code: MigErrorCode,
        message: str,
        *,
        details: dict[str, Any] | None = None,
        retryable: bool | None = None,
        variant: str | None = None,
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(code, message)
        row = ERRORS[code]
        if variant is not None and variant not in row.http_variants:
            raise ValueError(f"{code} has no variant {variant!r}, only {sorted(row.http_variants)}")
        self.code = code
        self.message = message
        self.details = details
        self.retryable = row.retryable if retryable is None else retryable
        self.variant = variant
        self.retry_after_s = retry_after_s
        self.header: MessageHeader | None = None

    def __str__(self) -> str:
        return f"{self.code}: {self.message}"

    @classmethod
    def from_envelope(cls, envelope: ErrorEnvelope, *, retry_after_s: float | None = None) -> MigFault:
        """The fault that a server answered with."""
        error = envelope.error
        details = None if error.details is UNSET else error.details
        fault = cls(
            error.code, error.message, details=details, retryable=error.retryable, retry_after_s=retry_after_s
        )
        fault.header = envelope.header
        return fault

    @property
    def row(self) -> ErrorRow:
        """What the table says about this code."""
        return ERRORS[self.code]

    @property
    def http_status(self) -> int:
        """The HTTP status: the variant's, else the code's."""
        row = ERRORS[self.code]
        return row.http_status if self.variant is None else row.http_variants[self.variant]

    def error(self) -> MigError:
        """The wire form. A fault without details has none."""
        return MigError(
            code=self.code,
            message=self.message,
            retryable=self.retryable,
            details=UNSET if self.details is None else self.details,
        )


def fault_of(error: Exception) -> MigFault:
    """A MigFault as it is; anything else as MIG_INTERNAL that tells nothing, with its cause for the log."""
    if isinstance(error, MigFault):
        return error
    fault = MigFault(MigErrorCode.MIG_INTERNAL, "internal error")
    fault.__cause__ = error
    return fault
