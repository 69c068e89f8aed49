"""The compared calls over NATS: requests on the subjects of the protocol, frames on their own."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Final

import nats.aio.client

from equality.asked import Asked, JsonObject, Who
from equality.outcome import UNSEEN, Outcome
from equality.transport import as_outcome, beside, event_seen
from mig_protocol.errors import ERRORS
from mig_protocol.messages import MigErrorCode

_SUBJECTS: Final = {
    "HELLO": ("hello", ""),
    "DISCOVER": ("discover", ""),
    "INVOKE": ("invoke", "capability"),
    "PUBLISH": ("events", "topic"),
    "CANCEL": ("control.cancel", "target_message_id"),
    "HEARTBEAT": ("control.heartbeat", ""),
}
_CARRIED: Final = ("mig_version", "message_id", "session_id", "traceparent", "idempotency_key")
_COPIED: Final = (*_CARRIED, "tenant_id")
_PATIENCE_S: Final = 60.0


class OverNats:
    """One tenant's calls over NATS."""

    def __init__(self, client: nats.aio.client.Client, who: Who) -> None:
        self._client = client
        self._who = who

    async def ask(self, asked: Asked) -> Outcome:
        body, fields = self._message(asked)
        answer = await self._request(asked, json.dumps(body).encode(), fields)
        if "error" in answer:
            return _refusal(answer)
        return Outcome(answer=answer, beside=beside(answer), retry_after=UNSEEN)

    async def garbage(self, asked: Asked, body: bytes) -> Outcome:
        """What is not a message at all."""
        return _refusal(await self._request(asked, body, self._message(asked)[1]))

    async def stream(self, asked: Asked, stream_id: str, inputs: Sequence[JsonObject]) -> Outcome:
        assert not inputs
        body, fields = self._message(asked)
        body["stream_preference"] = "server_stream"
        # Without a name of the caller's choice, whatever the tenant is told.
        subject = f"mig.v0_1.{self._who.own}.stream.{stream_id or '>'}"
        subscription = await self._client.subscribe(subject)
        if stream_id:
            fields["stream_id"] = stream_id
        answer = await self._request(asked, json.dumps(body).encode(), fields)
        try:
            if "error" in answer:
                refused = _refusal(answer)
                refused.frames, refused.retry_after = UNSEEN, None
                return refused
            return as_outcome(await self._frames(subscription, answer))
        finally:
            await subscription.unsubscribe()

    async def subscribe(self, asked: Asked) -> NatsSubscription:
        """The mirrored events from now on."""
        subject = f"mig.v0_1.{self._who.own}.events.{asked.body['topic']}"
        subscription = NatsSubscription(await self._client.subscribe(subject))
        # An answer proves that what was sent before the question has arrived; a flush may overtake it.
        await self.ask(Asked(operation="HEARTBEAT"))
        return subscription

    async def close(self) -> None:
        """The connection is the world's."""

    async def _frames(self, subscription: Any, accepted: JsonObject) -> list[JsonObject]:
        frames: list[JsonObject] = []
        while not frames or not frames[-1]["end_stream"]:
            message = await subscription.next_msg(timeout=_PATIENCE_S)
            frame = json.loads(message.data)
            _check_copied(frame["header"], message.headers)
            if frame["stream_id"] == accepted["stream_id"]:
                frames.append(frame)
        return frames

    def _message(self, asked: Asked) -> tuple[JsonObject, dict[str, str]]:
        """The body, and the NATS headers."""
        body = dict(asked.body)
        if asked.elsewhere is None:
            body.pop(_SUBJECTS[asked.operation][1], None)
        header = asked.header_for(self._who)
        fields: dict[str, str] = {}
        authorization = self._who.authorization(asked.credential)
        if authorization is not None:
            fields["Authorization"] = authorization
        if header is not None and asked.carried:
            fields |= {name: header[name] for name in _CARRIED if name in header}
            header = {name: value for name, value in header.items() if name not in _CARRIED}
        if header is not None:
            body = {"header": header, **body}
        if asked.extra:
            body["nobody_knows_this"] = None
        return body, fields

    async def _request(self, asked: Asked, body: bytes, fields: dict[str, str]) -> JsonObject:
        name, parameter = _SUBJECTS[asked.operation]
        subject = f"mig.v0_1.{self._who.own}.{name}"
        if parameter:
            subject += f".{asked.elsewhere or asked.body[parameter]}"
        reply = await self._client.request(subject, body, timeout=_PATIENCE_S, headers=fields or None)
        answer: JsonObject = json.loads(reply.data)
        _check_copied(answer["header"], reply.headers)
        return answer


class NatsSubscription:
    """The events among what is sent on an events subject; publish requests come in on it, too."""

    def __init__(self, subscription: Any) -> None:
        self._subscription = subscription

    async def next(self) -> JsonObject:
        while True:
            message = await self._subscription.next_msg(timeout=_PATIENCE_S)
            if "mig-origin" in (message.headers or {}):
                break
        event: JsonObject = json.loads(message.data)
        assert message.headers["Nats-Msg-Id"] == event["event_id"]
        _check_copied(event["header"], message.headers)
        return event_seen("mig-event", event)

    async def close(self) -> None:
        await self._subscription.unsubscribe()


def _refusal(envelope: JsonObject) -> Outcome:
    assert MigErrorCode(envelope["error"]["code"]) in ERRORS
    return Outcome(error=envelope["error"], error_header=envelope["header"], retry_after=UNSEEN)


def _check_copied(header: JsonObject, fields: dict[str, str] | None) -> None:
    """The header's fields are in the NATS headers of the same names."""
    copied = {name: header[name] for name in _COPIED if name in header}
    found = {name: value for name, value in (fields or {}).items() if name in _COPIED}
    assert found == copied, f"NATS headers {found} of a message whose header says {copied}"
