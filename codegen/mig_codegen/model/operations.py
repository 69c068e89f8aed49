"""Operations and the places that they have over HTTP, NATS and the WebSocket."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from mig_codegen.model.protobuf import Rpc
from mig_codegen.model.schemas import JsonType
from mig_codegen.model.source import Source

Shape = Literal["unary", "server_stream", "duplex"]
Rights = Literal["caller", "admin", "public"]
ParameterPlace = Literal["path", "query", "header"]


@dataclass(frozen=True, kw_only=True)
class Parameter:
    """One parameter of an HTTP route, `$ref` to a shared parameter already followed."""

    name: str
    place: ParameterPlace
    required: bool
    type: JsonType
    description: str
    source: Source


@dataclass(frozen=True, kw_only=True)
class HttpBody:
    """One media type of a request or response. `schema` is a title, or None for text.

    For `text/event-stream` and `application/x-ndjson` in OpenAPI 3.2 `schema` is the title of `itemSchema`.
    """

    media_type: str
    schema: str | None


@dataclass(frozen=True, kw_only=True)
class HttpResponse:
    """What one status carries. `status` is the number; "default" and ranges are not used in MIG."""

    status: int
    bodies: tuple[HttpBody, ...]
    headers: tuple[str, ...]
    description: str
    source: Source


@dataclass(frozen=True, kw_only=True)
class Route:
    """One HTTP operation. `document` is the OpenAPI file's short name: mig, admin, pro or cloud."""

    document: str
    operation_id: str
    method: str  # "POST"
    path: str  # "/mig/v0.1/invoke/{capability}"
    summary: str
    description: str
    parameters: tuple[Parameter, ...]
    request_bodies: tuple[HttpBody, ...]
    request_required: bool
    public: bool  # `security: []`: no credential is asked for
    responses: tuple[HttpResponse, ...]
    source: Source

    @property
    def statuses(self) -> tuple[int, ...]:
        """Every documented status, ascending."""
        return tuple(sorted(one.status for one in self.responses))


@dataclass(frozen=True, kw_only=True)
class Channel:
    """One AsyncAPI channel. `address` has its parameters in braces, in order in `parameters`.

    `sends` and `receives` are the payload titles of the AsyncAPI operations on it, seen from the server as
    the document is written (receive = the server receives); `replies` those of their replies. Each sorted.
    `queue` is the NATS queue group that servers receive in, "" where each of them receives everything.
    """

    id: str
    address: str
    protocol: Literal["nats", "websocket"]
    parameters: tuple[str, ...]
    payloads: tuple[str, ...]
    sends: tuple[str, ...]
    receives: tuple[str, ...]
    replies: tuple[str, ...]
    queue: str
    description: str
    source: Source


@dataclass(frozen=True, kw_only=True)
class Operation:
    """One row of registry/operations.yaml with the places it names already found.

    Where a binding does not have it, its place is None and `absent` holds the reason under "rpc", "http" or
    "nats". `request`, `query` and `response` are schema titles; `response` is "text" where it is not JSON.
    `path_fields` maps a path or subject parameter to the body field that must agree with it.
    `description` is the route's, else the rpc's.
    """

    id: str
    method: str
    rpc: Rpc | None
    route: Route | None
    channel: Channel | None
    absent: Mapping[str, str]
    request: str | None
    query: str | None
    response: str
    shape: Shape
    rights: Rights
    status: int
    path_fields: Mapping[str, str]
    description: str
    source: Source
