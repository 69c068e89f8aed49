"""Requests as schemathesis generates them, brought in line with what OpenAPI can not say.

Requests that break their schema stay as they are, but for one mistake of schemathesis.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from itertools import count
from typing import Any
from urllib.parse import unquote

import schemathesis
from hypothesis import strategies as st
from schemathesis import BaseSchema, Case, HookContext
from schemathesis.core.parameters import ParameterLocation
from schemathesis.generation.meta import CoverageScenario, coverage_scenario

from mig_protocol.operations import OPERATIONS

TENANT = "acme"
TOPIC = "fuzz.events"
EXAMPLE_TOPIC = "observatory.inference.completed"
ECHO = "fuzz.echo"
_TRACEPARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
_BOUND = {operation.http_path: operation.path_fields for operation in OPERATIONS}
_INVOKE = "/mig/v0.1/invoke/{capability}"
_STREAM = "/mig/v0.1/stream"
_SUBSCRIBE = "/mig/v0.1/subscribe/{topic}"
_HANDSHAKE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
}


def shape_requests(schema: BaseSchema) -> None:
    """Let what follows happen to the requests of one schema."""
    schema.hooks.register_hook_with_name(_shaper(), "map_case")
    schema.hooks.register_hook_with_name(call_what_is_there, "before_generate_path_parameters")
    schema.hooks.register_hook_with_name(is_a_test, "filter_case")


def is_a_test(_context: HookContext, case: Case[Any]) -> bool:
    """A header field that the document does not list breaks nothing, whatever schemathesis thinks of it."""
    scenario = coverage_scenario(case)
    if case.meta is None or scenario is not CoverageScenario.OBJECT_UNEXPECTED_PROPERTIES:
        return True
    return case.meta.phase.data.parameter_location is not ParameterLocation.HEADER


def call_what_is_there(context: HookContext, strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Half of the invocations go to a capability that exists and takes any payload."""
    if context.operation is None or context.operation.path != _INVOKE:
        return strategy
    return st.just({"capability": ECHO}) | strategy


@schemathesis.hook("before_call")
def shake_hands(_context: HookContext, case: Case[Any], kwargs: dict[str, Any]) -> None:
    """A GET of the stream is the opening handshake of a WebSocket (RFC 6455, 4.1)."""
    if case.operation.path == _STREAM and case.method == "GET":
        case.headers.update(_HANDSHAKE)
        kwargs["hooks"] = {"response": _leave}


def _leave(response: Any, *_args: Any, **_kwargs: Any) -> None:
    """Once upgraded, the connection is no HTTP connection any more that could be used again."""
    if response.status_code == 101:
        response.raw.close()


def _shaper() -> Callable[[HookContext, Case[Any]], Case[Any]]:
    numbers = count()

    def shape(_context: HookContext, case: Case[Any]) -> Case[Any]:
        _mend_traceparent(case)
        if case.meta is None or not case.meta.generation.mode.is_positive:
            return case
        # schemathesis shares one body between the cases that differ elsewhere.
        if isinstance(case.body, dict):
            case.body = copy.deepcopy(case.body)
        case.headers = copy.copy(case.headers)
        if case.operation.path.startswith("/mig/"):
            _name_tenant(case)
            _follow_path(case)
        if case.operation.path == _SUBSCRIBE:
            _subscribe_where_events_are(case)
        if case.operation.path.startswith("/cloud/"):
            _make_id_new(case, next(numbers))
        return case

    return shape


def _name_tenant(case: Case[Any]) -> None:
    """One tenant, in the header field or in the body or in both."""
    header = case.body.get("header") if isinstance(case.body, dict) else None
    if isinstance(header, dict) and "tenant_id" in header:
        header["tenant_id"] = TENANT
        if "X-Tenant-ID" not in case.headers:
            return
    case.headers["X-Tenant-ID"] = TENANT


def _follow_path(case: Case[Any]) -> None:
    """What is in the path and in the body has to agree."""
    for parameter, field in _BOUND[case.operation.path].items():
        if isinstance(case.body, dict) and field in case.body:
            # A value that came out of an earlier answer is in its percent-encoded form by now.
            case.body[field] = unquote(case.path_parameters[parameter])


def _mend_traceparent(case: Case[Any]) -> None:
    """schemathesis 4.32 can not make one from its pattern for the coverage phase, and has "0" in the requests
    that test something else.
    """
    data = None if case.meta is None else case.meta.phase.data
    if case.headers.get("traceparent") == "0" and data is not None and data.parameter != "traceparent":
        case.headers = copy.copy(case.headers)
        case.headers["traceparent"] = _TRACEPARENT


def _subscribe_where_events_are(case: Case[Any]) -> None:
    """A topic that is published to all the time, and a cursor that it will soon have passed."""
    case.path_parameters = {"topic": TOPIC}
    case.query = copy.copy(case.query)
    for values, name in ((case.query, "resume_cursor"), (case.headers, "Last-Event-ID")):
        if name in values:
            values[name] = str(values[name])[-1]


def _make_id_new(case: Case[Any], number: int) -> None:
    """An id can be given once only."""
    if isinstance(case.body, dict) and "id" in case.body:
        case.body["id"] = f"{number}-{case.body['id']}"[:64]
