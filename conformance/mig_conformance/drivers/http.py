"""HTTP: the operations that have a route, and plain requests to any path."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from io import BytesIO
from typing import Any
from urllib.parse import quote, urlencode

from aiohttp import ClientConnectionError, ClientError, ClientResponse, ClientSession, ClientTimeout
from yarl import URL

from mig_conformance.drivers.absent import Absent
from mig_conformance.drivers.json_text import read_json
from mig_conformance.drivers.port import (
    Answer,
    Ask,
    BindingName,
    Caller,
    NotOnBindingError,
)
from mig_conformance.drivers.transcript import Transcript
from mig_conformance.flaws import FlawError, SilentError, UnreachableError
from mig_protocol.operations import OPERATIONS, Operation

_OPERATIONS = {operation.id: operation for operation in OPERATIONS}
_NOTHING: Mapping[str, str] = {}
_LARGEST = 64 * 2**20
_PIECE = 64 * 1024


class HttpDriver(Absent):
    """`session` has the server's URL as its base."""

    binding: BindingName = "http"

    def __init__(self, session: ClientSession, transcript: Transcript, *, patience_s: float) -> None:
        self._session = session
        self._transcript = transcript
        self._patience_s = patience_s

    async def call(self, ask: Ask) -> Answer:
        """An operation of the table, admin, pro and cloud included."""
        operation = _OPERATIONS[ask.operation]
        if operation.http_method is None or operation.shape != "unary":
            raise NotOnBindingError(f"{ask.operation} is no unary operation of HTTP")
        body = json.dumps(ask.message).encode() if ask.body is None else ask.body
        if operation.http_method == "GET":
            body = b""
        answer = await self.request(
            operation.http_method,
            target_of(operation, ask),
            caller=ask.caller,
            body=body,
            fields={"content-type": "application/json", **ask.carried},
        )
        return self._read(operation, answer)

    async def request(
        self,
        method: str,
        target: str,
        *,
        caller: Caller,
        body: bytes = b"",
        fields: Mapping[str, str] = _NOTHING,
    ) -> Answer:
        """Any request; `target` is path and query, percent-encoded. The answer has status, fields and body.

        Raises UnreachableError where nobody listens, FlawError when no answer comes in time.
        """
        self._transcript.sent(f"{method} {target}", body)
        with translated(f"{method} {target}", self._patience_s):
            async with self._session.request(
                method,
                URL(target, encoded=True),
                headers={**credentials(caller), **fields},
                data=BytesIO(body) if body else None,
                allow_redirects=False,
                timeout=ClientTimeout(total=self._patience_s),
            ) as response:
                content = await body_of(response)
                found = {name.lower(): value for name, value in response.headers.items()}
                self._transcript.received(f"HTTP {response.status}", content)
                return Answer(status=response.status, fields=found, body=content)

    def _read(self, operation: Operation, answer: Answer) -> Answer:
        if operation.response is None and answer.status == operation.status:
            return Answer(message={}, status=answer.status, fields=answer.fields, body=answer.body)
        return read_answer(
            answer,
            operation.response.__name__ if operation.response and answer.status == operation.status else "",
            self._transcript,
        )


def read_answer(answer: Answer, message: str, transcript: Transcript) -> Answer:
    """The answer with its JSON read: a message of that name, or with "" an ErrorEnvelope."""
    told = "an answer" if answer.status is None else f"status {answer.status}"
    try:
        read = read_json(answer.body)
    except ValueError:
        raise FlawError(f"{told} with a body that is no JSON: {answer.body[:300]!r}") from None
    transcript.received("as JSON", read, message or "ErrorEnvelope")
    if not isinstance(read, dict):
        raise FlawError(f"{told} with a body that is no object: {answer.body[:300]!r}")
    header = read.get("header")
    error = None if message else read.get("error")
    if not message and not isinstance(error, dict):
        raise FlawError(f"{told} without an ErrorEnvelope: {answer.body[:300]!r}")
    return Answer(
        message=read if message else None,
        error=error,
        header=header if isinstance(header, dict) else None,
        status=answer.status,
        fields=answer.fields,
        body=answer.body,
    )


def credentials(caller: Caller) -> dict[str, str]:
    """The header fields that say who asks."""
    fields = {} if caller.tenant is None else {"X-Tenant-ID": caller.tenant}
    return fields if caller.token is None else {**fields, "Authorization": f"Bearer {caller.token}"}


def target_of(operation: Operation, ask: Ask) -> str:
    """Path and query, percent-encoded."""
    path = str(operation.http_path)
    for parameter, field in operation.path_fields.items():
        value = ask.path.get(parameter, ask.message.get(field, ""))
        path = path.replace(f"{{{parameter}}}", quote(str(value), safe=""))
    return f"{path}?{urlencode(ask.query)}" if ask.query else path


async def body_of(response: ClientResponse) -> bytes:
    """All of it. Raises FlawError for one that does not seem to end."""
    body = bytearray()
    async for piece in response.content.iter_chunked(_PIECE):
        body += piece
        if len(body) > _LARGEST:
            raise FlawError(f"status {response.status} with a body of more than {_LARGEST} bytes")
    return bytes(body)


@contextmanager
def translated(what: str, patience_s: float) -> Iterator[None]:
    """What goes wrong in the exchange, as whose fault it is: where nobody listens, there is no server; one
    that says nothing, breaks an open connection or does not speak HTTP is at fault.
    """
    try:
        yield
    except TimeoutError:
        raise SilentError(f"no answer to {what} within {patience_s:g} seconds") from None
    except ClientConnectionError as error:
        refused: Any = getattr(error, "os_error", None)
        if refused is not None:
            raise UnreachableError(f"nobody answers: {error}") from None
        raise FlawError(f"the connection broke during {what}: {type(error).__name__} {error}") from None
    except ClientError as error:
        raise FlawError(f"the answer to {what} is no HTTP: {' '.join(str(error).split())}") from None
