"""The HTTP stub without any server: an exchange in, a reply out."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Mapping
from typing import Any

import pytest
from msgspec import UNSET

from mig_protocol.errors import ERRORS
from mig_protocol.http_server import Exchange, HttpStub, Reply
from mig_protocol.messages import (
    ConnectionKind,
    ConnectionProtocol,
    ConnectionQuery,
    MigErrorCode,
    RequestHeader,
)
from mig_protocol.operations import OPERATIONS
from support.scripted_http import ScriptedHttp

INVOKE = "/mig/v0.1/invoke/"
SUBSCRIBE = "/mig/v0.1/subscribe/"
LIMIT = 4096


@pytest.fixture
def service() -> ScriptedHttp:
    return ScriptedHttp()


@pytest.fixture
def stub(service: ScriptedHttp) -> HttpStub:
    return HttpStub(service, max_body_bytes=LIMIT)


def ask(
    stub: HttpStub,
    method: str,
    path: str,
    body: bytes = b"",
    *,
    query: bytes = b"",
    headers: Mapping[str, str] | None = None,
) -> Reply:
    """A reply that the stub gives without awaiting anything."""
    fields = [(name.lower().encode(), value.encode()) for name, value in (headers or {}).items()]
    reply = stub.handle(Exchange(method, path, query, fields, ("127.0.0.1", 4711)), body)
    assert isinstance(reply, Reply)
    return reply


async def ask_later(stub: HttpStub, method: str, path: str, body: bytes = b"") -> Reply:
    reply = stub.handle(Exchange(method, path), body)
    assert isinstance(reply, Awaitable)
    return await reply


def shown(reply: Reply) -> Any:
    assert isinstance(reply.body, bytes)
    assert dict(reply.headers)[b"content-length"] == str(len(reply.body)).encode()
    return json.loads(reply.body)


def error(reply: Reply, status: int, code: str) -> Any:
    assert reply.status == status
    found = shown(reply)["error"]
    assert found["code"] == code
    return found


def invalid(reply: Reply) -> str:
    message = error(reply, 400, "MIG_INVALID_REQUEST")["message"]
    assert isinstance(message, str)
    return message


def test_a_plain_value_is_answered_at_once(stub: HttpStub) -> None:
    reply = ask(stub, "POST", INVOKE + "test.echo", b'{"payload":{"n":1}}')
    assert reply.status == 200
    assert (b"content-type", b"application/json") in reply.headers
    assert shown(reply)["payload"] == {"echo": {"n": 1}}


@pytest.mark.parametrize("capability", ["test.later", "test.at-once"])
async def test_an_awaitable_is_answered_when_it_is_done(stub: HttpStub, capability: str) -> None:
    reply = await ask_later(stub, "POST", INVOKE + capability, b'{"payload":{"n":1}}')
    assert shown(reply)["payload"] == {"echo": {"n": 1}}


def test_an_empty_body_means_an_empty_message(stub: HttpStub, service: ScriptedHttp) -> None:
    assert ask(stub, "POST", INVOKE + "test.echo").status == 200
    assert service.requests[0].header is UNSET


def test_the_exchange_says_what_was_asked_and_by_whom(stub: HttpStub, service: ScriptedHttp) -> None:
    ask(
        stub,
        "POST",
        INVOKE + "test.echo",
        b"{}",
        headers={"Authorization": "Bearer x", "X-Tenant-ID": "acme"},
    )
    [exchange] = service.exchanges
    assert (exchange.operation, exchange.route) == ("INVOKE", "/mig/v0.1/invoke/{capability}")
    assert (exchange.tenant, exchange.authorization) == ("acme", "Bearer x")
    assert (exchange.wire_bytes, exchange.peer) == (2, "127.0.0.1:4711")


def test_a_created_resource_is_answered_with_its_own_status(stub: HttpStub) -> None:
    reply = ask(stub, "POST", "/cloud/v0.1/orgs", b'{"name":"Acme"}')
    assert (reply.status, shown(reply)) == (201, {"id": "org-1", "name": "Acme"})


def test_every_http_operation_has_its_route(stub: HttpStub) -> None:
    for operation in OPERATIONS:
        assert operation.http_method is not None
        assert operation.http_path is not None
        path = operation.http_path.partition("{")[0]
        route, _ = stub.router.match(operation.http_method, path + ("x.y" if path.endswith("/") else ""))
        assert (route.operation, route.template) == (operation.id, operation.http_path)


@pytest.mark.parametrize(
    "path", ["/", "", "/mig", INVOKE, "/mig/v0.1/hello/", INVOKE + "a/b", "//mig/v0.1/hello"]
)
def test_an_unknown_path_is_not_found(stub: HttpStub, service: ScriptedHttp, path: str) -> None:
    error(ask(stub, "POST", path), 404, "MIG_NOT_FOUND")
    assert len(service.faults) == 1
    assert not stub.router.knows(path)


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("GET", "/mig/v0.1/hello", b"POST"),
        ("OPTIONS", INVOKE + "a", b"POST"),
        ("POST", "/healthz", b"GET, HEAD"),
        ("DELETE", "/admin/v0.1/capabilities", b"GET, POST"),
        ("HEAD", "/admin/v0.1/capabilities", b"GET, POST"),
        ("BREW", "/mig/v0.1/stream", b"GET"),
    ],
)
def test_a_wrong_method_is_told_the_right_ones(stub: HttpStub, method: str, path: str, allow: bytes) -> None:
    reply = ask(stub, method, path)
    assert reply.status == 405
    assert dict(reply.headers)[b"allow"] == allow


def test_head_is_answered_as_get_without_the_body(stub: HttpStub) -> None:
    got, headed = ask(stub, "GET", "/healthz"), ask(stub, "HEAD", "/healthz")
    assert (headed.status, headed.headers, headed.body) == (got.status, got.headers, b"")


def test_an_answer_may_come_under_another_documented_status(stub: HttpStub) -> None:
    reply = ask(stub, "GET", "/readyz")
    assert (reply.status, shown(reply)) == (503, {"status": "unavailable", "reasons": ["starting"]})


def test_text_is_answered_as_text_and_may_name_its_media_type(stub: HttpStub) -> None:
    plain, other = ask(stub, "GET", "/metrics"), ask(stub, "GET", "/metrics", query=b"open")
    assert (plain.body, plain.headers[0][1]) == (b"up 1\n", b"text/plain; charset=utf-8")
    assert other.headers[0][1] == b"application/openmetrics-text; version=1.0.0"


def test_the_websocket_route_wants_a_handshake(stub: HttpStub) -> None:
    assert "WebSocket" in invalid(ask(stub, "GET", "/mig/v0.1/stream"))


def test_a_body_over_the_limit_is_too_large(stub: HttpStub) -> None:
    body = b'{"payload":{"x":"%s"}}' % (b"x" * LIMIT)
    reply = ask(stub, "POST", INVOKE + "test.echo", body)
    assert "4096 bytes" in error(reply, 413, "MIG_INVALID_REQUEST")["message"]


def test_header_fields_of_http_fill_what_the_body_leaves_out(stub: HttpStub, service: ScriptedHttp) -> None:
    carried = {
        "X-Tenant-ID": "acme",
        "MIG-Message-ID": "from-http",
        "MIG-Session-ID": "s-1",
        "MIG-Deadline-Ms": "1500",
        "Idempotency-Key": "k-1",
        "traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    }
    ask(stub, "POST", INVOKE + "test.echo", b'{"header":{"message_id":"from-body"}}', headers=carried)
    expected = RequestHeader(
        tenant_id="acme",
        message_id="from-body",
        session_id="s-1",
        deadline_ms=1500,
        idempotency_key="k-1",
        traceparent=carried["traceparent"],
    )
    assert service.requests[0].header == expected


def test_a_tenant_that_disagrees_is_left_for_the_service_to_forbid(
    stub: HttpStub, service: ScriptedHttp
) -> None:
    ask(
        stub,
        "POST",
        INVOKE + "test.echo",
        b'{"header":{"tenant_id":"body"}}',
        headers={"X-Tenant-ID": "http"},
    )
    assert (service.requests[0].header.tenant_id, service.exchanges[0].tenant) == ("body", "http")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("X-Tenant-ID", "a b"),
        ("X-Tenant-ID", ""),
        ("X-Tenant-ID", "acmé"),
        ("MIG-Message-ID", "a/b"),
        ("MIG-Deadline-Ms", "soon"),
        ("MIG-Deadline-Ms", "1e3"),
        ("MIG-Deadline-Ms", "+5"),
        ("MIG-Deadline-Ms", "4294967296"),
        ("MIG-Deadline-Ms", "-1"),
        ("traceparent", "00-xyz"),
    ],
)
def test_a_header_field_out_of_bounds_is_refused_by_its_name(stub: HttpStub, name: str, value: str) -> None:
    reply = ask(stub, "POST", INVOKE + "test.echo", b"{}", headers={name: value})
    assert invalid(reply).startswith(f"{name} is not valid: ")


def test_an_error_keeps_the_tenant_that_was_valid_and_drops_the_one_that_was_not(stub: HttpStub) -> None:
    good = ask(
        stub, "POST", "/mig/v0.1/hello", b"[]", headers={"X-Tenant-ID": "acme", "MIG-Message-ID": "m-1"}
    )
    assert shown(good)["header"]["tenant_id"] == "acme"
    assert shown(good)["header"]["message_id"] == "m-1"
    assert (
        shown(ask(stub, "POST", "/mig/v0.1/hello", headers={"X-Tenant-ID": "a b"}))["header"]["tenant_id"]
        == "unknown"
    )


def test_a_header_field_given_twice_is_refused_unless_it_says_the_same(stub: HttpStub) -> None:
    def both(first: bytes, second: bytes) -> Reply:
        fields = [(b"x-tenant-id", first), (b"x-tenant-id", second)]
        reply = stub.handle(Exchange("POST", INVOKE + "test.echo", b"", fields), b"{}")
        assert isinstance(reply, Reply)
        return reply

    assert both(b"acme", b"acme").status == 200
    assert "x-tenant-id is given more than once" in invalid(both(b"acme", b"evil"))


def test_public_routes_look_at_no_header_field(stub: HttpStub) -> None:
    assert ask(stub, "GET", "/healthz", headers={"X-Tenant-ID": "a b"}).status == 200


@pytest.mark.parametrize(
    ("segment", "body", "capability"),
    [
        ("test.echo", b"{}", "test.echo"),
        ("test%2Eecho", b"{}", "test.echo"),
        ("test.echo", b'{"capability":"test.echo"}', "test.echo"),
        ("test%2Eech%6F", b'{"capability":"test.echo"}', "test.echo"),
    ],
)
def test_the_path_names_the_capability(
    stub: HttpStub, service: ScriptedHttp, segment: str, body: bytes, capability: str
) -> None:
    assert ask(stub, "POST", INVOKE + segment, body).status == 200
    assert service.requests[0].capability == capability


def test_a_path_and_a_body_that_disagree_are_refused(stub: HttpStub) -> None:
    said = invalid(ask(stub, "POST", INVOKE + "test.echo", b'{"capability":"other"}'))
    assert said == "capability disagrees: the path says test.echo, the body says other"


def test_a_percent_in_the_path_is_always_an_escape(stub: HttpStub) -> None:
    reply = ask(stub, "POST", "/mig/v0.1/cancel/a%41", b'{"target_message_id":"a%41"}')
    assert "message_id disagrees: the path says aA" in invalid(reply)


@pytest.mark.parametrize(
    "segment", ["a..b", "a%2Fb", "%00", "a%0A", "a*b", "a%20b", ".", "x" * 256, "caf%C3%A9"]
)
def test_a_path_parameter_out_of_its_schema_is_refused(stub: HttpStub, segment: str) -> None:
    assert "capability in the path is not valid" in invalid(ask(stub, "POST", INVOKE + segment))


def test_a_path_that_is_not_utf_8_is_refused(stub: HttpStub) -> None:
    assert "%FF is not percent-encoded UTF-8" in invalid(ask(stub, "POST", INVOKE + "%FF"))


def test_query_parameters_become_the_request(stub: HttpStub, service: ScriptedHttp) -> None:
    query = b"consumer_id=dash%2D1&resume_cursor=17&max_inflight=64&colour=red"
    ask(stub, "GET", SUBSCRIBE + "a.b", query=query, headers={"X-Tenant-ID": "acme"})
    request = service.requests[0]
    assert (request.topic, request.consumer_id, request.resume_cursor) == ("a.b", "dash-1", "17")
    assert (request.max_inflight, request.header.tenant_id) == (64, "acme")


@pytest.mark.parametrize(
    ("query", "says"),
    [
        (b"max_inflight=many", "expected an integer, got a string at /max_inflight"),
        (b"max_inflight=01", "expected an integer, got a string at /max_inflight"),
        (b"max_inflight=1.0", "expected an integer, got a string at /max_inflight"),
        (b"max_inflight=4294967296", "expected an integer <= 4294967295 at /max_inflight"),
        (b"max_inflight=1&max_inflight=1", "the query parameter max_inflight is given more than once"),
        (b"resume_cursor=-1", "/resume_cursor"),
        (b"resume_cursor=", "/resume_cursor"),
        (b"resume_cursor=1&resume%5Fcursor=1", "the query parameter resume_cursor is given more than once"),
        (b"consumer_id=%FF", "%FF is not percent-encoded UTF-8"),
    ],
)
def test_a_bad_query_parameter_is_refused(stub: HttpStub, query: bytes, says: str) -> None:
    assert says in invalid(ask(stub, "GET", SUBSCRIBE + "a.b", query=query))


def test_last_event_id_is_a_cursor_and_the_query_wins(stub: HttpStub, service: ScriptedHttp) -> None:
    ask(stub, "GET", SUBSCRIBE + "a.b", headers={"Last-Event-ID": "5"})
    ask(stub, "GET", SUBSCRIBE + "a.b", query=b"resume_cursor=9", headers={"Last-Event-ID": "5"})
    assert [request.resume_cursor for request in service.requests] == ["5", "9"]
    invalid(ask(stub, "GET", SUBSCRIBE + "a.b", headers={"Last-Event-ID": "five"}))
    invalid(ask(stub, "GET", SUBSCRIBE + "a.b", headers={"Last-Event-ID": ""}))


def test_last_event_id_is_checked_where_the_query_wins(stub: HttpStub) -> None:
    headers = {"Last-Event-ID": "five"}
    says = invalid(ask(stub, "GET", SUBSCRIBE + "a.b", query=b"resume_cursor=9", headers=headers))
    assert "Last-Event-ID is not valid" in says


def test_a_query_of_its_own_type_is_read_as_that(stub: HttpStub, service: ScriptedHttp) -> None:
    ask(stub, "GET", "/admin/v0.1/connections", query=b"tenant_id=acme&protocol=http&kind=ws_stream")
    assert service.requests[0] == ConnectionQuery(
        tenant_id="acme", protocol=ConnectionProtocol.http, kind=ConnectionKind.ws_stream
    )
    invalid(ask(stub, "GET", "/admin/v0.1/connections", query=b"kind=smoke"))


def test_a_stream_is_given_back_unread_with_the_headers_of_sse(stub: HttpStub) -> None:
    reply = ask(stub, "GET", SUBSCRIBE + "test.finite")
    assert not isinstance(reply.body, bytes)
    assert dict(reply.headers) == {
        b"content-type": b"text/event-stream",
        b"cache-control": b"no-cache",
        b"x-accel-buffering": b"no",
    }


async def test_a_stream_may_be_awaited_first(stub: HttpStub, service: ScriptedHttp) -> None:
    reply = await ask_later(stub, "GET", SUBSCRIBE + "test.awaited")
    assert not isinstance(reply.body, bytes)
    assert [chunk async for chunk in reply.body] == service.chunks


def test_a_refused_stream_is_an_ordinary_error(stub: HttpStub) -> None:
    reply = ask(stub, "GET", SUBSCRIBE + "test.refused")
    assert error(reply, 503, "MIG_BACKPRESSURE")["retryable"] is True
    assert dict(reply.headers)[b"retry-after"] == b"3"


async def test_retry_after_is_at_least_a_second(stub: HttpStub) -> None:
    reply = await ask_later(stub, "POST", INVOKE + "test.busy")
    error(reply, 429, "MIG_RATE_LIMITED")
    assert dict(reply.headers)[b"retry-after"] == b"1"


def test_a_missing_credential_is_told_the_scheme(stub: HttpStub) -> None:
    reply = ask(stub, "POST", INVOKE + "test.denied")
    error(reply, 401, "MIG_UNAUTHORIZED")
    assert dict(reply.headers)[b"www-authenticate"] == b"Bearer"


@pytest.mark.parametrize("capability", ["test.broken", "test.unencodable"])
def test_an_unexpected_failure_tells_nothing_of_its_cause(
    stub: HttpStub, service: ScriptedHttp, capability: str
) -> None:
    reply = ask(stub, "POST", INVOKE + capability)
    assert error(reply, 500, "MIG_INTERNAL") == {
        "code": "MIG_INTERNAL",
        "message": "internal error",
        "retryable": False,
    }
    [fault] = service.faults
    assert isinstance(fault.__cause__, ZeroDivisionError | TypeError)


def test_each_failure_is_told_to_the_service_once(stub: HttpStub, service: ScriptedHttp) -> None:
    ask(stub, "POST", INVOKE + "test.echo", b"[]")
    ask(stub, "POST", "/nowhere")
    assert [fault.code for fault in service.faults] == [
        MigErrorCode.MIG_INVALID_REQUEST,
        MigErrorCode.MIG_NOT_FOUND,
    ]
    assert ERRORS[service.faults[1].code].http_status == 404
