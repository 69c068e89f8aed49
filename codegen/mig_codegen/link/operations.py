"""Is every operation where its row says on each binding, and is everything there in some row?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from mig_codegen.link.place import Place
from mig_codegen.link.rows import check_unique
from mig_codegen.load import Spec
from mig_codegen.model import Channel, Operation, Route, Rpc, Schema, Service
from mig_codegen.problem import Problems

TEXT = "text"
_NONE = "n/a"
_HELP = {
    "rpc": "the proto file (Service/Method)",
    "http": "an OpenAPI document (document/operationId)",
    "nats": "a channel of the AsyncAPI document",
}
_Found = TypeVar("_Found", Rpc, Route, Channel)


@dataclass(frozen=True, kw_only=True)
class Places:
    """Everything that a row can name, by the name that it uses."""

    rpc: Mapping[str, Rpc]
    http: Mapping[str, Route]
    nats: Mapping[str, Channel]


def places(services: Iterable[Service], routes: Iterable[Route], channels: Iterable[Channel]) -> Places:
    """Index the bindings' own documents as registry/operations.yaml names them."""
    return Places(
        rpc={rpc.key: rpc for service in services for rpc in service.rpcs},
        http={f"{route.document}/{route.operation_id}": route for route in routes},
        nats={channel.id: channel for channel in channels if channel.protocol == "nats"},
    )


def link_operations(
    spec: Spec, schemas: Mapping[str, Schema], places: Places, problems: Problems
) -> tuple[Operation, ...]:
    """Every row with its places found. Whether types and statuses agree there is `agreement`'s question."""
    rows = list(Place.root(spec.registry("operations")).members("operations"))
    check_unique(rows, "id", problems)
    check_unique(rows, "method", problems)
    for key in ("rpc", "http"):
        check_unique([row for row in rows if row.text(key) and not _is_absent(row.text(key))], key, problems)
    for row in rows:
        _check_titles(row, schemas, problems)
    return tuple(_operation(row, places, problems) for row in rows)


def _is_absent(name: str) -> bool:
    return name.startswith(_NONE)


def _check_titles(row: Place, schemas: Mapping[str, Schema], problems: Problems) -> None:
    for key in ("request", "query", "response"):
        title = row.text(key)
        if title and title not in schemas and (key, title) != ("response", TEXT):
            what = f"the {key} of {row.text('id')} is {title!r}, which has no schema file"
            problems.add(row.file.at(*row.path, key), what, "correct the name or add the schema")


def _operation(row: Place, places: Places, problems: Problems) -> Operation:
    rpc = _find(row, "rpc", places.rpc, problems)
    route = _find(row, "http", places.http, problems)
    channel = _find(row, "nats", places.nats, problems)
    duplex = row.value["shape"] == "duplex"
    names = {key: row.text(key) for key in _HELP}
    return Operation(
        id=row.text("id"),
        method=row.text("method"),
        rpc=rpc,
        route=route,
        channel=channel,
        absent={key: _reason(name) for key, name in names.items() if _is_absent(name)},
        request=row.value.get("request"),
        query=row.value.get("query"),
        response=row.text("response"),
        shape=row.value["shape"],
        rights=row.value["rights"],
        status=row.value.get("status", 101 if duplex else 200),
        path_fields=row.value.get("path_fields", {}),
        description=(route.description if route else "") or (rpc.description if rpc else ""),
        source=row.source,
    )


def _reason(name: str) -> str:
    return name.removeprefix(_NONE).lstrip(":").strip()


def _find(row: Place, key: str, known: Mapping[str, _Found], problems: Problems) -> _Found | None:
    name = row.text(key)
    source = row.file.at(*row.path, key)
    operation = row.text("id")
    if not name:
        what = f"{operation} says nothing about {key}"
        problems.add(source, what, f'name its place in {_HELP[key]} or write "{_NONE}: reason"')
    elif _is_absent(name):
        if not _reason(name):
            problems.add(source, f"{operation} has no {key} and gives no reason", f'write "{_NONE}: reason"')
    elif name not in known:
        what = f"{operation} names the {key} {name!r}, which does not exist"
        problems.add(source, what, f'add it to {_HELP[key]}, correct the name or write "{_NONE}: reason"')
    return known.get(name)


def check_all_named(
    operations: Iterable[Operation], places: Places, channels: Iterable[Channel], problems: Problems
) -> None:
    """Refuse an rpc, a route or a channel that is in no row. A WebSocket's channel goes with its route."""
    rows = list(operations)
    rpcs = {row.rpc.key for row in rows if row.rpc}
    routes = {row.route.source for row in rows if row.route}
    named = {row.channel.id for row in rows if row.channel}
    addresses = {row.route.path for row in rows if row.route}
    todo = "add it to a row of spec/registry/operations.yaml or remove it"
    for key, rpc in places.rpc.items():
        if key not in rpcs:
            problems.add(rpc.source, f"no operation names the rpc {key}", todo)
    for key, route in places.http.items():
        if route.source not in routes:
            problems.add(
                route.source, f"no operation names the route {key} ({route.method} {route.path})", todo
            )
    for channel in channels:
        if channel.id not in named and channel.address not in addresses:
            problems.add(channel.source, f"no operation names the channel {channel.id!r}", todo)
