"""What the HTTP templates print: one view per route, in the order of the operations."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from mig_codegen.emit.prose import summary
from mig_codegen.model import HttpResponse, Model, Operation, Route

_EVENT_STREAM = "text/event-stream"
_LINES = "application/x-ndjson"
_DEFAULT_JSON = "application/json"
_STREAMED = " (its value an iterator of whole lines, closed with aclose() where it has one)"


@dataclass(frozen=True, kw_only=True)
class RouteView:
    """One route, as the templates name its parts. Types are names of messages, None where there is none."""

    operation: str
    handler: str
    method: str
    template: str
    template_prefix: str
    status: int
    form: str
    media_type: str
    request: str | None
    response: str | None
    result: str
    given: str
    varies: bool
    variation: str
    from_query: bool
    query_fields: dict[str, bool]
    query_names: tuple[str, ...]
    has_header: bool
    argument: str
    parameter: str
    bound_field: str
    public: bool
    doc: str
    other_statuses: tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class CarrierView:
    """An HTTP header field that carries a field of the message header."""

    name: bytes
    spelling: str
    field: str


def http_views(model: Model) -> dict[str, Any]:
    """The names that the http_* templates use."""
    routes = [_route(model, one, one.route) for one in model.operations if one.route is not None]
    served = [one for one in routes if one.form != "websocket"]
    messages = _names(one.request for one in routes) | _names(one.response for one in routes)
    given = _names(one.response for one in served)
    taken = _names(one.request for one in served)
    return {
        "routes": routes,
        "served": served,
        "http_carriers": [
            CarrierView(name=one.http.lower().encode(), spelling=one.http, field=one.field)
            for one in model.header_carriers
            if one.http is not None
        ],
        "route_messages": sorted(messages | {"MigErrorCode"}),
        "service_messages": sorted(taken | (given - _events(served)) | {"ErrorEnvelope"}),
        "client_messages": sorted(
            taken | given | {"ErrorEnvelope", "GapNotice", "MigErrorCode", "RequestHeader"}
        ),
    }


def _route(model: Model, operation: Operation, route: Route) -> RouteView:
    request = operation.request or operation.query
    query = {one.name: one.type.type == "integer" for one in route.parameters if one.place == "query"}
    from_query = operation.query is not None or bool(query)
    parameter, bound_field = next(iter(operation.path_fields.items()), ("", ""))
    form = _form(operation, route)
    success = next(one for one in route.responses if one.status == operation.status)
    media_types = [body.media_type for body in success.bodies] or [_DEFAULT_JSON]
    response = None if operation.response == "text" else operation.response
    other_statuses = tuple(_other_statuses(route, operation))
    varies = len(media_types) > 1 or bool(other_statuses)
    return RouteView(
        operation=operation.id,
        handler="" if form == "websocket" else operation.method,
        method=route.method,
        template=route.path,
        template_prefix=route.path.partition("{")[0],
        status=operation.status,
        form=form,
        media_type=media_types[0],
        request=None if form == "websocket" else request,
        response=None if form == "websocket" else response,
        result=response or "str",
        given=_given(response or "str", media_types, varies=varies),
        varies=varies,
        variation=_variation(media_types[1:], other_statuses),
        from_query=from_query,
        query_fields=query,
        query_names=tuple(query),
        has_header=request is not None and model.schema(request).property("header") is not None,
        argument="query" if operation.query is not None else "request",
        parameter=parameter,
        bound_field=bound_field,
        public=operation.rights == "public",
        doc=f"{operation.id}: {summary(operation)}",
        other_statuses=other_statuses,
    )


def _given(result: str, media_types: Sequence[str], *, varies: bool) -> str:
    """The types of what a service method may give, or give an awaitable of."""
    if not varies:
        return result
    streamed = " | Answer[AsyncIterator[bytes]]" if _LINES in media_types else ""
    return f"{result} | Answer[{result}]{streamed}"


def _variation(media_types: Iterable[str], statuses: Iterable[int]) -> str:
    others = [f"as {one}{_STREAMED if one == _LINES else ''}" for one in media_types]
    others += [f"under status {one}" for one in statuses]
    return f"Give an Answer to answer {' or '.join(others)} instead."


def _form(operation: Operation, route: Route) -> str:
    if operation.shape == "duplex":
        return "websocket"
    if operation.response == "text":
        return "text"
    kinds = {body.media_type for response in route.responses for body in response.bodies}
    return "events" if _EVENT_STREAM in kinds else "json"


def _other_statuses(route: Route, operation: Operation) -> Iterable[int]:
    """Statuses other than the usual one under which the operation's own answer is documented."""
    return (
        one.status
        for one in route.responses
        if one.status != operation.status and _carries(one, operation.response)
    )


def _carries(response: HttpResponse, schema: str) -> bool:
    return any(body.schema == schema for body in response.bodies)


def _events(routes: Iterable[RouteView]) -> set[str]:
    return _names(one.response for one in routes if one.form == "events")


def _names(names: Iterable[str | None]) -> set[str]:
    return {name for name in names if name is not None}
