"""An operation as a command for the shell, from the examples in its document."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from migd.console.reference.documents import Document, Endpoint, JsonObject

# Stands for the server's own scheme and authority, which only the request for a page tells.
ORIGIN = "http://server.invalid"
WEBSOCKET_ORIGIN = "ws://server.invalid"

_TENANT_HEADER = "X-Tenant-ID"
_AUTHORIZATION = '"Authorization: Bearer $MIG_AUTHORIZATION"'


def curl(document: Document, endpoint: Endpoint, *, with_token: bool) -> str:
    """One argument a line; `MIG_AUTHORIZATION` is the reader's own variable."""
    parameters = [document.resolve(node) for node in endpoint.operation.get("parameters", ())]
    body = _body(document, endpoint.operation)
    arguments = [" ".join(_start(endpoint, parameters))]
    if not _names_tenant(body):
        arguments += [_header(p) for p in parameters if p["name"] == _TENANT_HEADER]
    if with_token:
        arguments.append(f"-H {_AUTHORIZATION}")
    if body is not None:
        arguments.append(f"-d {shlex.quote(_compact(body))}")
    return _lines(arguments)


def websocat(endpoint: Endpoint, frame: JsonObject, *, with_token: bool) -> str:
    """curl sends no WebSocket messages; websocat sends each line of its input as one."""
    client = f"echo {shlex.quote(_compact(frame))} | websocat -n"
    arguments = [client, f"-H={_AUTHORIZATION}"] if with_token else [client]
    return _lines([*arguments, WEBSOCKET_ORIGIN + endpoint.path])


def _start(endpoint: Endpoint, parameters: list[JsonObject]) -> Iterator[str]:
    yield "curl"
    if "text/event-stream" in endpoint.operation["responses"].get("200", {}).get("content", {}):
        yield "-N"
    yield shlex.quote(ORIGIN + _filled(endpoint.path, parameters))


def _filled(path: str, parameters: list[JsonObject]) -> str:
    for parameter in parameters:
        if parameter["in"] == "path":
            path = path.replace(f"{{{parameter['name']}}}", quote(str(parameter["example"]), safe=""))
    return path


def _header(parameter: JsonObject) -> str:
    line = f"{parameter['name']}: {parameter['example']}"
    return f"-H {shlex.quote(line)}"


def _body(document: Document, operation: JsonObject) -> Any:
    """The first example of the request; None where there is no body."""
    if "requestBody" not in operation:
        return None
    content = document.resolve(operation["requestBody"])["content"]["application/json"]
    return document.resolve(next(iter(content["examples"].values())))["value"]


def _names_tenant(body: Any) -> bool:
    return isinstance(body, dict) and "tenant_id" in body.get("header", {})


def _compact(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _lines(arguments: list[str]) -> str:
    return " \\\n  ".join(arguments)
