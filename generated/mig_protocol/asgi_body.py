# Generated from spec/ by `make generate`. Do not edit: change the spec or codegen/ and generate again.
"""Request bodies: read within their limits of size and time, or got rid of."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Final

from mig_protocol.asgi_types import Event, Receive
from mig_protocol.errors import MigFault
from mig_protocol.http_exchange import Exchange
from mig_protocol.http_server import HttpStub
from mig_protocol.messages import MigErrorCode
from mig_protocol.suspension import Suspended, begin

_LINGER_S: Final = 1.0


class ClientGoneError(Exception):
    """The client left while its body was being read."""


class BodyReader:
    """Reads bodies up to `stub.max_body_bytes` that arrive within `timeout_s` seconds."""

    def __init__(self, stub: HttpStub, *, timeout_s: float) -> None:
        self._stub = stub
        self._timeout_s = timeout_s

    async def __call__(self, exchange: Exchange, receive: Receive) -> bytes:
        """The whole body. Raises MigFault MIG_INVALID_REQUEST beyond the limits, and ClientGoneError.

        A length that is announced is believed: a body too large is refused before it is asked for.
        """
        declared = exchange.fields.get(b"content-length", b"0")
        if declared.isdigit() and int(declared) > self._stub.max_body_bytes:
            raise self._stub.too_large()
        first = begin(receive())
        if (
            not isinstance(first, Suspended)
            and not first.get("more_body")
            and first["type"] == "http.request"
        ):
            whole: bytes = first.get("body", b"")
            return whole  # the stub checks its length
        try:
            async with asyncio.timeout(self._timeout_s):
                return await self._rest(first, receive)
        except TimeoutError:
            message = f"body not received within {self._timeout_s:g} s"
            raise MigFault(MigErrorCode.MIG_INVALID_REQUEST, message) from None

    async def _rest(self, first: Event | Suspended[Event], receive: Receive) -> bytes:
        event = await first if isinstance(first, Suspended) else first
        body = bytearray()
        while True:
            if event["type"] == "http.disconnect":
                raise ClientGoneError
            body += event.get("body", b"")
            if len(body) > self._stub.max_body_bytes:
                raise self._stub.too_large()
            if not event.get("more_body"):
                return bytes(body)
            event = await receive()


async def discard(receive: Receive) -> None:
    """Throw away what still arrives of a body, for a moment.

    A connection that is closed while the client writes is reset, and a reset can overtake the answer (RFC
    9112, 9.6).
    """
    with suppress(TimeoutError):
        async with asyncio.timeout(_LINGER_S):
            while (await receive()).get("more_body"):
                pass
