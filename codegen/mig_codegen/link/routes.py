"""The HTTP operations of the OpenAPI documents as the model holds them, their references followed."""

from __future__ import annotations

from collections.abc import Iterator

from mig_codegen.link.openapi import operations
from mig_codegen.link.place import Place, target
from mig_codegen.link.types import json_type, schema_title
from mig_codegen.load import SourceFile, Spec
from mig_codegen.model import HttpBody, HttpResponse, Parameter, ParameterPlace, Route
from mig_codegen.problem import Problems

_PLACES: dict[str, ParameterPlace] = {"path": "path", "query": "query", "header": "header"}


def document_name(file: SourceFile) -> str:
    """`spec/openapi/mig.v0.1.yaml` is mig."""
    return file.name.rpartition("/")[2].partition(".")[0]


def link_routes(spec: Spec, problems: Problems) -> tuple[Route, ...]:
    """Every HTTP operation of every document, in the order of the files. Their ids are unique in each."""
    return tuple(
        _route(spec, file, path, place, problems)
        for file in spec.folder("openapi")
        for path, place in operations(file)
    )


def _route(spec: Spec, file: SourceFile, path: str, place: Place, problems: Problems) -> Route:
    body = place.get("requestBody")
    body = target(spec, body) if body else None
    return Route(
        document=document_name(file),
        operation_id=place.text("operationId"),
        method=place.key.upper(),
        path=path,
        summary=place.text("summary"),
        description=place.text("description"),
        parameters=tuple(_parameters(spec, file, path, place)),
        request_bodies=tuple(_bodies(spec, body)) if body else (),
        request_required=bool(body and body.value.get("required", False)),
        public=place.value.get("security") == [],
        responses=tuple(_responses(spec, place, problems)),
        source=place.source,
    )


def _parameters(spec: Spec, file: SourceFile, path: str, operation: Place) -> Iterator[Parameter]:
    item = Place.root(file).get("paths", path)
    shared = item.members("parameters") if item else iter(())
    for place in (*shared, *operation.members("parameters")):
        found = target(spec, place)
        schema = found.get("schema") if found else None
        if found is None or schema is None or found.text("in") not in _PLACES:
            continue  # dangling, or a cookie: refused elsewhere or none of MIG's
        yield Parameter(
            name=found.text("name"),
            place=_PLACES[found.text("in")],
            required=bool(found.value.get("required", False)),
            type=json_type(spec, schema),
            description=found.text("description"),
            source=found.source,
        )


def _bodies(spec: Spec, owner: Place) -> Iterator[HttpBody]:
    for media in owner.members("content"):
        schema = media.get("schema") or media.get("itemSchema")
        yield HttpBody(media_type=media.key, schema=schema_title(spec, schema))


def _responses(spec: Spec, operation: Place, problems: Problems) -> Iterator[HttpResponse]:
    for place in operation.members("responses"):
        if not place.key.isdigit():
            what = f"the status {place.key!r} is no number"
            problems.add(
                place.source, what, "list each status by itself, so that it can be linked to an error"
            )
            continue
        found = target(spec, place)
        if found is None:
            continue
        yield HttpResponse(
            status=int(place.key),
            bodies=tuple(_bodies(spec, found)),
            headers=tuple(header.key for header in found.members("headers")),
            description=found.text("description"),
            source=place.source,
        )
