"""A way to NATS on which messages can get lost, as they may with NATS itself (at most once)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

Loses = Callable[[str, bytes], bool]
"""Whether a message on its way to a client is lost: its subject, and its headers and payload."""


class NatsProxy:
    """Passes everything on, but for the messages that it is told to lose."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._server: asyncio.Server | None = None
        self._passing: set[asyncio.Task[None]] = set()
        self.loses: Loses = lambda subject, content: False  # noqa: ARG005
        self.lost = 0
        self.held: list[str] | None = None
        self._holding: list[tuple[asyncio.StreamWriter, bytes]] = []

    @property
    def url(self) -> str:
        """As in MIGD_NATS_URL."""
        assert self._server is not None
        return f"nats://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)

    async def stop(self) -> None:
        assert self._server is not None
        self._server.close()
        for task in self._passing:
            task.cancel()
        await asyncio.gather(*self._passing, return_exceptions=True)

    def hold(self) -> None:
        """Keep back whatever is on its way to clients; `held` has the subjects of the messages."""
        self.held = []

    def release(self) -> None:
        """Let it go on, in its order."""
        self.held = None
        for writer, content in self._holding:
            writer.write(content)
        self._holding = []

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        from_server, to_server = await asyncio.open_connection("127.0.0.1", self._port)
        for passing in (_pass(reader, to_server), self._filter(from_server, writer)):
            task = asyncio.create_task(passing)
            self._passing.add(task)
            task.add_done_callback(self._passing.discard)

    async def _filter(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while line := await reader.readline():
                verb, *words = line.decode().split()
                is_message = verb in ("MSG", "HMSG")
                content = await reader.readexactly(int(words[-1]) + 2) if is_message else b""
                if is_message and self.loses(words[0], content):
                    self.lost += 1
                elif self.held is not None:
                    self.held.append(words[0] if is_message else "")
                    self._holding.append((writer, line + content))
                else:
                    writer.write(line + content)
                    await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()


async def _pass(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while chunk := await reader.read(65536):
            writer.write(chunk)
            await writer.drain()
    except ConnectionError:
        pass
    finally:
        writer.close()


@asynccontextmanager
async def lossy_way_to(port: int) -> AsyncIterator[NatsProxy]:
    proxy = NatsProxy(port)
    await proxy.start()
    try:
        yield proxy
    finally:
        await proxy.stop()
