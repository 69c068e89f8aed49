"""Does a running server take the valid messages over HTTP, and refuse the malformed ones as it has to?"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

from aiohttp import ClientSession
from yarl import URL

from mig_conformance import reference
from mig_conformance.errors import envelope_flaws
from mig_conformance.http_requests import HttpRequest, http_request
from mig_conformance.requests import NotExpressibleError
from mig_conformance.vectors import Malformed, Valid, Vectors
from mig_conformance.verdict import Verdict
from mig_protocol.errors import ERRORS
from mig_protocol.messages import MigErrorCode
from mig_protocol.operations import OPERATIONS, Operation

_OPERATIONS = {operation.id: operation for operation in OPERATIONS}
# What the rows of one refer to is made by the rows of another, and a quota can run out.
_FIRST = ("OrgCreation", "TenantCreation", "GatewayCreation")
_LAST = ("Quota",)
# What each line is of an answer that comes as lines.
_LINES = {"AuditExport": "AuditRecord"}


def in_order(all_vectors: Iterable[Vectors]) -> list[Vectors]:
    """Those that can be sent to an operation of their own over HTTP, in an order that works on one server."""
    sent = [vectors for vectors in all_vectors if _has_route(vectors)]

    def place(vectors: Vectors) -> tuple[int, int]:
        first = _FIRST.index(vectors.message) if vectors.message in _FIRST else len(_FIRST)
        return (1 if vectors.message in _LAST else 0, first)

    return sorted(sent, key=place)


async def judge_http(vectors: Vectors, session: ClientSession) -> list[Verdict]:
    """One verdict for each row.

    `session` has the server as its base URL. The server must not authenticate its callers.
    """
    operation = _OPERATIONS[str(vectors.operation)]
    return [await _judge(vectors, operation, row, session) for row in vectors.to_send]


def _has_route(vectors: Vectors) -> bool:
    operation = _OPERATIONS.get(vectors.operation or "")
    return operation is not None and operation.http_path is not None and operation.shape != "duplex"


async def _judge(
    vectors: Vectors, operation: Operation, row: Valid | Malformed, session: ClientSession
) -> Verdict:
    try:
        request = http_request(operation, row)
    except NotExpressibleError as reason:
        return Verdict(vectors.message, row.name, skipped=str(reason))
    status, kind, body = await _answer(request, session)
    if isinstance(row, Valid):
        return Verdict(vectors.message, row.name, tuple(_accepted(operation, status, kind, body)))
    return Verdict(vectors.message, row.name, tuple(_refused(row, status, body)))


async def _answer(request: HttpRequest, session: ClientSession) -> tuple[int, str, bytes]:
    """Status, media type and body; of a stream that was opened, nothing is read."""
    async with session.request(
        request.method,
        URL(request.target, encoded=True),
        headers=request.headers,
        data=request.body or None,
    ) as response:
        streamed = response.status == 200 and response.content_type == "text/event-stream"
        return response.status, response.content_type, b"" if streamed else await response.read()


def _accepted(operation: Operation, status: int, kind: str, body: bytes) -> Iterator[str]:
    if status != operation.status:
        yield f"answered with status {status}, not {operation.status}: {body[:300]!r}"
    elif operation.shape == "server_stream":
        if kind != "text/event-stream":
            yield f"answered with {kind}, not with a stream of events"
    elif operation.response:
        name = operation.response.__name__
        if kind == "application/x-ndjson":
            name, parts = _LINES.get(name, name), body.splitlines()
        else:
            parts = [body]
        for part in parts:
            if not reference.accepts(name, json.loads(part)):
                yield f"the answer is no {name}: {part[:300]!r}"


def _refused(row: Malformed, status: int, body: bytes) -> Iterator[str]:
    row_of_table = ERRORS[MigErrorCode(row.code)]
    if status != row_of_table.http_status:
        yield f"answered with status {status}, not {row_of_table.http_status}: {body[:300]!r}"
    else:
        yield from envelope_flaws(row, json.loads(body))
