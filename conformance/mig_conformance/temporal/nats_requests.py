"""NATS: who takes a request, how often it is answered, and what is never served (protocol section 6)."""

from __future__ import annotations

import asyncio

from mig_conformance.checks.expectation import compare
from mig_conformance.checks.trial import REFERENCE, Trial
from mig_conformance.drivers.nats_connection import NatsMessage, NatsMessages
from mig_conformance.drivers.port import Ask, Caller, JsonObject
from mig_conformance.flaws import FlawError, expect, same
from mig_conformance.temporal.nats_wire import as_json, credential, over_nats, requests_of
from mig_conformance.temporal.subscriptions import QUIET_S, events, following, reader
from mig_protocol.operations import OPERATIONS

_QUEUE = "mig-gateways"
_REQUESTS = 40
_OURS = b'{"answered_by": "the suite"}'
_STREAMS = "$JS.API.STREAM.NAMES"
_COPIED = ("mig_version", "message_id", "tenant_id", "session_id", "traceparent", "idempotency_key")
_UNARY = [row.id for row in OPERATIONS if row.nats is not None and row.shape == "unary"]


async def shared(trial: Trial) -> None:
    """The suite joins the queue group: each request is taken by it or by a gateway, by one of them."""
    caller = trial.callers.of_tenant(trial.new_tenant())
    requests = requests_of(str(caller.tenant), trial.new_topic())
    for operation, (subject, body) in requests.items():
        async with over_nats(trial).shared(subject, _QUEUE) as ours:
            answering = asyncio.create_task(_answer(trial, ours))
            try:
                replies = await asyncio.gather(
                    *(_replies(trial, subject, body, caller) for _ in range(_REQUESTS))
                )
            finally:
                answering.cancel()
                await asyncio.wait([answering])
        counts = {len(each) for each in replies}
        expect(counts == {1}, f"{operation}: a request was answered by {sorted(counts)} members of the group")
        taken = sum(each[0].body == _OURS for each in replies)
        expect(
            0 < taken < _REQUESTS,
            f"{operation}: of {_REQUESTS} requests another member of {_QUEUE} took {taken}",
        )


async def without_reply(trial: Trial) -> None:
    """A request that asks for no reply is served all the same."""
    topic = trial.new_topic()
    subject, body = requests_of(str(trial.own.tenant), topic)["PUBLISH"]
    async with following(trial, topic, driver=reader(trial)) as subscription:
        await over_nats(trial).send(subject, body, credential(trial.own))
        (event,) = await events(subscription, 1)
    same("the payload of the event", event["payload"], {"n": 1})


async def one_reply(trial: Trial) -> None:
    """A publish request has the gateway's answer and no other, such as that of a stream bound to it."""
    subject, body = requests_of(str(trial.own.tenant), trial.new_topic())["PUBLISH"]
    replies = await _replies(trial, subject, body, trial.own)
    same("how many replies a publish request has", len(replies), 1)
    found = replies[0].data
    expect(isinstance(found, dict) and found.get("accepted") is True, f"the reply is no PublishAck: {found}")


async def no_jetstream(trial: Trial) -> None:
    """No stream of JetStream listens on the subjects of requests."""
    body = as_json({"subject": "mig.v0_1.>"})
    for reply in await over_nats(trial).replies(_STREAMS, body, within_s=trial.patience_s):
        streams = reply.data.get("streams") if isinstance(reply.data, dict) else None
        expect(not streams, f"streams are bound to subjects of requests: {streams}")


async def other_tenant(trial: Trial) -> None:
    """The tenant of the body, or of the NATS header, is not that of the subject."""
    other = trial.subject.other_tenant
    for operation in _UNARY:
        message = _message(trial, operation)
        in_body = {**message, "header": {"tenant_id": other}}
        (await trial.call(operation, in_body)).refused("MIG_FORBIDDEN")
        (await trial.call(operation, message, carried={"tenant_id": other})).refused("MIG_FORBIDDEN")
        (await trial.call(operation, message)).accepted()


async def credentials(trial: Trial) -> None:
    """No token, no token at all, and that of another tenant."""
    tenant, other = trial.own.tenant, trial.callers.named("other")
    for operation in _UNARY:
        message = _message(trial, operation)
        for text in (None, "Bearer", "Bearer not.a.token", f"Basic {trial.own.token}"):
            ask = Ask(
                operation=operation,
                caller=Caller(tenant=tenant),
                message=message,
                carried={} if text is None else {"Authorization": text},
            )
            (await trial.driver.call(ask)).refused("MIG_UNAUTHORIZED")
        of_another = Caller(tenant=tenant, token=other.token)
        (await trial.call(operation, message, caller=of_another)).refused("MIG_FORBIDDEN")
        (await trial.call(operation, message)).accepted()


async def wrong_subjects(trial: Trial) -> None:
    """Wildcards and empty tokens in the subject of a request: refused, or not taken at all."""
    tenant = str(trial.own.tenant)
    invoke, body = f"mig.v0_1.{tenant}.invoke", as_json({"payload": {"input": "hello"}})
    wrong = [
        "mig.v0_1.*.hello",
        "mig.v0_1.*.discover",
        f"{invoke}.*",
        f"{invoke}.>",
        f"{invoke}.observatory..infer",
        f"{invoke}.observatory.models.",
        f"{invoke}.observatory.*.infer",
        f"mig.v0_1.{tenant}.events.conformance.*",
        f"mig.v0_1.{tenant}.events.conformance.>",
        f"mig.v0_1.{tenant}.events.conformance..a",
        f"mig.v0_1.{tenant}.control.cancel.*",
    ]
    found = await asyncio.gather(
        *(
            over_nats(trial).replies(subject, body, credential(trial.own), within_s=QUIET_S)
            for subject in wrong
        )
    )
    for subject, replies in zip(wrong, found, strict=True):
        for reply in replies:
            _refused(subject, reply)


async def wrong_streams(trial: Trial) -> None:
    """A stream_id that would make such a subject: refused, and nothing is sent on what it would match."""
    tenant = str(trial.own.tenant)
    message = {"capability": REFERENCE, "payload": {"input": "hello"}, "stream_preference": "server_stream"}
    for stream_id in (f"{trial.new_id()}.*", f"{trial.new_id()}.>", "*", f"{trial.new_id()}..a"):
        answer = await trial.call("INVOKE", message, carried={"stream_id": stream_id})
        answer.refused("MIG_INVALID_REQUEST")
    topic = trial.new_topic()
    async with over_nats(trial).all(f"mig.v0_1.{tenant}.events.{topic}.>") as sent:
        for name in (f"{topic}.*", f"{topic}..a", f"{topic}.>"):
            ask = Ask(operation="PUBLISH", caller=trial.own, message={"topic": name, "payload": {}})
            (await trial.http.call(ask)).refused("MIG_INVALID_REQUEST")
        if (message_sent := await sent.quiet(QUIET_S)) is not None:
            raise FlawError(f"something was sent on {message_sent.subject}")


async def cancel_elsewhere(trial: Trial) -> None:
    """CANCEL over NATS of what runs on another gateway."""
    peer = trial.peer("http" if trial.subject.peers[0].http is not None else "grpc")
    message_id, key = trial.new_id(), trial.new_id()
    script = trial.scripted({"mark": key}, {"wait_ms": 60000}, header={"message_id": message_id})
    running = asyncio.create_task(trial.call("INVOKE", script, driver=peer))
    try:
        begun = trial.scripted({"await_mark": {"key": key}})
        (await trial.call("INVOKE", begun, driver=peer)).accepted()
        ack = (await trial.call("CANCEL", {"target_message_id": message_id})).accepted()
        same("accepted", ack["accepted"], True)
        same("the status of the cancelled work", ack["status"], "cancelled")
        error = (await running).refused("MIG_TIMEOUT")
    finally:
        running.cancel()
    compare({"retryable": False, "details": {"cancelled": True}}, error, "the error of what was cancelled")


async def frames_carry_the_header(trial: Trial) -> None:
    """Every frame of a stream has the fields of its header as NATS headers."""
    stream_id, tenant = trial.new_id(), str(trial.own.tenant)
    header = _full_header(trial)
    async with over_nats(trial).all(f"mig.v0_1.{tenant}.stream.{stream_id}") as frames:
        message = {
            "header": header,
            "capability": REFERENCE,
            "payload": {"input": "hello"},
            "stream_preference": "server_stream",
        }
        (await trial.call("INVOKE", message, carried={"stream_id": stream_id})).accepted()
        while True:
            frame = await frames.next()
            _copied(frame, header, tenant)
            if isinstance(frame.data, dict) and frame.data.get("end_stream"):
                break


async def events_carry_the_header(trial: Trial) -> None:
    """A mirrored event has the fields of its header as NATS headers."""
    topic, tenant, header = trial.new_topic(), str(trial.own.tenant), _full_header(trial)
    async with over_nats(trial).mirrored(tenant, topic) as mirrored:
        await trial.publish(topic, {"n": 1}, header=header)
        _copied(await mirrored.next(), header, tenant)


def _full_header(trial: Trial) -> dict[str, str]:
    return {
        "message_id": trial.new_id(),
        "session_id": trial.new_id(),
        "traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "idempotency_key": trial.new_id(),
    }


def _copied(message: NatsMessage, header: dict[str, str], tenant: str) -> None:
    wanted = {"mig_version": "0.1", "tenant_id": tenant, **header}
    found = message.data.get("header", {}) if isinstance(message.data, dict) else {}
    for name in _COPIED:
        copied = message.headers.get(name)
        same(f"the NATS header {name} on {message.subject}", copied, found.get(name))
        if name != "traceparent":  # a server that traces goes on with a span of its own
            same(f"the NATS header {name} on {message.subject}", copied, wanted[name])


def _message(trial: Trial, operation: str) -> JsonObject:
    messages: dict[str, JsonObject] = {
        "INVOKE": {"capability": REFERENCE, "payload": {"input": "hello"}},
        "PUBLISH": {"topic": trial.new_topic(), "payload": {}},
        "CANCEL": {"target_message_id": trial.new_id()},
    }
    return messages.get(operation, {})


async def _replies(trial: Trial, subject: str, body: bytes, caller: Caller) -> list[NatsMessage]:
    return await over_nats(trial).replies(subject, body, credential(caller), within_s=trial.patience_s)


async def _answer(trial: Trial, requests: NatsMessages) -> None:
    while True:
        request = await requests.next()
        if request.reply:  # mirrored events come on the subject of publish requests
            await over_nats(trial).send(request.reply, _OURS)


def _refused(subject: str, reply: NatsMessage) -> None:
    error = reply.data.get("error") if isinstance(reply.data, dict) else None
    if not isinstance(error, dict) or error.get("code") != "MIG_INVALID_REQUEST":
        raise FlawError(f"{subject} was served: {reply.body[:300]!r}")
