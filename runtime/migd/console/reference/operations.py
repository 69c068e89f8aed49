"""One operation of a document as its page shows it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from markupsafe import Markup

from mig_protocol.operations import OPERATIONS, Operation
from migd.console.reference.command import curl, websocat
from migd.console.reference.documents import Document, Endpoint, JsonObject, referred_name
from migd.console.reference.examples import Example, example_text
from migd.console.reference.markdown import block, inline
from migd.console.reference.schemas import SchemaTables, SchemaView, TypeLabel

_RIGHTS = {
    "public": "Needs no credential.",
    "caller": "Needs a bearer token in jwt mode.",
    "admin": "Needs a bearer token with the scope mig:admin in jwt mode.",
}


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of the request or a header field of the response."""

    name: str
    place: str
    type: TypeLabel
    required: bool
    description: Markup
    bounds: tuple[str, ...]
    example: str


@dataclass(frozen=True, slots=True)
class Content:
    """A body: what it is, in which media type, with examples. `view` is None where it is plain text."""

    media_type: str
    type: TypeLabel
    view: SchemaView | None
    examples: tuple[Example, ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """A response; `shared` names the document's response that it refers to, empty for one of its own."""

    status: str
    description: Markup
    headers: tuple[Parameter, ...]
    contents: tuple[Content, ...]
    shared: str = ""


@dataclass(frozen=True, slots=True)
class Body:
    required: bool
    description: Markup
    contents: tuple[Content, ...]


@dataclass(frozen=True, slots=True)
class OperationView:
    """`elsewhere` lists the other bindings that offer the operation, as (binding, place)."""

    id: str
    name: str
    verb: str
    path: str
    tag: str
    summary: Markup
    description: Markup
    rights: str
    elsewhere: tuple[tuple[str, str], ...]
    parameters: tuple[Parameter, ...]
    body: Body | None
    successes: tuple[Answer, ...]
    refusals: tuple[Answer, ...]
    command: str


class OperationViews:
    """The operations and shared responses of one document."""

    def __init__(self, document: Document, *, frame: JsonObject, with_token: bool) -> None:
        """`frame` is an example of what a client sends once it has a WebSocket."""
        self._document = document
        self._tables = SchemaTables(document)
        self._frame = frame
        self._with_token = with_token

    def all(self) -> list[OperationView]:
        return [self._view(endpoint) for endpoint in self._document.endpoints()]

    def shared_answers(self) -> list[Answer]:
        responses = self._document.components("responses")
        return [self._answer("", response, name) for name, response in sorted(responses.items())]

    def _view(self, endpoint: Endpoint) -> OperationView:
        operation = endpoint.operation
        row = _registered(endpoint)
        answers = [self._linked(status, node) for status, node in operation["responses"].items()]
        return OperationView(
            id=operation["operationId"],
            name=row.id,
            verb=endpoint.verb,
            path=endpoint.path,
            tag=operation.get("tags", [""])[0],
            summary=inline(operation["summary"]),
            description=block(operation.get("description", "")),
            rights=_RIGHTS[row.rights],
            elsewhere=tuple(_elsewhere(row)),
            parameters=tuple(self._parameter(node) for node in operation.get("parameters", ())),
            body=self._body(operation),
            successes=tuple(answer for answer in answers if not answer.shared),
            refusals=tuple(answer for answer in answers if answer.shared),
            command=self._command(endpoint, row),
        )

    def _command(self, endpoint: Endpoint, row: Operation) -> str:
        with_token = self._with_token and row.rights != "public"
        if "101" in endpoint.operation["responses"]:
            return websocat(endpoint, self._frame, with_token=with_token)
        return curl(self._document, endpoint, with_token=with_token)

    def _parameter(self, node: JsonObject, name: str = "", place: str = "") -> Parameter:
        found = self._document.resolve(node)
        schema = found.get("schema", {})
        return Parameter(
            name=name or found["name"],
            place=place or found["in"],
            type=self._tables.label(schema),
            required=found.get("required", False),
            description=inline(found.get("description", "")),
            bounds=self._tables.bounds(schema),
            example=example_text(found["example"]) if "example" in found else "",
        )

    def _body(self, operation: JsonObject) -> Body | None:
        if "requestBody" not in operation:
            return None
        body = self._document.resolve(operation["requestBody"])
        return Body(
            required=body.get("required", False),
            description=inline(body.get("description", "")),
            contents=tuple(self._contents(body)),
        )

    def _linked(self, status: str, node: JsonObject) -> Answer:
        return self._answer(status, self._document.resolve(node), referred_name(node))

    def _answer(self, status: str, response: JsonObject, shared: str) -> Answer:
        headers = response.get("headers", {})
        return Answer(
            status=status,
            description=inline(response.get("description", "")),
            headers=tuple(self._parameter(node, name, "header") for name, node in headers.items()),
            contents=tuple(self._contents(response)),
            shared=shared,
        )

    def _contents(self, node: JsonObject) -> Iterator[Content]:
        for media_type, content in node.get("content", {}).items():
            schema = content.get("schema") or content.get("itemSchema", {})
            label = self._tables.label(schema)
            words = "a stream of " if "itemSchema" in content else label.words
            yield Content(
                media_type=media_type,
                type=TypeLabel(words, label.schema),
                view=self._tables.named(label.schema) if "$ref" in schema else None,
                examples=tuple(self._examples(content)),
            )

    def _examples(self, content: JsonObject) -> Iterator[Example]:
        for name, node in content.get("examples", {}).items():
            example = self._document.resolve(node)
            yield Example(example.get("summary", name), example_text(example["value"]))


def _registered(endpoint: Endpoint) -> Operation:
    place = (endpoint.verb, endpoint.path)
    return next(row for row in OPERATIONS if (row.http_method, row.http_path) == place)


def _elsewhere(row: Operation) -> Iterator[tuple[str, str]]:
    for binding, place in (("gRPC", row.rpc), ("NATS", row.nats)):
        if place is not None:
            yield binding, place
