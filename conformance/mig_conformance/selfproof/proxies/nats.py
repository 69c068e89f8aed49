"""A proxy for connections to a nats-server: requests, replies, frames of streams, mirrored events."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from dataclasses import replace
from itertools import count
from types import TracebackType
from typing import Final, Self
from urllib.parse import urlsplit

from mig_conformance.selfproof.mutant import At
from mig_conformance.selfproof.mutation import Mutation
from mig_conformance.selfproof.passage import Passage
from mig_conformance.selfproof.proxies.frames import FramePassages
from mig_conformance.selfproof.proxies.nats_protocol import Delivery, receive, subscribed
from mig_conformance.selfproof.proxies.subjects import Place, passage_of, place_of, subject_after

_REQUEST: Final[frozenset[At]] = frozenset({"request"})
_ORIGIN: Final = "mig-origin"


class NatsProxy:
    """Enter it to serve what the nats-server at `url` does."""

    def __init__(self, url: str, mutation: Mutation) -> None:
        self._there = urlsplit(url)
        self._mutation = mutation
        self._port = 0
        self._open = AsyncExitStack()
        self._connections: set[asyncio.Task[None]] = set()
        self._numbers = count()

    @property
    def url(self) -> str:
        return f"nats://127.0.0.1:{self._port}"

    async def __aenter__(self) -> Self:
        server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self._port = server.sockets[0].getsockname()[1]
        self._open.callback(server.close)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._open.aclose()
        for task in self._connections:
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # A task of its own: asyncio prints what becomes of those that it makes for a coroutine.
        task = asyncio.create_task(self._serve(reader, writer))
        self._connections.add(task)
        task.add_done_callback(self._connections.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            from_server, to_server = await asyncio.open_connection(self._there.hostname, self._there.port)
        except OSError:
            writer.close()
            return
        scope = f"nats {next(self._numbers)}"
        connection = _Connection(writer, to_server, self._mutation, scope)
        pumps = {
            asyncio.create_task(connection.from_client(reader)),
            asyncio.create_task(connection.from_server(from_server)),
        }
        try:
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for pump in pumps:
                pump.cancel()
            connection.close()


class _Connection:
    """One client's, and the one to the server that stands for it."""

    def __init__(
        self, to_client: asyncio.StreamWriter, to_server: asyncio.StreamWriter, mutation: Mutation, scope: str
    ) -> None:
        self._to_client = to_client
        self._to_server = to_server
        self._mutation = mutation
        self._scope = scope
        self._asked: dict[str, Passage] = {}
        self._subscriptions: dict[str, str] = {}
        self._later: set[asyncio.Task[None]] = set()
        opened = Passage(at=frozenset(), binding="nats", operations=frozenset())
        self._frames = FramePassages(opened, "nats", scope)

    def close(self) -> None:
        for task in self._later:
            task.cancel()
        self._to_client.close()
        self._to_server.close()

    async def from_client(self, reader: asyncio.StreamReader) -> None:
        """Until the client ends the connection."""
        while (received := await receive(reader)) is not None:
            if received.words[:1] == ("SUB",):
                self._subscriptions[received.words[-1]] = received.words[1]
            if received.delivery is None:
                self._to_server.write(received.raw)
            else:
                self._request(received.delivery, received.raw)
            await self._to_server.drain()

    async def from_server(self, reader: asyncio.StreamReader) -> None:
        """Until the server ends it."""
        while (received := await receive(reader)) is not None:
            if received.delivery is None:
                self._to_client.write(received.raw)
            else:
                self._deliver(received.delivery, received.raw)
            await self._to_client.drain()

    def _request(self, delivery: Delivery, raw: bytes) -> None:
        place = place_of(delivery.subject)
        passage = passage_of(_REQUEST, place, delivery, scope=self._scope)
        if delivery.reply:
            self._asked[delivery.reply] = passage
        if "stream_id" in delivery.fields:
            self._frames.begun(delivery.fields["stream_id"], passage)
        for each in self._mutation.through(passage):
            if each.answer is not None:
                self._send(self._to_client, each, self._in_its_place(delivery, each))
            else:
                subject = subject_after(place, each)
                self._send(self._to_server, each, _after(replace(delivery, subject=subject), each, raw))

    def _in_its_place(self, asked: Delivery, passage: Passage) -> bytes:
        answer = self._frames.answering(passage)
        sid = next((sid for sid, of in self._subscriptions.items() if subscribed(of, asked.reply)), "")
        return Delivery(subject=asked.reply, sid=sid, payload=answer.json()).written() if sid else b""

    def _deliver(self, delivery: Delivery, raw: bytes) -> None:
        passage = self._delivered(delivery, place_of(delivery.subject))
        for each in self._mutation.through(passage):
            self._send(self._to_client, each, _after(delivery, each, raw))

    def _delivered(self, delivery: Delivery, place: Place) -> Passage:
        """What a message to the client is: a reply, a frame, a mirrored event, or none of the protocol's."""
        asked = self._asked.get(delivery.subject)
        if asked is not None:
            answer = passage_of(frozenset({"answer"}), place, delivery, scope=self._scope)
            answer.operations, answer.request = asked.operations, asked
            if isinstance(answer.message, dict) and "stream_id" in answer.message:
                self._frames.begun(str(answer.message["stream_id"]), asked)
            return answer
        read = passage_of(frozenset({"mirror"}), place, delivery, scope=self._scope)
        if place.operation is not None and place.operation.id == "STREAM":
            frame = self._frames.from_server(read.message, delivery.payload)
            frame.fields = read.fields
            return frame
        if _ORIGIN not in delivery.fields:
            read.at = frozenset()
        return read

    def _send(self, writer: asyncio.StreamWriter, passage: Passage, content: bytes) -> None:
        if not passage.delay_s:
            writer.write(content)
            return
        task = asyncio.create_task(_later(passage.delay_s, writer, content))
        self._later.add(task)
        task.add_done_callback(self._later.discard)


async def _later(seconds: float, writer: asyncio.StreamWriter, content: bytes) -> None:
    await asyncio.sleep(seconds)
    writer.write(content)


def _after(delivery: Delivery, passage: Passage, raw: bytes) -> bytes:
    """The bytes that came, unless something was changed."""
    content = passage.json()
    untouched = content == delivery.payload and not passage.new_fields and not passage.new_tenant
    return raw if untouched else replace(delivery, payload=content).with_fields(passage.new_fields).written()
