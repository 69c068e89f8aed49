"""Vectors as HTTP requests, by the rules of spec/vectors/README.md ("Against a running server")."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from mig_conformance import reference
from mig_conformance.requests import TENANT, NotExpressibleError, default_value, named_tenant, path_value
from mig_conformance.vectors import Malformed, Valid
from mig_protocol.operations import HEADER_CARRIERS, Operation

_JSON_TYPES = {"string": str, "integer": int}


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """`target` is the path and the query, percent-encoded."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes


def http_request(operation: Operation, row: Valid | Malformed) -> HttpRequest:
    """The request that carries the message. Raises NotExpressibleError."""
    if operation.http_method is None or operation.http_path is None:
        raise NotExpressibleError(f"{operation.id} is not on HTTP")
    if operation.http_method == "GET":
        return _from_query(operation, row)
    path = _path(
        operation.http_path, {name: path_value(operation, row, name) for name in operation.path_fields}
    )
    headers = {"content-type": "application/json"}
    if named_tenant(row) is None:
        headers["x-tenant-id"] = TENANT
    return HttpRequest(operation.http_method, path, headers, row.body)


def _from_query(operation: Operation, row: Valid | Malformed) -> HttpRequest:
    """A message in path, query and header fields, which have no types and no nesting."""
    if not isinstance(row.json, dict):
        raise NotExpressibleError("a query is always an object")
    message = operation.request or operation.query
    fields = {name: value for name, value in row.json.items() if name != "header"}
    for name, value in fields.items():
        _check_type(message.__name__ if message else "", name, value)
    parts = {
        name: str(fields.pop(field, default_value(name))) for name, field in operation.path_fields.items()
    }
    target = _path(str(operation.http_path), parts)
    query = f"?{urlencode(fields)}" if fields else ""
    return HttpRequest(str(operation.http_method), target + query, _header_fields(operation, row), b"")


def _check_type(message: str, name: str, value: object) -> None:
    kind = reference.schema_of(message, name).get("type", "string")
    if type(value) is not _JSON_TYPES.get(str(kind), str):
        raise NotExpressibleError(f"a query has no types, so {name} can not have a wrong one")


def _header_fields(operation: Operation, row: Valid | Malformed) -> dict[str, str]:
    if operation.rights != "caller":
        return {}
    given = row.json.get("header", {})
    if not isinstance(given, dict):
        raise NotExpressibleError("header fields are always an object")
    named = {carrier.field: carrier.http for carrier in HEADER_CARRIERS if carrier.http is not None}
    if isinstance(row, Malformed):
        _check_carried(given, named, row)
    fields = {named[field]: str(value) for field, value in given.items() if field in named}
    return {"X-Tenant-ID": TENANT} | fields


def _check_carried(given: Mapping[str, Any], named: Mapping[str, str], row: Malformed) -> None:
    """Whatever of the header can not travel may be what the vector is about."""
    for field, value in given.items():
        if field not in named:
            raise NotExpressibleError(f"HTTP has no header field for {field}")
        if not isinstance(value, str) or not value.isprintable():
            raise NotExpressibleError(f"{row.name}: {value!r} can not be in a header field")


def _path(template: str, values: Mapping[str, str]) -> str:
    for name, value in values.items():
        template = template.replace(f"{{{name}}}", quote(value, safe=""))
    return template
