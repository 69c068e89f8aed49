"""NATS: JSON by request and reply, frames and mirrored events on subjects of their own."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import replace

from nats import errors
from nats.aio.client import Client
from nats.aio.msg import Msg

from mig_conformance.drivers.absent import Absent
from mig_conformance.drivers.frames import up_to_the_end
from mig_conformance.drivers.http import read_answer
from mig_conformance.drivers.json_text import read_json
from mig_conformance.drivers.nats_connection import NatsMessage, NatsMessages, flush, listening, lost
from mig_conformance.drivers.port import (
    Answer,
    Ask,
    BindingName,
    Caller,
    JsonObject,
    NotOnBindingError,
)
from mig_conformance.drivers.transcript import Transcript
from mig_conformance.flaws import FlawError, SilentError, UncheckedError, UnreachableError, expect
from mig_protocol.operations import OPERATIONS, Operation

_OPERATIONS = {operation.id: operation for operation in OPERATIONS if operation.nats is not None}
_ORIGIN = "mig-origin"
_STATUS = "Status"
_NOTHING: Mapping[str, str] = {}
_FURTHER_S = 0.2


class NatsStream:
    """A streamed invocation; `stream_id` is what the answer to the request calls it."""

    def __init__(
        self, stream_id: str, accepted: Answer, frames: NatsMessages, opened: AsyncExitStack
    ) -> None:
        self._frames = frames
        self._opened = opened
        self.stream_id = stream_id
        self.accepted = accepted

    async def next(self) -> JsonObject:
        """See Stream.next."""
        frame = (await self._frames.next()).data
        if not isinstance(frame, dict):
            raise FlawError(f"a frame that is no JSON object: {frame!r}")
        return frame

    async def rest(self) -> list[JsonObject]:
        """See Stream.rest."""
        return await up_to_the_end(self.next)

    async def close(self) -> None:
        await self._opened.aclose()


class NatsDriver(Absent):
    """`client` is connected to the NATS server that the gateway is connected to."""

    binding: BindingName = "nats"

    def __init__(self, client: Client, transcript: Transcript, *, patience_s: float) -> None:
        self._client = client
        self._transcript = transcript
        self._patience_s = patience_s

    async def call(self, ask: Ask) -> Answer:
        """A request and its reply. Raises UnreachableError where nobody takes such requests, FlawError when
        no reply comes in time, or nobody takes requests on the subject that `ask.path` makes.
        """
        operation = _OPERATIONS.get(ask.operation)
        if operation is None or operation.shape != "unary":
            raise NotOnBindingError(f"{ask.operation} is no request of NATS")
        subject = _subject(operation, ask)
        body = json.dumps(ask.message).encode() if ask.body is None else ask.body
        self._transcript.sent(subject, body)
        reply = await self._reply(subject, body, _headers(ask), own_subject=bool(ask.path))
        self._transcript.received("with NATS headers", reply.headers or {}, "NatsHeaders")
        fields = {name.lower(): value for name, value in (reply.headers or {}).items()}
        answer = Answer(fields=fields, body=reply.data)
        return read_answer(
            answer, "" if _is_refusal(reply.data) else _answer_type(operation, ask), self._transcript
        )

    async def _reply(self, subject: str, body: bytes, headers: dict[str, str], *, own_subject: bool) -> Msg:
        try:
            return await self._client.request(subject, body, self._patience_s, headers=headers or None)
        except errors.NoRespondersError:
            missing = FlawError if own_subject else UnreachableError
            raise missing(f"nobody takes requests on {subject}") from None
        except errors.TimeoutError:
            raise SilentError(f"no reply on {subject} within {self._patience_s:g} seconds") from None
        except errors.BadSubjectError:
            raise NotOnBindingError(f"NATS has no subject {subject!r}") from None
        except errors.MaxPayloadError:
            raise UncheckedError(f"this NATS server takes no message of {len(body)} bytes") from None
        except errors.Error as error:
            raise lost(error) from None

    async def stream(self, ask: Ask, stream_id: str = "") -> NatsStream:
        """INVOKE as a stream. With a `stream_id`, which the NATS header of that name has, its subject is
        subscribed to before the request is sent; otherwise after its answer.
        """
        named = {"stream_id": stream_id} if stream_id else {}
        asked = replace(
            ask,
            message={**ask.message, "stream_preference": "server_stream"},
            carried={**ask.carried, **named},
        )
        async with AsyncExitStack() as opened:
            frames = await opened.enter_async_context(self._frames(ask, stream_id)) if stream_id else None
            accepted = await self.call(asked)
            answered = str(accepted.accepted().get("stream_id", ""))
            expect(answered, f"the answer names no stream: {accepted.message}")
            if frames is None:
                frames = await opened.enter_async_context(self._frames(ask, answered))
            return NatsStream(answered, accepted, frames, opened.pop_all())

    def _frames(self, ask: Ask, stream_id: str) -> AbstractAsyncContextManager[NatsMessages]:
        subject = _subject(_OPERATIONS["STREAM"], replace(ask, path={**ask.path, "stream_id": stream_id}))
        return listening(self._client, subject, self._take_frame, patience_s=self._patience_s)

    def _take_frame(self, message: NatsMessage) -> bool:
        # Also one that asks for a reply: that is how a server can learn whether anybody listens.
        self._transcript.received(message.subject, message.data, "StreamFrame")
        return True

    def mirrored(self, tenant: str, topic: str) -> AbstractAsyncContextManager[NatsMessages]:
        """What is sent on the subject of a topic's events while the block runs, publish requests left out.

        What says that it is a mirrored event is held to the schemas of one.
        """
        ask = Ask(operation="PUBLISH", caller=Caller(tenant=tenant), path={"topic": topic})
        subject = _subject(_OPERATIONS["PUBLISH"], ask)
        return listening(self._client, subject, self._take_event, patience_s=self._patience_s)

    def _take_event(self, message: NatsMessage) -> bool:
        event = _ORIGIN in message.headers
        if message.reply and not event:
            return False  # a publish request, on the same subject
        self._transcript.received(message.subject, message.data, "EventMessage" if event else None)
        self._transcript.received("with NATS headers", message.headers, "MirrorHeaders" if event else None)
        return True

    async def send(self, subject: str, body: bytes, headers: Mapping[str, str] = _NOTHING) -> None:
        """A message that asks for no reply; the NATS server has it when this returns."""
        self._transcript.sent(subject, body)
        try:
            await self._client.publish(subject, body, headers=dict(headers) or None)
            await flush(self._client, self._patience_s)
        except errors.Error as error:
            raise lost(error) from None

    async def replies(
        self, subject: str, body: bytes, headers: Mapping[str, str] = _NOTHING, *, within_s: float
    ) -> list[NatsMessage]:
        """All that is answered to one request: the first within so many seconds, further ones soon after it.

        Where nobody takes it there is none.
        """
        self._transcript.sent(subject, body)
        inbox, found = self._client.new_inbox(), list[NatsMessage]()
        async with listening(self._client, inbox, self._take_any, patience_s=self._patience_s) as replies:
            await self._client.publish(subject, body, reply=inbox, headers=dict(headers) or None)
            reply = await replies.quiet(within_s)
            # Where there is nobody, NATS itself says so.
            while reply is not None and _STATUS not in reply.headers:
                found.append(reply)
                reply = await replies.quiet(_FURTHER_S)
        return found

    def shared(self, subject: str, queue: str) -> AbstractAsyncContextManager[NatsMessages]:
        """The suite as a member of a queue group while the block runs: what of its messages comes here."""
        return listening(self._client, subject, self._take_any, patience_s=self._patience_s, queue=queue)

    def all(self, subject: str) -> AbstractAsyncContextManager[NatsMessages]:
        """Whatever is sent on a subject while the block runs, wildcards and requests included."""
        return listening(self._client, subject, self._take_any, patience_s=self._patience_s)

    def _take_any(self, message: NatsMessage) -> bool:
        self._transcript.received(message.subject, message.body)
        return True

    async def services(self, verb: str = "INFO") -> list[JsonObject]:
        """What the services on NATS answer to $SRV.INFO, PING or STATS."""
        found = await self.replies(f"$SRV.{verb}", b"", within_s=_FURTHER_S)
        return [reply.data for reply in found if isinstance(reply.data, dict)]


def _subject(operation: Operation, ask: Ask) -> str:
    """Parts that are wrong stay as they are, so that servers can be seen to refuse them."""
    fields = {name: str(ask.message.get(field, "")) for name, field in operation.path_fields.items()}
    parts = {"tenant": ask.caller.tenant, **fields, **ask.path}
    if parts["tenant"] is None:
        raise NotOnBindingError("NATS has no subject that names no tenant")
    return str(operation.nats).format(**parts)


def _headers(ask: Ask) -> dict[str, str]:
    credential = {} if ask.caller.token is None else {"Authorization": f"Bearer {ask.caller.token}"}
    return {**credential, **ask.carried}


def _is_refusal(body: bytes) -> bool:
    try:
        read = read_json(body)
    except ValueError:
        return False
    return isinstance(read, dict) and "error" in read


def _answer_type(operation: Operation, ask: Ask) -> str:
    if operation.id == "INVOKE" and ask.message.get("stream_preference") == "server_stream":
        return "StreamAccepted"
    return operation.response.__name__ if operation.response else ""
