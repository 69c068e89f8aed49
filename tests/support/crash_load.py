"""Clients of every kind, who write down what they see of a gateway until it is gone, then of the next."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator
from contextlib import suppress

import aiohttp

from support.history import Answered, Event, History, Published, Streamed, Topic
from support.lives import CAPABILITY, GoneError, invoke, post
from support.sse import subscribed

PATIENCE_S = 40.0


class Client(ABC):
    """What every client has: a tenant, a history to write to, and work that ends when the gateway does."""

    def __init__(self, history: History, tenant: str, name: str) -> None:
        self.history = history
        self.tenant = tenant
        self.name = name
        self._sent = 0

    @abstractmethod
    async def live(self, http: aiohttp.ClientSession) -> None:
        """Until the gateway is gone."""

    def _next_name(self) -> str:
        self._sent += 1
        return f"{self.tenant}/{self.name}/{self._sent}"


class Publisher(Client):
    """One event after the other; with keys, each again until it is acknowledged."""

    def __init__(self, history: History, topic: Topic, name: str, *, keyed: bool) -> None:
        super().__init__(history, topic[0], name)
        self.topic = topic
        self._keyed = keyed
        self._unanswered = ""
        self.acknowledged = 0

    async def live(self, http: aiohttp.ClientSession) -> None:
        while True:
            await self.publish(http)

    async def publish(self, http: aiohttp.ClientSession) -> int:
        """The sequence of one more event."""
        value = self._unanswered or self._next_name()
        self._unanswered = value if self._keyed else ""
        key = _token(value) if self._keyed else ""
        attempt = len(self.history.published)
        self.history.published.append(Published(self.topic, self.name, value, key))
        header = {"idempotency_key": key} if key else {}
        path = f"/mig/v0.1/publish/{self.topic[1]}"
        ack = await post(http, self.tenant, path, payload={"value": value}, header=header)
        self._unanswered = ""
        self.history.published[attempt] = Published(
            self.topic, self.name, value, key, ack["sequence"], ack["event_id"]
        )
        self.acknowledged += 1
        return int(ack["sequence"])


class Subscriber(Client):
    """From the first event on, and after each interruption from the last that it saw."""

    def __init__(self, history: History, topic: Topic, name: str) -> None:
        super().__init__(history, topic[0], name)
        self.topic = topic
        self.seen = history.deliveries[topic, name]

    async def live(self, http: aiohttp.ClientSession) -> None:
        await self.read(http)

    async def read(self, http: aiohttp.ClientSession, until: int | None = None) -> None:
        """Until that sequence, or until the gateway is gone."""
        with suppress(EOFError, aiohttp.ClientError):
            async for event in self._events(http):
                self.seen.append(event)
                if until is not None and event.sequence >= until:
                    return
        raise GoneError

    async def _events(self, http: aiohttp.ClientSession) -> AsyncIterator[Event]:
        cursor = self.seen[-1].sequence if self.seen else 0
        async with subscribed(http, self.topic[1], f"?resume_cursor={cursor}", self.tenant) as reader:
            while True:
                event = await reader.next()
                if event.kind == "mig-event":
                    data = event.data
                    yield Event(
                        data["header"]["tenant_id"],
                        data["sequence"],
                        data["event_id"],
                        data["payload"]["value"],
                    )


class Invoker(Client):
    """One invocation after the other until the quota is used up; with keys, some of them shared."""

    def __init__(self, history: History, tenant: str, name: str, *, keyed: bool) -> None:
        super().__init__(history, tenant, name)
        self._keyed = keyed
        self._unanswered = ""

    async def live(self, http: aiohttp.ClientSession) -> None:
        while await self.invoke(http, self._unanswered or self._next_name()):
            pass

    async def invoke(self, http: aiohttp.ClientSession, name: str) -> bool:
        """False when the quota is used up."""
        self._unanswered = name if self._keyed else ""
        key = _token(name) if self._keyed else ""
        answer = await invoke(http, name, key, self.tenant)
        if "error" in answer:
            assert answer["error"]["code"] == "MIG_RATE_LIMITED", answer
            return False
        self._unanswered = ""
        given = answer["payload"]
        tenant = answer["header"]["tenant_id"]
        assert tenant == self.tenant
        self.history.answered.append(Answered(tenant, key, given["name"], given["run"]))
        return True

    async def ask_again(self, http: aiohttp.ClientSession) -> None:
        """Every keyed call that was ever answered, once more."""
        keyed = {answer.name for answer in self.history.answered if answer.key and self._is_mine(answer)}
        for name in sorted(keyed):
            assert await self.invoke(http, name)

    def _is_mine(self, answer: Answered) -> bool:
        return answer.name.startswith(f"{self.tenant}/{self.name}/")


class Streamer(Client):
    """Several streams at a time on one WebSocket."""

    async def live(self, http: aiohttp.ClientSession) -> None:
        running: dict[str, Streamed] = {}
        try:
            async with http.ws_connect("/mig/v0.1/stream") as socket:
                for _ in range(3):
                    await self._start(socket, running)
                async for message in socket:
                    frame = message.json()
                    stream = running[frame["stream_id"]]
                    stream.frames.append((frame["header"]["tenant_id"], frame["end_stream"]))
                    if frame["end_stream"]:
                        await self._start(socket, running)
        except aiohttp.ClientError as error:
            raise GoneError from error
        finally:
            for stream in running.values():
                stream.broken = not (stream.frames and stream.frames[-1][1])
        raise GoneError

    async def _start(self, socket: aiohttp.ClientWebSocketResponse, running: dict[str, Streamed]) -> None:
        name = self._next_name()
        stream = running[_token(name)] = Streamed(self.tenant)
        self.history.streams.append(stream)
        header = {"tenant_id": self.tenant}
        await socket.send_json(
            {
                "header": header,
                "kind": "request",
                "stream_id": _token(name),
                "capability": CAPABILITY,
                "payload": {"name": name},
            }
        )


def _token(name: str) -> str:
    """The name as a key or a stream id may look."""
    return name.replace("/", "-")


async def until_gone(http: aiohttp.ClientSession, clients: list[Client]) -> None:
    """All of them at once, until the gateway is gone for each; for whom it lives on is told."""
    lives = {asyncio.create_task(_one_life(client, http)): client for client in clients}
    ended, living = await asyncio.wait(lives, timeout=PATIENCE_S)
    for life in living:
        life.cancel()
    for life in ended:
        life.result()
    names = [f"{type(lives[life]).__name__} {lives[life].tenant}/{lives[life].name}" for life in living]
    assert not living, f"the gateway has not died for {sorted(names)}"


async def _one_life(client: Client, http: aiohttp.ClientSession) -> None:
    with suppress(GoneError):
        await client.live(http)
