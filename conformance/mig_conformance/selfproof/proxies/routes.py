"""A request over HTTP as a message of its operation, and back."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlencode

from mig_conformance.drivers.port import BindingName
from mig_conformance.selfproof.passage import Passage, read_json
from mig_protocol.operations import OPERATIONS, Operation

_BINDINGS: Mapping[str, BindingName] = {"SUBSCRIBE": "sse", "STREAM": "websocket"}


@dataclass(frozen=True, slots=True)
class Route:
    """Which operation a target asks for, if any, and the fields of its message that stand in the path."""

    operation: Operation | None
    path: str
    named: Mapping[str, str]
    query: str

    @property
    def binding(self) -> BindingName:
        return _BINDINGS.get(self.operation.id, "http") if self.operation else "http"


def route_of(method: str, target: str) -> Route:
    """The route of a request line."""
    path, _, query = target.partition("?")
    for operation in OPERATIONS:
        if operation.http_method == method and (match := _pattern(operation).fullmatch(path)):
            named = {field: unquote(match[parameter]) for parameter, field in operation.path_fields.items()}
            return Route(operation, path, named, query)
    return Route(None, path, {}, query)


def asked(route: Route, fields: Mapping[str, str], body: bytes) -> Passage:
    """The request as it comes from the suite."""
    message = read_json(body)
    if isinstance(message, dict) or not body:
        message = {**route.named, **dict(parse_qsl(route.query)), **(message or {})}
    operation = route.operation
    return Passage(
        at=frozenset({"request"}),
        binding=route.binding,
        operations=frozenset({route.path, *({operation.id, str(operation.http_path)} if operation else ())}),
        message=message,
        raw=body,
        fields=fields,
        tenant=fields.get("x-tenant-id"),
    )


def target_after(route: Route, passage: Passage) -> str:
    """The target for the message as it is now."""
    message: Any = passage.message
    if not passage.changed or route.operation is None or not isinstance(message, dict):
        return f"{route.path}?{route.query}" if route.query else route.path
    path = str(route.operation.http_path)
    for parameter, field in route.operation.path_fields.items():
        value = str(message.get(field, route.named[field]))
        path = path.replace(f"{{{parameter}}}", quote(value, safe=""))
    query = route.query
    if route.operation.http_method == "GET":
        inside = {
            name: value for name, value in message.items() if name not in route.named and name != "header"
        }
        query = urlencode(inside)
    return f"{path}?{query}" if query else path


def _pattern(operation: Operation) -> re.Pattern[str]:
    return re.compile(re.sub(r"\\\{([a-z_]+)\\\}", r"(?P<\1>[^/]+)", re.escape(str(operation.http_path))))
