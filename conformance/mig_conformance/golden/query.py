"""Rows as the path, query and header fields of a GET, which have no types and no nesting."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mig_conformance import reference
from mig_conformance.golden.saying import NotExpressibleError
from mig_conformance.vectors import Malformed, Valid
from mig_protocol.operations import HEADER_CARRIERS, Operation

_JSON_TYPES = {"string": str, "integer": int}
_CARRIED = {carrier.field: carrier.http for carrier in HEADER_CARRIERS if carrier.http is not None}


def query_of(operation: Operation, row: Valid | Malformed) -> dict[str, Any]:
    """The message without its header. Raises NotExpressibleError."""
    if not isinstance(row.json, dict):
        raise NotExpressibleError("a query is always an object")
    message = operation.request or operation.query
    fields = {name: value for name, value in row.json.items() if name != "header"}
    for name, value in fields.items():
        kind = reference.schema_of(message.__name__ if message else "", name).get("type", "string")
        if type(value) is not _JSON_TYPES.get(str(kind), str):
            raise NotExpressibleError(f"a query has no types, so {name} can not have a wrong one")
    return fields


def header_fields(operation: Operation, row: Valid | Malformed) -> dict[str, str]:
    """The message's header as fields of HTTP's. Raises NotExpressibleError."""
    given = row.json.get("header", {})
    if operation.rights != "caller":
        return {}
    if not isinstance(given, dict):
        raise NotExpressibleError("header fields are always an object")
    if isinstance(row, Malformed):
        _check(given, row)
    return {_CARRIED[field]: str(value) for field, value in given.items() if field in _CARRIED}


def _check(given: Mapping[str, Any], row: Malformed) -> None:
    """Whatever of the header can not travel may be what the row is about."""
    for field, value in given.items():
        if field not in _CARRIED:
            raise NotExpressibleError(f"HTTP has no header field for {field}")
        if not isinstance(value, str) or not value.isprintable():
            raise NotExpressibleError(f"{row.name}: {value!r} can not be in a header field")
