"""Requests as schemathesis generates them, brought in line with what OpenAPI can not say.

Only requests that are meant to be accepted are touched: those that break their schema stay as they are.
"""

from __future__ import annotations

from typing import Any

import schemathesis
from hypothesis import strategies as st
from mig_protocol.operations import OPERATIONS
from schemathesis import BaseSchema, Case, HookContext

TENANT = "acme"
ECHO = "fuzz.echo"
_TRACEPARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
_INVOKE = "/mig/v0.1/invoke/{capability}"
_STREAM = "/mig/v0.1/stream"
_BOUND = {operation.http_path: operation.path_fields for operation in OPERATIONS}
_HANDSHAKE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
}


def shape_requests(schema: BaseSchema) -> None:
    """Let what follows happen to the requests of one schema."""
    schema.hooks.register_hook_with_name(agree, "map_case")
    schema.hooks.register_hook_with_name(call_what_is_there, "before_generate_path_parameters")


def agree(_context: HookContext, case: Case) -> Case:
    """One tenant in the header field and in the body, and the path's value wherever the body repeats it."""
    if case.meta is None or not case.meta.generation.mode.is_positive:
        return case
    if case.operation.path.startswith("/mig/"):
        _name_tenant(case)
        _follow_path(case)
        _mend_traceparent(case)
    return case


def call_what_is_there(context: HookContext, strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Half of the invocations go to a capability that exists and takes any payload."""
    if context.operation is None or context.operation.path != _INVOKE:
        return strategy
    return st.just({"capability": ECHO}) | strategy


@schemathesis.hook("before_call")
def shake_hands(_context: HookContext, case: Case, kwargs: dict[str, Any]) -> None:
    """A GET of the stream is the opening handshake of a WebSocket (RFC 6455, 4.1)."""
    if case.operation.path == _STREAM and case.method == "GET":
        kwargs["headers"] = {**(kwargs.get("headers") or {}), **_HANDSHAKE}
        kwargs["hooks"] = {"response": _leave}


def _leave(response: Any, *_args: Any, **_kwargs: Any) -> None:
    """Once upgraded, the connection is no HTTP connection any more that could be used again."""
    if response.status_code == 101:
        response.raw.close()


def _name_tenant(case: Case) -> None:
    header = _message_header(case)
    if "X-Tenant-ID" in case.headers or not header or "tenant_id" not in header:
        case.headers["X-Tenant-ID"] = TENANT
    if header and "tenant_id" in header:
        header["tenant_id"] = TENANT


def _follow_path(case: Case) -> None:
    for field in _BOUND.get(case.operation.path, ()):
        if isinstance(case.body, dict) and field in case.body:
            [case.body[field]] = case.path_parameters.values()


def _mend_traceparent(case: Case) -> None:
    # schemathesis 4.32 can not make one from the pattern for its coverage phase, and sends "0" as if valid.
    if case.headers.get("traceparent") == "0":
        case.headers["traceparent"] = _TRACEPARENT


def _message_header(case: Case) -> dict[str, Any] | None:
    header = case.body.get("header") if isinstance(case.body, dict) else None
    return header if isinstance(header, dict) else None
