"""SUBSCRIBE over HTTP: Server-Sent Events (protocol section 5)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from support.raw_http import connect
from support.running_migd import LocalMigd, local_migd
from support.sse import subscribed

TOPIC = "a.b"


@pytest.fixture
async def migd() -> AsyncIterator[LocalMigd]:
    async with local_migd() as running:
        yield running


async def publish(migd: LocalMigd, *numbers: int, tenant: str = "acme", topic: str = TOPIC) -> None:
    for number in numbers:
        answer = await migd.post(f"/mig/v0.1/publish/{topic}", {"payload": {"n": number}}, x_tenant_id=tenant)
        assert answer.status == 200


async def test_a_live_event_is_an_event_message_with_its_sequence_as_id(migd: LocalMigd) -> None:
    async with subscribed(migd.http, TOPIC) as events:
        assert events.response.headers["content-type"] == "text/event-stream"
        assert events.response.headers["cache-control"] == "no-cache"
        assert events.response.headers["x-accel-buffering"] == "no"
        await publish(migd, 1)

        event = await events.next()

    assert (event.kind, event.id) == ("mig-event", "1")
    assert event.data["sequence"] == 1
    assert event.data["topic"] == TOPIC
    assert event.data["payload"] == {"n": 1}
    assert event.data["replay"] is False
    assert event.data["header"]["tenant_id"] == "acme"


async def test_without_a_cursor_it_starts_now(migd: LocalMigd) -> None:
    await publish(migd, 1, 2)
    async with subscribed(migd.http, TOPIC) as events:
        await publish(migd, 3)

        assert (await events.next()).id == "3"


async def test_a_cursor_replays_what_is_retained_then_goes_on_live_without_a_seam(migd: LocalMigd) -> None:
    await publish(migd, 1, 2, 3)
    async with subscribed(migd.http, TOPIC, "?resume_cursor=1") as events:
        replayed = await events.take(2)
        await publish(migd, 4)
        live = await events.next()

    assert [(event.id, event.data["replay"]) for event in (*replayed, live)] == [
        ("2", True),
        ("3", True),
        ("4", False),
    ]


async def test_last_event_id_is_a_cursor_and_the_querys_wins(migd: LocalMigd) -> None:
    await publish(migd, 1, 2, 3)

    async with subscribed(migd.http, TOPIC, last_event_id="2") as events:
        assert (await events.next()).id == "3"
    async with subscribed(migd.http, TOPIC, "?resume_cursor=0", last_event_id="2") as events:
        assert (await events.next()).id == "1"


async def test_a_last_event_id_that_is_no_cursor_is_400(migd: LocalMigd) -> None:
    answer = await migd.get(f"/mig/v0.1/subscribe/{TOPIC}", x_tenant_id="acme", last_event_id="-1")

    assert (answer.status, answer.code) == (400, "MIG_INVALID_REQUEST")


async def test_every_subscriber_gets_every_event_in_order(migd: LocalMigd) -> None:
    async def all_of_them() -> list[str]:
        async with subscribed(migd.http, TOPIC) as events:
            started.release()
            return [event.id for event in await events.take(50)]

    started = asyncio.Semaphore(0)
    readers = [asyncio.create_task(all_of_them()) for _ in range(5)]
    for _ in readers:
        await started.acquire()
    await publish(migd, *range(50))

    assert [await reader for reader in readers] == [[str(n) for n in range(1, 51)]] * 5


async def test_another_tenants_and_another_topics_events_are_not_seen(migd: LocalMigd) -> None:
    async with subscribed(migd.http, TOPIC) as events:
        await publish(migd, 1, tenant="globex")
        await publish(migd, 2, topic="a.c")
        await publish(migd, 3)

        assert (await events.next()).data["payload"] == {"n": 3}


async def test_a_gap_is_told_and_the_stream_goes_on_after_it() -> None:
    async with local_migd(MIGD_RETENTION_EVENTS="2") as migd:
        await publish(migd, 1, 2, 3, 4, 5)
        async with subscribed(migd.http, TOPIC, "?resume_cursor=1") as events:
            gap, *rest = await events.take(3)

    assert (gap.kind, gap.data) == ("mig-gap", {"from_sequence": 2, "to_sequence": 3})
    assert [event.id for event in rest] == ["4", "5"]


async def test_a_quiet_stream_is_kept_alive_with_a_comment() -> None:
    async with local_migd(MIGD_SSE_KEEPALIVE_S="0.1") as migd, subscribed(migd.http, TOPIC) as events:
        assert (await events.next()).kind == "comment"
        await publish(migd, 1)
        assert (await events.next()).id == "1"


async def test_an_open_subscription_is_listed_and_a_left_one_is_not(migd: LocalMigd) -> None:
    async with subscribed(migd.http, TOPIC, "?consumer_id=dash") as events:
        listed = (await migd.get("/admin/v0.1/connections?kind=sse_subscribe")).json
        others = (await migd.get("/admin/v0.1/connections?tenant_id=globex")).json
        events.response.close()
        while (await migd.get("/admin/v0.1/connections")).json["summary"]["total"]:
            pass

    (entry,) = listed["connections"]
    assert (entry["protocol"], entry["kind"], entry["tenant_id"], entry["actor"]) == (
        "http",
        "sse_subscribe",
        "acme",
        "anonymous",
    )
    assert entry["meta"] == {"topic": TOPIC, "consumer_id": "dash"}
    assert entry["remote_addr"].startswith("127.0.0.1:")
    assert listed["filter_kind"] == "sse_subscribe"
    assert (others["connections"], others["filter_tenant"]) == ([], "globex")


async def test_a_reader_that_does_not_read_stops_the_server_from_writing_and_loses_nothing(
    migd: LocalMigd,
) -> None:
    """What is published past the socket buffers stays in the log and is not copied for the slow reader."""
    raw = await connect(migd.url, receive_buffer=65_536)
    raw.send(f"GET /mig/v0.1/subscribe/{TOPIC} HTTP/1.1\r\nHost: x\r\nX-Tenant-ID: acme\r\n\r\n".encode())
    await raw.reader.readuntil(b"\r\n\r\n")
    text = "x" * 50_000
    for _ in range(250):
        await migd.post(f"/mig/v0.1/publish/{TOPIC}", {"payload": {"text": text}}, x_tenant_id="acme")
    delivered = await _delivered(migd)

    ids: list[int] = []
    while len(ids) < 250:
        line = await raw.reader.readline()
        if line.startswith(b"id: "):
            ids.append(int(line[4:]))
    raw.abort()

    assert delivered < 250
    assert ids == list(range(1, 251))


async def _delivered(migd: LocalMigd) -> int:
    for line in (await migd.get("/metrics")).raw.decode().splitlines():
        if line.startswith("mig_gateway_events_delivered_total "):
            return int(float(line.split()[1]))
    raise AssertionError("no such metric")
