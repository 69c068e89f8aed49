"""The connections to a server that its checks share, and the drivers on top of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import replace
from types import TracebackType
from typing import Self

from aiohttp import ClientSession, DummyCookieJar, TCPConnector
from grpc import aio
from nats.aio.client import Client

from mig_conformance.drivers.grpc import OPTIONS, GrpcDriver
from mig_conformance.drivers.http import HttpDriver
from mig_conformance.drivers.nats import NatsDriver
from mig_conformance.drivers.nats_connection import connect
from mig_conformance.drivers.port import BindingName, Driver
from mig_conformance.drivers.sse import SseDriver
from mig_conformance.drivers.transcript import Transcript
from mig_conformance.drivers.websocket import WebSocketDriver
from mig_conformance.flaws import UncheckedError
from mig_conformance.subject.subject import Subject

_OVER_HTTP: Mapping[BindingName, Callable[..., Driver]] = {
    "http": HttpDriver,
    "sse": SseDriver,
    "websocket": WebSocketDriver,
}


class Links:
    """Enter it to connect to every endpoint of the subject. Raises UnreachableError where nobody answers."""

    def __init__(self, subject: Subject) -> None:
        self._subject = subject
        self._open = AsyncExitStack()
        self._session: ClientSession | None = None
        self._channel: aio.Channel | None = None
        self._client: Client | None = None
        self._peer: Links | None = None

    async def __aenter__(self) -> Self:
        if self._subject.endpoints.http is not None:
            self._session = await self._open.enter_async_context(
                ClientSession(
                    self._subject.endpoints.http,
                    cookie_jar=DummyCookieJar(),
                    connector=TCPConnector(limit=0),
                )
            )
        if self._subject.endpoints.grpc is not None:
            self._channel = await self._open.enter_async_context(
                aio.insecure_channel(self._subject.endpoints.grpc, options=OPTIONS)
            )
        if self._subject.endpoints.nats is not None:
            self._client = await connect(self._subject.endpoints.nats)
            self._open.push_async_callback(self._client.close)
        if self._subject.peers:
            peer = replace(self._subject, endpoints=self._subject.peers[0], peers=())
            self._peer = await self._open.enter_async_context(Links(peer))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._open.aclose()

    def driver(self, binding: BindingName, transcript: Transcript) -> Driver:
        """A driver whose exchanges go into the transcript. Raises UncheckedError where the server has no such
        binding.
        """
        if self._session is not None and binding in _OVER_HTTP:
            return _OVER_HTTP[binding](self._session, transcript, patience_s=self._subject.patience_s)
        if self._channel is not None and binding == "grpc":
            return GrpcDriver(self._channel, transcript, patience_s=self._subject.patience_s)
        if self._client is not None and binding == "nats":
            return NatsDriver(self._client, transcript, patience_s=self._subject.patience_s)
        raise UncheckedError(f"the server has no {binding} endpoint in its manifest")

    def peer(self, binding: BindingName, transcript: Transcript) -> Driver:
        """As `driver`, of the first of the subject's peers."""
        if self._peer is None:
            raise UncheckedError("there is no second gateway: peers are not in the manifest")
        return self._peer.driver(binding, transcript)
