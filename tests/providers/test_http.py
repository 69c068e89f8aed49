"""Services behind invoke: what they are sent, and what their answers become."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Mapping
from contextlib import aclosing
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
from aiohttp import web

from mig_protocol.errors import MigFault
from mig_protocol.messages import MigErrorCode
from migd.core.provider import Final, JsonObject, Work
from migd.providers.http import HttpProvider, HttpService

from .waiting_service import Waiting

MakeWork = Callable[..., Work]
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Serve = Callable[[Handler], Awaitable[str]]
Connected = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
ServeRaw = Callable[[Connected], Awaitable[str]]
Running = Callable[[HttpProvider], Awaitable[HttpProvider]]

NDJSON = "application/x-ndjson"


def service(url: str, **settings: Any) -> HttpProvider:
    stated: dict[str, Any] = {
        "capability": "text.render",
        "url": url,
        "stream_url": url,
        "timeout_s": 10.0,
        "max_response_bytes": 10_000,
    }
    return HttpProvider(HttpService(**(stated | settings)))


async def frames(provider: HttpProvider, work: Work) -> list[JsonObject | Final]:
    return [item async for item in provider.stream(work)]


async def frames_and_fault(provider: HttpProvider, work: Work) -> tuple[list[JsonObject | Final], MigFault]:
    """What came of a stream that fails, and how it failed."""
    found: list[JsonObject | Final] = []
    try:
        async for item in provider.stream(work):
            found.append(item)
    except MigFault as fault:
        return found, fault
    pytest.fail(f"the stream did not fail: {found}")


def answering(body: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Handler:
    """A service that always gives this answer; `body` as JSON unless it is bytes."""

    async def answer(_: web.Request) -> web.Response:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        return web.Response(body=data, status=status, headers=headers)

    return answer


async def streaming(request: web.Request, content_type: str = NDJSON) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": content_type})
    await response.prepare(request)
    return response


@pytest.fixture
def refusal(work: MakeWork, serve: Serve, running: Running) -> Callable[..., Awaitable[MigFault]]:
    """The fault that a caller gets when the service gives this answer to a unary call."""

    async def of(body: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> MigFault:
        provider = await running(service(await serve(answering(body, status, headers))))
        with pytest.raises(MigFault) as refused:
            await provider.invoke(work())
        return refused.value

    return of


Refusal = Callable[..., Awaitable[MigFault]]


async def test_the_payload_is_posted_and_the_answer_given_back(
    work: MakeWork, serve: Serve, running: Running
) -> None:
    async def echo(request: web.Request) -> web.Response:
        return web.json_response({"method": request.method, "sent": await request.json()})

    provider = await running(service(await serve(echo)))
    assert await provider.invoke(work({"text": "é"})) == {"method": "POST", "sent": {"text": "é"}}


async def test_who_asks_and_for_how_long_is_in_the_headers(
    work: MakeWork, serve: Serve, running: Running
) -> None:
    async def headers(request: web.Request) -> web.Response:
        return web.json_response({name.lower(): value for name, value in request.headers.items()})

    provider = await running(service(await serve(headers), headers={"Authorization": "Bearer secret"}))
    traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    named = {"session_id": "session-1", "traceparent": traceparent, "idempotency_key": "key-1"}
    sent = await provider.invoke(work(seconds=5.0, **named))
    assert sent["x-tenant-id"] == "acme"
    assert sent["mig-message-id"] == "message-1"
    assert sent["mig-session-id"] == "session-1"
    assert sent["traceparent"] == traceparent
    assert sent["idempotency-key"] == "key-1"
    assert 4000 < int(sent["mig-deadline-ms"]) <= 5000
    assert sent["authorization"] == "Bearer secret"
    assert sent["content-type"] == "application/json"
    assert sent["accept"] == "application/json"


async def test_headers_without_a_value_are_not_sent(work: MakeWork, serve: Serve, running: Running) -> None:
    async def names(request: web.Request) -> web.Response:
        return web.json_response({"names": [name.lower() for name in request.headers]})

    provider = await running(service(await serve(names)))
    sent = (await provider.invoke(work()))["names"]
    assert "traceparent" not in sent
    assert "mig-session-id" not in sent
    assert "idempotency-key" not in sent


async def test_a_cookie_of_one_call_is_not_sent_with_the_next(
    work: MakeWork, serve: Serve, running: Running
) -> None:
    async def cookie(request: web.Request) -> web.Response:
        response = web.json_response({"cookies": dict(request.cookies)})
        response.set_cookie("tenant", request.headers["X-Tenant-ID"])
        return response

    provider = await running(service(await serve(cookie)))
    await provider.invoke(work(tenant_id="acme"))
    assert await provider.invoke(work(tenant_id="globex")) == {"cookies": {}}


@pytest.mark.parametrize(
    ("status", "code", "retryable"),
    [
        (400, "MIG_INVALID_REQUEST", False),
        (409, "MIG_INVALID_REQUEST", False),
        (413, "MIG_INVALID_REQUEST", False),
        (422, "MIG_INVALID_REQUEST", False),
        (401, "MIG_UNAVAILABLE", False),
        (403, "MIG_UNAVAILABLE", False),
        (404, "MIG_NOT_FOUND", False),
        (410, "MIG_NOT_FOUND", False),
        (405, "MIG_INTERNAL", False),
        (406, "MIG_INTERNAL", False),
        (415, "MIG_INTERNAL", False),
        (408, "MIG_TIMEOUT", True),
        (504, "MIG_TIMEOUT", True),
        (429, "MIG_RATE_LIMITED", True),
        (502, "MIG_UNAVAILABLE", True),
        (503, "MIG_UNAVAILABLE", True),
        (500, "MIG_INTERNAL", False),
        (501, "MIG_INTERNAL", False),
    ],
)
async def test_every_status_has_its_error(refusal: Refusal, status: int, code: str, retryable: bool) -> None:
    fault = await refusal({"why": "so"}, status)
    assert (fault.code.value, fault.retryable) == (code, retryable)
    assert fault.details is not None
    assert fault.details["status"] == status
    assert "text.render" in fault.message


async def test_what_the_service_says_about_a_bad_payload_is_passed_on(refusal: Refusal) -> None:
    assert (await refusal({"field": "text"}, 422)).details == {"status": 422, "upstream": {"field": "text"}}
    assert (await refusal({"id": 7}, 404)).details == {"status": 404, "upstream": {"id": 7}}


@pytest.mark.parametrize("status", [401, 500, 503])
async def test_what_it_says_about_itself_is_not(refusal: Refusal, status: int) -> None:
    fault = await refusal({"trace": "db-7.internal"}, status)
    assert "db-7" not in f"{fault.message}{fault.details}"


async def test_a_refusal_that_is_no_json_is_not_shown(refusal: Refusal) -> None:
    assert (await refusal(b"<h1>no</h1>", 400)).details == {"status": 400}


async def test_a_payload_that_is_too_large_for_the_service_is_413(refusal: Refusal) -> None:
    assert (await refusal({}, 413)).http_status == 413


async def test_retry_after_is_passed_on(refusal: Refusal) -> None:
    assert (await refusal({}, 429, {"Retry-After": "7"})).retry_after_s == 7.0


@pytest.mark.parametrize(("hours", "most"), [(1, 3600.0), (-1, 0.0)])
async def test_a_retry_after_date_is_passed_on(refusal: Refusal, hours: int, most: float) -> None:
    # The date is made here and not with the parameters, which are as old as the whole test run.
    date = format_datetime(datetime.now(UTC) + timedelta(hours=hours), usegmt=True)
    fault = await refusal({}, 429, {"Retry-After": date})
    assert fault.retry_after_s is not None
    assert max(0.0, most - 600.0) <= fault.retry_after_s <= most


async def test_a_retry_after_that_means_nothing_is_left_out(refusal: Refusal) -> None:
    assert (await refusal({}, 429, {"Retry-After": "soon"})).retry_after_s is None


async def test_an_error_of_migs_own_is_passed_on_as_it_is(refusal: Refusal) -> None:
    error = {"code": "MIG_BACKPRESSURE", "message": "full", "retryable": False, "details": {"queue": 9}}
    fault = await refusal({"header": {"mig_version": "0.1"}, "error": error}, 503)
    assert (fault.code.value, fault.message, fault.retryable) == ("MIG_BACKPRESSURE", "full", False)
    assert fault.details == {"queue": 9}


@pytest.mark.parametrize(
    "envelope",
    [
        {"error": {"code": "MIG_NOVEL", "message": "x"}},
        {"error": {"code": ["MIG_TIMEOUT"], "message": "x"}},
        {"error": {"code": "MIG_TIMEOUT"}},
        {"error": "MIG_TIMEOUT"},
        {"error": {"code": "MIG_TIMEOUT", "message": "x"}, "more": 1},
    ],
)
async def test_what_only_looks_like_an_error_of_migs_is_not(refusal: Refusal, envelope: JsonObject) -> None:
    assert (await refusal(envelope, 503)).code is MigErrorCode.MIG_UNAVAILABLE


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"<html>", "not JSON"),
        (b"", "not JSON"),
        (b"\xff{}", "not JSON"),
        (b"[1]", "not an object"),
        (b'"text"', "not an object"),
        (b'{"x":"' + b"x" * 20_000 + b'"}', "more than 10000 bytes"),
    ],
)
async def test_an_answer_that_is_no_json_object_is_internal(
    refusal: Refusal, body: bytes, message: str
) -> None:
    fault = await refusal(body)
    assert fault.code is MigErrorCode.MIG_INTERNAL
    assert message in fault.message


async def test_a_redirect_is_refused_and_not_followed(work: MakeWork, serve: Serve, running: Running) -> None:
    visited: list[str] = []

    async def redirect(request: web.Request) -> web.Response:
        visited.append(request.path)
        return web.Response(status=307, headers={"Location": "/elsewhere"})

    provider = await running(service(await serve(redirect)))
    with pytest.raises(MigFault) as refused:
        await provider.invoke(work())
    assert refused.value.code is MigErrorCode.MIG_INTERNAL
    assert visited == ["/"]


async def test_a_service_that_is_not_there_is_unavailable(
    work: MakeWork, running: Running, unused_tcp_port: int
) -> None:
    provider = await running(service(f"http://127.0.0.1:{unused_tcp_port}/"))
    with pytest.raises(MigFault) as refused:
        await provider.invoke(work())
    assert refused.value.code is MigErrorCode.MIG_UNAVAILABLE
    assert refused.value.retryable
    assert str(unused_tcp_port) not in refused.value.message


@pytest.mark.parametrize(
    ("spoken", "code"),
    [
        (b"", "MIG_UNAVAILABLE"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{", "MIG_UNAVAILABLE"),
        (b"SSH-2.0-OpenSSH_9.2\r\n\r\n", "MIG_INTERNAL"),
    ],
)
async def test_a_service_that_breaks_off_or_speaks_no_http_is_told_apart(
    work: MakeWork, serve_raw: ServeRaw, running: Running, spoken: bytes, code: str
) -> None:
    async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(spoken)
        await writer.drain()
        writer.close()

    provider = await running(service(await serve_raw(speak)))
    with pytest.raises(MigFault) as refused:
        await provider.invoke(work())
    assert refused.value.code.value == code


@pytest.mark.parametrize(("timeout_s", "deadline_s"), [(0.05, 10.0), (10.0, 0.05)])
async def test_the_sooner_of_timeout_and_deadline_ends_the_call_and_its_connection(
    work: MakeWork, serve: Serve, running: Running, timeout_s: float, deadline_s: float
) -> None:
    waiting = Waiting()
    provider = await running(service(await serve(waiting.answer), timeout_s=timeout_s))
    with pytest.raises(MigFault) as refused:
        await asyncio.wait_for(provider.invoke(work(seconds=deadline_s)), 5)
    assert refused.value.code is MigErrorCode.MIG_TIMEOUT
    await asyncio.wait_for(waiting.left.wait(), 5)


async def test_cancelling_a_call_hangs_up_on_the_service(
    work: MakeWork, serve: Serve, running: Running
) -> None:
    waiting = Waiting()
    provider = await running(service(await serve(waiting.answer)))
    task = asyncio.create_task(provider.invoke(work()))
    await waiting.asked.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await asyncio.wait_for(waiting.left.wait(), 5)


async def test_giving_up_a_stream_hangs_up_on_the_service(
    work: MakeWork, serve: Serve, running: Running
) -> None:
    waiting = Waiting(first=b'{"n":1}\n{"n":2}\n')
    provider = await running(service(await serve(waiting.answer)))
    async with aclosing(provider.stream(work())) as items:  # type: ignore[type-var]
        assert await anext(items) == {"n": 1}
        assert not waiting.left.is_set()
    await asyncio.wait_for(waiting.left.wait(), 5)


async def test_cancelling_a_stream_that_waits_hangs_up_on_the_service(
    work: MakeWork, serve: Serve, running: Running
) -> None:
    waiting = Waiting(first=b"")
    provider = await running(service(await serve(waiting.answer)))
    task = asyncio.create_task(frames(provider, work()))
    await waiting.asked.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await asyncio.wait_for(waiting.left.wait(), 5)


async def test_a_stream_that_stalls_ends_at_its_deadline(
    work: MakeWork, serve: Serve, running: Running
) -> None:
    waiting = Waiting(first=b'{"n":1}\n')
    provider = await running(service(await serve(waiting.answer)))
    found, fault = await frames_and_fault(provider, work(seconds=0.2))
    assert fault.code is MigErrorCode.MIG_TIMEOUT
    assert found == [{"n": 1}]
    await asyncio.wait_for(waiting.left.wait(), 5)


@pytest.mark.parametrize(
    ("content_type", "written"),
    [
        (NDJSON, b'{"n":%d}\n'),
        ("application/x-ndjson; charset=utf-8", b'{"n":%d}\r\n'),
        ("text/event-stream", b'event: piece\ndata: {"n":%d}\n\n'),
    ],
)
async def test_frames_are_relayed_as_they_come_and_the_last_is_terminal(
    work: MakeWork, serve: Serve, running: Running, content_type: str, written: bytes
) -> None:
    seen = [asyncio.Event() for _ in range(3)]

    async def count(request: web.Request) -> web.StreamResponse:
        response = await streaming(request, content_type)
        await response.write(written % 0)
        for number, event in enumerate(seen, start=1):
            await response.write(written % number)
            await event.wait()
        return response

    provider = await running(service(await serve(count)))
    found: list[JsonObject | Final] = []
    # Each frame is let go by the one before: were any held back, this would wait for ever.
    async with asyncio.timeout(10):
        async for item in provider.stream(work()):
            found.append(item)
            if len(found) <= len(seen):
                seen[len(found) - 1].set()
    assert found == [{"n": 0}, {"n": 1}, {"n": 2}, Final({"n": 3})]


async def test_a_stream_is_asked_for_at_its_own_url(work: MakeWork, serve: Serve, running: Running) -> None:
    async def where(request: web.Request) -> web.Response:
        return web.json_response({"path": request.path, "accept": request.headers["Accept"]})

    url = await serve(where)
    provider = await running(service(url, stream_url=f"{url}stream"))
    assert (await provider.invoke(work()))["path"] == "/"
    (only,) = await frames(provider, work())
    assert isinstance(only, Final)
    assert only.payload["path"] == "/stream"
    assert "application/x-ndjson" in only.payload["accept"]
    assert "text/event-stream" in only.payload["accept"]


async def test_a_plain_answer_to_a_streamed_call_is_its_terminal_frame(
    work: MakeWork, serve: Serve, running: Running
) -> None:
    provider = await running(service(await serve(answering({"whole": True}))))
    assert await frames(provider, work()) == [Final({"whole": True})]


async def test_a_stream_without_frames_has_none(work: MakeWork, serve: Serve, running: Running) -> None:
    provider = await running(service(await serve(answering(b"", headers={"Content-Type": NDJSON}))))
    assert await frames(provider, work()) == []


async def test_a_refused_stream_has_the_error_of_a_refused_call(
    work: MakeWork, serve: Serve, running: Running
) -> None:
    provider = await running(service(await serve(answering({"no": 1}, 422))))
    with pytest.raises(MigFault) as refused:
        await frames(provider, work())
    assert refused.value.details == {"status": 422, "upstream": {"no": 1}}


@pytest.mark.parametrize(
    ("body", "code", "message"),
    [
        (b'{"n":1}\n{"n":2}\nnonsense\n', "MIG_INTERNAL", "not JSON"),
        (b'{"n":1}\n{"n":2}\n[3]\n', "MIG_INTERNAL", "not an object"),
        (
            b'{"n":1}\n{"n":2}\n{"x":"' + b"x" * 20_000 + b'"}\n',
            "MIG_INTERNAL",
            "frame of more than 10000 bytes",
        ),
        (
            b'{"n":1}\n{"n":2}\n{"error":{"code":"MIG_RATE_LIMITED","message":"enough"}}\n',
            "MIG_RATE_LIMITED",
            "enough",
        ),
    ],
)
async def test_a_failure_in_mid_stream_comes_after_the_frames_before_it(
    work: MakeWork, serve: Serve, running: Running, body: bytes, code: str, message: str
) -> None:
    provider = await running(service(await serve(answering(body, headers={"Content-Type": NDJSON}))))
    found, fault = await frames_and_fault(provider, work())
    assert found == [{"n": 1}, {"n": 2}]
    assert fault.code.value == code
    assert message in fault.message


async def test_a_stream_that_breaks_off_is_unavailable_and_its_last_frame_not_terminal(
    work: MakeWork, serve: Serve, running: Running
) -> None:
    async def breaks_off(request: web.Request) -> web.StreamResponse:
        response = await streaming(request)
        await response.write(b'{"n":1}\n')
        assert request.transport is not None
        request.transport.close()
        return response

    provider = await running(service(await serve(breaks_off)))
    found, fault = await frames_and_fault(provider, work())
    assert found == [{"n": 1}]
    assert fault.code is MigErrorCode.MIG_UNAVAILABLE


async def test_a_connection_is_used_again_after_an_answer_and_closed_after_half_of_one(
    work: MakeWork, serve: Serve, running: Running
) -> None:
    peers: list[Any] = []

    async def answer(request: web.Request) -> web.StreamResponse:
        assert request.transport is not None
        peers.append(request.transport.get_extra_info("peername"))
        return await answering({"x": "x" * (5_000_000 if len(peers) == 3 else 1)})(request)

    provider = await running(service(await serve(answer)))
    await provider.invoke(work())
    await provider.invoke(work())
    with pytest.raises(MigFault, match="more than 10000 bytes"):
        await provider.invoke(work())
    await provider.invoke(work())
    assert peers[0] == peers[1] == peers[2]
    assert peers[3] != peers[2]


async def test_secrets_are_in_no_log_and_no_error(
    work: MakeWork, serve: Serve, running: Running, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    url = await serve(answering({}, 401))
    provider = await running(service(f"{url}?key=hush-1", headers={"Authorization": "Bearer hush-2"}))
    with pytest.raises(MigFault) as refused:
        await provider.invoke(work())
    assert "text.render: " in caplog.text
    assert "401" in caplog.text
    shown = f"{caplog.text}{refused.value.message}{refused.value.details}{provider.service!r}"
    assert "hush-2" not in shown
    assert "hush-1" not in f"{caplog.text}{refused.value.message}{refused.value.details}"


async def test_what_is_logged_of_a_service_names_the_invocation_and_its_place_in_the_trace(
    work: MakeWork, serve: Serve, running: Running, caplog: pytest.LogCaptureFixture
) -> None:
    traced = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    provider = await running(service(await serve(answering({}, 503))))
    with pytest.raises(MigFault):
        await provider.invoke(work(message_id="m-1", traceparent=traced))
    await provider.close()
    lost = await running(service("http://127.0.0.1:9/"))
    with pytest.raises(MigFault):
        await lost.invoke(work(message_id="m-1", traceparent=traced))

    facts = [record.__dict__ for record in caplog.records if record.name == "migd.providers.http"]
    assert [(one["message_id"], one["tenant_id"], one["trace_id"], one["span_id"]) for one in facts] == [
        ("m-1", "acme", traced[3:35], traced[36:52])
    ] * 2


async def test_a_service_that_speaks_no_http_is_one_line_in_the_log_without_its_query(
    work: MakeWork, serve_raw: ServeRaw, running: Running, caplog: pytest.LogCaptureFixture
) -> None:
    async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"SSH-2.0-OpenSSH_9.2\r\n\r\n")
        await writer.drain()
        writer.close()

    provider = await running(service(f"{await serve_raw(speak)}?key=hush"))
    with pytest.raises(MigFault):
        await provider.invoke(work())
    (said,) = [record.getMessage() for record in caplog.records if record.name == "migd.providers.http"]
    assert "hush" not in said
    assert "\n" not in said


async def test_a_provider_that_is_not_started_says_so() -> None:
    provider = service("http://127.0.0.1:9/")
    assert not provider.health().ok
    await provider.start()
    assert provider.health().ok
    await provider.close()
    assert not provider.health().ok
