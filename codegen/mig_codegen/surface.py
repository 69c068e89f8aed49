"""What users of the protocol can rely on, as one sorted line per fact.

A line is `kind subject attribute value`, where the value is JSON; what merely exists is `kind subject`.
No subject has a space in it. `breaking` compares two such texts; people read the difference in a review.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from mig_codegen.link.types import bounds
from mig_codegen.model import (
    Channel,
    Enum,
    ErrorRow,
    Message,
    Model,
    Operation,
    Property,
    Requirement,
    Route,
    Schema,
)

Facts = Iterator[tuple[str, str, Mapping[str, Any]]]

_HEADER = "# What users of MIG rely on, one fact a line. Written by `make generate`; do not edit.\n"


def surface(model: Model) -> str:
    """The text of spec/SURFACE.txt: sorted, the same bytes for the same spec."""
    lines: set[str] = set()
    for kind, subject, attributes in _facts(model):
        told = {name: value for name, value in attributes.items() if value is not None}
        if not told:
            lines.add(f"{kind} {subject}")
        lines.update(f"{kind} {subject} {name} {_json(value)}" for name, value in told.items())
    return _HEADER + "".join(f"{line}\n" for line in sorted(lines))


def _json(value: Any) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


def _facts(model: Model) -> Facts:
    yield "package", model.proto_package, {}
    for message in model.messages:
        yield from _message(message)
    for enum in model.enums:
        yield from _enum(enum)
    directions = schema_directions(model)
    for schema in model.schemas:
        yield from _schema(schema, directions.get(schema.title, ()))
    for operation in model.operations:
        yield from _operation(operation)
    for channel in model.channels:
        yield from _channel(channel)
    for row in model.errors:
        yield from _error(row)
    yield from _tables(model)


def schema_directions(model: Model) -> dict[str, tuple[str, ...]]:
    """Which way each schema travels: "request" (a caller writes it), "response" (a server does), or both."""
    refs = {schema.title: schema.refs for schema in model.schemas}
    requests = [title for row in model.operations for title in (row.request, row.query)]
    responses: list[str | None] = [row.response for row in model.operations]
    responses += [title for channel in model.channels for title in (*channel.replies, *channel.sends)]
    responses += [
        body.schema
        for row in model.operations
        if row.route
        for one in row.route.responses
        for body in one.bodies
    ]
    written, read = _reachable(requests, refs), _reachable(responses, refs)
    return {
        title: tuple(name for name, titles in (("request", written), ("response", read)) if title in titles)
        for title in refs
    }


def _reachable(start: Iterable[str | None], refs: Mapping[str, tuple[str, ...]]) -> set[str]:
    found: set[str] = set()
    waiting = [title for title in start if title]
    while waiting:
        title = waiting.pop()
        if title not in found:
            found.add(title)
            waiting.extend(refs.get(title, ()))
    return found


def _message(message: Message) -> Facts:
    forms = {"request": message.request_schema, "response": message.response_schema}
    yield "message", message.name, forms
    for field in message.fields:
        attributes = {"number": field.number, "type": field.proto_type, "repeated": field.repeated}
        yield "field", f"{message.name}.{field.name}", attributes


def _enum(enum: Enum) -> Facts:
    yield "enum", enum.name, {}
    for value in enum.values:
        yield "enum-value", f"{enum.name}.{value.name}", {"number": value.number, "json": value.json}


def _schema(schema: Schema, directions: tuple[str, ...]) -> Facts:
    own = {key: schema.document.get(key) for key in ("pattern", "format", *_RANGES)}
    yield "schema", schema.title, {"type": schema.type, "travels": list(directions), **own}
    for value in schema.enum:
        yield "schema-value", f"{schema.title}.{value}", {}
    for property_ in schema.properties:
        yield "property", f"{schema.title}.{property_.name}", _property(property_)


_RANGES = ("minimum", "maximum", "minLength", "maxLength", "minItems", "maxItems")


def _property(one: Property) -> dict[str, Any]:
    inside = one.type.items
    # Bounds of a referred type are facts of that type; a reference is a fact of its own.
    own = {} if one.type.ref else {key: value for key, value in bounds(one.type).items() if key != "items"}
    attributes: dict[str, Any] = {"type": one.type.type, "ref": one.type.ref, "required": one.required, **own}
    if inside is not None:
        attributes["items"] = inside.ref or bounds(inside)
    if one.has_default:
        attributes["default"] = one.default
    return attributes


def _operation(row: Operation) -> Facts:
    yield (
        "operation",
        row.id,
        {
            "rpc": row.rpc.path if row.rpc else None,
            "http": f"{row.route.method} {row.route.path}" if row.route else None,
            "nats": row.channel.address if row.channel else None,
            "request": row.request,
            "query": row.query,
            "response": row.response,
            "shape": row.shape,
            "rights": row.rights,
            "status": row.status,
            "path_fields": dict(row.path_fields) or None,
        },
    )
    if row.route is not None:
        yield from _route(row.id, row.route)


def _route(operation: str, route: Route) -> Facts:
    yield "body", operation, {"required": route.request_required}
    for one in route.parameters:
        attributes = {"required": one.required, **bounds(one.type)}
        yield "parameter", f"{operation}.{one.place}.{one.name}", attributes
    for response in route.responses:
        subject = f"{operation}.{response.status}"
        yield "status", subject, {body.media_type: body.schema or "text" for body in response.bodies}
        for header in response.headers:
            yield "response-header", f"{subject}.{header}", {}


def _channel(channel: Channel) -> Facts:
    yield "channel", channel.id, {"address": channel.address, "protocol": channel.protocol}
    for verb, titles in (
        ("receives", channel.receives),
        ("sends", channel.sends),
        ("replies", channel.replies),
    ):
        for title in titles:
            yield f"channel-{verb}", f"{channel.id}.{title}", {}


def _error(row: ErrorRow) -> Facts:
    yield (
        "error",
        row.code,
        {
            "number": row.number,
            "retryable": row.retryable,
            "http": row.http_status,
            "grpc": row.grpc_name,
            "jsonrpc": row.jsonrpc,
            "retry_after": row.retry_after,
        },
    )
    for name, status in row.http_variants.items():
        yield "error-variant", f"{row.code}.{name}", {"http": status}


def _tables(model: Model) -> Facts:
    for feature in model.features:
        yield "feature", feature.id, {}
    for profile in model.profiles:
        yield "profile", profile.id, {"requires": sorted(profile.requires)}
    for carrier in model.header_carriers:
        names = {"http": carrier.http, "grpc": carrier.grpc, "nats": carrier.nats}
        yield "header", carrier.field, names
    for row in model.requirements:
        yield "requirement", row.id, _requirement(row)


def _requirement(row: Requirement) -> dict[str, Any]:
    # What covers it is left out: it is the conformance suite's, and grows within a revision of the protocol.
    return {
        "level": row.level,
        "text": f"sha256:{_digest(row.text)}",
        "profile": row.profile,
        "bindings": sorted(row.bindings),
    }


def _digest(text: str) -> str:
    """Enough of a hash to see that words changed; how they are wrapped into lines does not count."""
    return hashlib.sha256(" ".join(text.split()).encode()).hexdigest()[:16]
