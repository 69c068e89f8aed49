"""Whatever a valid invocation says comes back as it was said."""

from __future__ import annotations

import http.client
from collections.abc import Iterator
from urllib.parse import urlsplit

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import UNSET

from fuzz.campaign import SERVER_CONFIG
from fuzz.requests import ECHO
from mig_protocol import codec
from mig_protocol.messages import InvokeRequest, InvokeResponse, RequestHeader
from support.message_strategies import JSON_OBJECTS, messages
from support.running_migd import running_migd

HEADERS = st.builds(
    msgspec.structs.replace,
    messages(RequestHeader),
    mig_version=st.just("0.1") | st.just(UNSET),
    tenant_id=st.just("acme"),
    # A key is good for one payload, and a short deadline may pass.
    idempotency_key=st.just(UNSET),
    deadline_ms=st.just(UNSET) | st.integers(10_000, 2**32 - 1),
)


@pytest.fixture(scope="module")
def connection() -> Iterator[http.client.HTTPConnection]:
    with running_migd("--config", SERVER_CONFIG) as migd:
        connected = http.client.HTTPConnection(urlsplit(migd.url).netloc)
        yield connected
        connected.close()


def test_payload_and_header_come_back(connection: http.client.HTTPConnection, examples: int) -> None:
    @given(HEADERS, JSON_OBJECTS)
    @settings(max_examples=20 * examples, deadline=None, derandomize=True, database=None)
    def holds(header: RequestHeader, payload: dict[str, object]) -> None:
        request = InvokeRequest(header=header, capability=ECHO, payload=payload)
        answer = invoke(connection, request)
        assert answer.payload == payload
        assert_carried(header, answer)

    holds()


def invoke(connection: http.client.HTTPConnection, request: InvokeRequest) -> InvokeResponse:
    connection.request("POST", f"/mig/v0.1/invoke/{ECHO}", codec.encode(request))
    response = connection.getresponse()
    body = response.read()
    assert response.status == 200, body
    return codec.decode(InvokeResponse, body)


def assert_carried(header: RequestHeader, answer: InvokeResponse) -> None:
    """The answer's header is the request's, but for its time and the keys of meta that are the server's."""
    said, carried = msgspec.structs.asdict(header), msgspec.structs.asdict(answer.header)
    for field in ("message_id", "tenant_id", "session_id", "traceparent", "deadline_ms"):
        assert carried[field] == said[field] or said[field] is UNSET, field
    own = {key: value for key, value in (said["meta"] or {}).items() if not key.startswith("idg.")}
    assert {key: carried["meta"].get(key) for key in own} == own
