"""Do proto, OpenAPI and AsyncAPI say the same of an operation as its row: types, directions, statuses?"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from mig_codegen.link.carriers import HEADER_MESSAGE
from mig_codegen.link.types import bounds
from mig_codegen.model import (
    Channel,
    HeaderCarrier,
    HttpBody,
    HttpResponse,
    Message,
    Operation,
    Parameter,
    Route,
    Rpc,
    Schema,
    Source,
)
from mig_codegen.problem import Problems

ENVELOPE = "ErrorEnvelope"
_ROW = "make it agree with spec/registry/operations.yaml"


@dataclass(frozen=True, kw_only=True)
class Agreement:
    """Compares operations with their places. `error_statuses` are those that some error row has."""

    schemas: Mapping[str, Schema]
    messages: Mapping[str, Message]
    carriers: tuple[HeaderCarrier, ...]
    error_statuses: frozenset[int]
    problems: Problems

    def check(self, operation: Operation) -> None:
        """Refuse every difference between the row and the places that it names."""
        if operation.rpc is not None:
            self._check_rpc(operation, operation.rpc)
        if operation.route is not None:
            self._check_route(operation, operation.route)
        if operation.channel is not None:
            self._check_channel(operation, operation.channel)

    # --- gRPC ---

    def _check_rpc(self, operation: Operation, rpc: Rpc) -> None:
        request = self.messages[rpc.request].request_schema
        response = self.messages[rpc.response].response_schema
        self._same(rpc.source, operation, f"the rpc {rpc.key} takes", request, operation.request)
        self._same(rpc.source, operation, f"the rpc {rpc.key} gives", response, operation.response)
        streams = {"unary": (False, False), "server_stream": (False, True), "duplex": (True, True)}
        if (rpc.client_streaming, rpc.server_streaming) != streams[operation.shape]:
            what = f"the rpc {rpc.key} does not stream as the shape {operation.shape} of {operation.id} says"
            self.problems.add(rpc.source, what, "correct the stream keywords or the shape")

    # --- HTTP ---

    def _check_route(self, operation: Operation, route: Route) -> None:
        self._check_request_body(operation, route)
        self._check_statuses(operation, route)
        self._check_parameters(operation, route)
        if route.public != (operation.rights == "public"):
            asks = "asks for no credential" if route.public else "asks for a credential"
            what = f"{operation.id} has the rights {operation.rights!r}, its route {asks}"
            self.problems.add(route.source, what, "write `security: []` exactly where rights are public")

    def _check_request_body(self, operation: Operation, route: Route) -> None:
        where = f"the body of {route.method} {route.path} is"
        expected = operation.request if route.method == "POST" else None
        if expected is not None and not route.request_bodies:
            self._same(route.source, operation, where, None, expected)
        for body in route.request_bodies:
            self._same(route.source, operation, where, body.schema, expected)

    def _check_statuses(self, operation: Operation, route: Route) -> None:
        successes = [response for response in route.responses if response.status < 400]
        if [response.status for response in successes] != [operation.status]:
            found = ", ".join(str(response.status) for response in successes) or "no success"
            what = f"{route.method} {route.path} answers {found}, {operation.id} answers {operation.status}"
            self.problems.add(route.source, what, _ROW)
        for response in successes:
            self._check_success(operation, route, response)
        for response in route.responses:
            if response.status >= 400:
                self._check_error(operation, response)

    def _check_success(self, operation: Operation, route: Route, response: HttpResponse) -> None:
        where = f"{response.status} of {route.method} {route.path} carries"
        if operation.shape == "duplex":
            expected = None
        elif operation.response == "text":
            expected = "text"
        else:
            expected = operation.response
        if not response.bodies and expected is not None:
            self._same(response.source, operation, where, None, expected)
        for body in response.bodies:
            carried = self._carried(body, operation)
            self._same(response.source, operation, where, carried, expected)

    def _carried(self, body: HttpBody, operation: Operation) -> str | None:
        if body.schema is None:
            return None if body.media_type.endswith("json") else "text"
        # An SSE event is a frame around the message: itemSchema describes the frame.
        framed = self.schemas.get(body.schema)
        if body.media_type == "text/event-stream" and framed and operation.response in framed.refs:
            return operation.response
        # As lines, the answer is the items that its JSON form lists: itemSchema describes one of them.
        whole = self.schemas.get(operation.response)
        if body.media_type == "application/x-ndjson" and whole and body.schema in whole.refs:
            return operation.response
        return body.schema

    def _check_error(self, operation: Operation, response: HttpResponse) -> None:
        if response.status not in self.error_statuses:
            what = f"{operation.id} answers {response.status}, which no row of spec/registry/errors.yaml has"
            self.problems.add(response.source, what, "remove the status or add it to an error row")
        carried = {body.schema for body in response.bodies}
        if not carried or not carried <= {ENVELOPE, operation.response}:
            what = f"{response.status} of {operation.id} carries {_names(carried)}"
            self.problems.add(response.source, what, f"every error carries an {ENVELOPE}")

    def _check_parameters(self, operation: Operation, route: Route) -> None:
        query = [one for one in route.parameters if one.place == "query"]
        self._check_query(operation, route, query)
        for parameter in route.parameters:
            owner = self._field_owner(operation, parameter)
            if owner is not None:
                self._check_bounds(parameter, *owner)
        paths = {one.name for one in route.parameters if one.place == "path"}
        if paths != set(operation.path_fields):
            what = f"the path parameters of {operation.id} are {_names(paths)}"
            what += f", its path_fields {_names(operation.path_fields)}"
            self.problems.add(route.source, what, _ROW)

    def _check_query(self, operation: Operation, route: Route, query: list[Parameter]) -> None:
        given = {parameter.name for parameter in query}
        expected = set(self._query_fields(operation, route))
        for name in sorted(given ^ expected):
            title = operation.query or operation.request
            what = f"the query of {route.path} {'has' if name in given else 'lacks'} {name!r}"
            what += f", {title or operation.id} {'lacks' if name in given else 'has'} it"
            self.problems.add(route.source, what, "give both the same names")

    def _query_fields(self, operation: Operation, route: Route) -> Iterator[str]:
        from_query = operation.request if route.method == "GET" and operation.shape != "duplex" else None
        schema = self.schemas.get(operation.query or from_query or "")
        for one in schema.properties if schema else ():
            if one.name != "header" and one.name not in operation.path_fields.values():
                yield one.name

    def _field_owner(self, operation: Operation, parameter: Parameter) -> tuple[str, str] | None:
        """The (schema, property) that a parameter stands for, or None."""
        if parameter.place == "header":
            names = {one.http.lower(): one.field for one in self.carriers if one.http}
            field = names.get(parameter.name.lower())
            header = self.messages.get(HEADER_MESSAGE)
            return (header.request_schema, field) if field and header else None
        title = operation.query or operation.request
        if parameter.place == "path":
            return (title, operation.path_fields.get(parameter.name, parameter.name)) if title else None
        return (title, parameter.name) if title else None

    def _check_bounds(self, parameter: Parameter, title: str, field: str) -> None:
        schema = self.schemas.get(title)
        found = schema.property(field) if schema else None
        if found is not None and bounds(found.type) != bounds(parameter.type):
            what = f"the parameter {parameter.name!r} is not bounded as {title}.{field} at {found.source}"
            self.problems.add(parameter.source, what, "give both the same type and bounds, best by one $ref")

    # --- NATS ---

    def _check_channel(self, operation: Operation, channel: Channel) -> None:
        known = {"tenant", *operation.path_fields}
        response = self.schemas.get(operation.response)
        known |= {one.name for one in response.properties} if response else set()
        for extra in sorted(set(operation.path_fields) - set(channel.parameters)):
            what = f"path_fields of {operation.id} names {extra!r}, which {channel.address} does not have"
            self.problems.add(channel.source, what, _ROW)
        for extra in sorted(set(channel.parameters) - known):
            what = f"{channel.address} has {extra!r}, which {operation.id} does not know"
            self.problems.add(channel.source, what, "add it to path_fields or take it out of the address")
        if operation.shape == "unary":
            self._among(channel, operation, "receives", channel.receives, operation.request)
            self._among(channel, operation, "replies with", channel.replies, operation.response)
        else:
            self._among(channel, operation, "sends", channel.sends, operation.response)

    def check_websocket(self, operation: Operation, channel: Channel) -> None:
        """Refuse a WebSocket channel whose frames are not the operation's."""
        self._among(channel, operation, "receives", channel.receives, operation.request)
        self._among(channel, operation, "sends", channel.sends, operation.response)

    def check_payloads(self, channel: Channel, operations: Iterable[Operation]) -> None:
        """Refuse a payload that comes in or goes out on a channel and is no operation's there."""
        rows = list(operations)
        requests = {row.request for row in rows}
        responses = {row.response for row in rows}
        for verb, titles, known in (
            ("receives", channel.receives, requests),
            ("sends", channel.sends, responses | {ENVELOPE}),
        ):
            for title in titles:
                if title not in known:
                    what = f"the channel {channel.id!r} {verb} {title}, which no operation there has"
                    self.problems.add(channel.source, what, _ROW)

    def _among(
        self, channel: Channel, operation: Operation, verb: str, found: tuple[str, ...], expected: str | None
    ) -> None:
        if expected is not None and expected not in found:
            what = f"the channel {channel.id!r} {verb} {_names(found)}, {operation.id} has {expected}"
            self.problems.add(channel.source, what, _ROW)

    def _same(
        self, source: Source, operation: Operation, where: str, found: str | None, expected: str | None
    ) -> None:
        if found != expected:
            what = f"{where} {found or 'nothing'}, {operation.id} has {expected or 'nothing'}"
            self.problems.add(source, what, _ROW)


def _names(names: Iterable[str | None]) -> str:
    return ", ".join(sorted(name or "nothing" for name in names)) or "nothing"
