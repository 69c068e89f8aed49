# Generated from spec/ by `make generate`. Do not edit: change the spec or codegen/ and generate again.
"""One HTTP request and its answer, as plain values that no server library defines."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Generic, TypeVar

from msgspec import Struct

from mig_protocol.messages import RequestHeader

Body = bytes | AsyncIterator[bytes]
Headers = Sequence[tuple[bytes, bytes]]
T = TypeVar("T")

# What of a request's header fields anything here, or in front of it, looks at; the rest is passed over in one look each.
_READ = frozenset(
    {
        b"authorization",
        b"content-encoding",
        b"content-length",
        b"host",
        b"last-event-id",
        b"origin",
        b"sec-fetch-site",
        b"mig-message-id",
        b"x-tenant-id",
        b"mig-session-id",
        b"traceparent",
        b"idempotency-key",
        b"mig-deadline-ms",
    }
)


class Exchange:
    """One HTTP request.

    `path` is the path as it was sent, percent-encoded; `query` the query string without "?"; `headers` have
    their names in lower case; `fields` are those of them that MIG reads. `route` (such as
    "/mig/v0.1/invoke/{capability}") and `operation` (such as "INVOKE") are "" until the request is routed.
    `carried` is what the HTTP header fields say of the message header and `tenant` the valid X-Tenant-ID,
    both None until they are read, which is right after routing; once the body is read, `carried` is the whole
    header of the request. `wire_bytes` is the length of the body. `certificate` is the one that the client
    showed to the server's own TLS, as PEM; None where it showed none.
    """

    __slots__ = (
        "_client",
        "carried",
        "certificate",
        "fields",
        "headers",
        "method",
        "operation",
        "path",
        "query",
        "repeated",
        "route",
        "tenant",
        "wire_bytes",
    )

    def __init__(
        self,
        method: str,
        path: str,
        query: bytes = b"",
        headers: Headers = (),
        client: tuple[str, int] | None = None,
        certificate: str | None = None,
    ) -> None:
        self.method = method
        self.path = path
        self.query = query
        self.headers = headers
        self._client = client
        self.certificate = certificate
        self.route = ""
        self.operation = ""
        self.tenant: str | None = None
        self.carried: RequestHeader | None = None
        self.wire_bytes = 0
        self.repeated: bytes | None = None
        self.fields: dict[bytes, bytes] = {}
        fields = self.fields
        for name, value in headers:
            if name in _READ and fields.setdefault(name, value) != value:
                self.repeated = name

    @property
    def authorization(self) -> str | None:
        """The Authorization header field, or None."""
        value = self.fields.get(b"authorization")
        return None if value is None else value.decode("latin-1")

    @property
    def peer(self) -> str:
        """The other end as "ip:port", or "" where the server does not say."""
        if self._client is None:
            return ""
        host, port = self._client
        return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


class Answer(Generic[T]):
    """What a service method gives instead of a plain value where the spec documents more than one form of
    its answer: under another status, or as another media type (in full, with its parameters). A `value` that
    iterates over chunks asynchronously is sent as it comes.
    """

    __slots__ = ("media_type", "status", "value")

    def __init__(self, value: T, *, status: int | None = None, media_type: str | None = None) -> None:
        self.value = value
        self.status = status
        self.media_type = media_type


class Reply(Struct):
    """The answer: `body` is everything at once, or a stream of chunks that must be closed after use."""

    status: int
    headers: list[tuple[bytes, bytes]]
    body: Body
