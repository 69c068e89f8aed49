"""One run of the calls over one binding: the binding where it has the operation, another where it has not."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from equality.asked import OWN, Asked, JsonObject, Who
from equality.capabilities import CHAT, STREAM
from equality.normalise import UNREAD, Normaliser
from equality.outcome import Outcome
from equality.transport import Asks, Streams, Subscribes, Subscription, TakesFrames
from equality.unsayable import GRPC

BORROWED: Final[Mapping[str, str]] = {
    "http streams": "HTTP has one answer for each request: its streams are the WebSocket's",
    "websocket asks": "a WebSocket carries invocations and CANCEL: the rest is asked over HTTP",
    "nats input": "NATS streams take no frames from the caller: input and control go over a WebSocket",
    "nats replay": "NATS events are live, and nobody is asked for them: cursors and refusals are HTTP's",
}
"""What a lane asks over another binding, and why. It counts for the lane's tenant all the same."""


@dataclass(slots=True, kw_only=True)
class Lane:
    """A tenant of its own, which asks everything that the others ask.

    `framed` answers INVOKE and CANCEL where a lane asks them as frames. `replays` and `chats` are for what
    the lane's own transport may not have.
    """

    name: str
    who: Who
    normalise: Normaliser
    asks: Asks
    streams: Streams
    chats: TakesFrames
    subscribes: Subscribes
    replays: Subscribes
    framed: Asks | None = None
    running: dict[str, asyncio.Task[Outcome]] = field(default_factory=dict)
    subscriptions: list[Subscription] = field(default_factory=list)

    async def ask(self, asked: Asked) -> Outcome:
        return self.normalise(await self._of(asked).ask(asked), asked)

    async def stream(self, asked: Asked, stream_id: str, inputs: Sequence[JsonObject]) -> Outcome:
        transport = self.chats if asked.body.get("capability") == CHAT else self.streams
        return self.normalise(await transport.stream(asked, stream_id, inputs), asked)

    async def frame(self, asked: Asked, stream_id: str, frame: JsonObject) -> Outcome:
        return self.normalise(await self.chats.frame(asked, stream_id, frame), asked)

    async def garbage(self, asked: Asked) -> Outcome:
        """What is wrong with bytes that are no message is the encoding's to say: not compared."""
        body = b"\xff\xff" if self.name == GRPC else b'{"header": {'
        outcome = await self._of(asked).garbage(asked, body)
        assert outcome.error is not None
        outcome.error = {name: outcome.error[name] for name in ("code", "retryable")}
        outcome.error_header = UNREAD
        return replace(outcome, frames=None)

    def _of(self, asked: Asked) -> Asks:
        only_streams = asked.body.get("capability") in (CHAT, STREAM)
        framed = asked.operation in ("INVOKE", "CANCEL") and not only_streams
        return self.framed if framed and self.framed is not None else self.asks

    async def subscribe(self, asked: Asked) -> Outcome:
        """What came of it; where it was not refused, the subscription is the last of `subscriptions`."""
        live = asked.body.keys() <= {"topic", "max_inflight"} and asked.credential == OWN and asked.named
        opened = await (self.subscribes if live else self.replays).subscribe(asked)
        if isinstance(opened, Outcome):
            return self.normalise(opened, asked)
        self.subscriptions.append(opened)
        return Outcome(retry_after=False)

    async def events(self, number: int, last: int) -> Outcome:
        """The events of a subscription up to that sequence."""
        got: list[JsonObject] = []
        while not got or got[-1]["data"].get("sequence") != last:
            got.append(await self.subscriptions[number].next())
        return Outcome(events=self.normalise.value(got))

    async def close(self) -> None:
        """Let go of everything."""
        for task in self.running.values():
            task.cancel()
        if self.running:
            await asyncio.wait(self.running.values())
        for subscription in self.subscriptions:
            await subscription.close()
        for transport in (self.streams, self.chats):
            await transport.close()
