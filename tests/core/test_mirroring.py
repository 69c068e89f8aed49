"""What the core promises to whatever connects gateways, and asks of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from mig_protocol.messages import (
    CancelRequest,
    CancelStatus,
    ConnectionKind,
    EventMessage,
    MessageHeader,
    PublishAck,
    PublishRequest,
    SubscribeRequest,
)
from migd.core.mirroring import Origin, Stopping
from support.gateway_under_test import GatewayUnderTest, calling, settle
from support.manual_clock import EPOCH


class Others:
    """A mirror and an elsewhere that write down what they are asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[object, ...]] = []
        self.open = asyncio.Event()
        self.open.set()
        self.known = CancelStatus.pending
        self.leading = True

    async def before_append(self) -> None:
        self.asked.append(("before",))
        await self.open.wait()

    async def appended(self, tenant_id: str, topic: str, sequence: int) -> None:
        self.asked.append(("appended", tenant_id, topic, sequence))

    def interrupted(self, tenant_id: str, topic: str) -> None:
        self.asked.append(("interrupted", tenant_id, topic))

    async def stop(self, tenant_id: str, target: str, reason: str, how: Stopping) -> CancelStatus:
        self.asked.append((how, tenant_id, target, reason))
        return self.known

    async def look(self, tenant_id: str, target: str, reason: str) -> CancelStatus | None:
        self.asked.append(("look", tenant_id, target, reason))
        return None if self.known is CancelStatus.completed else self.known

    def leads(self) -> bool:
        return self.leading


@pytest.fixture
def others() -> Others:
    return Others()


@pytest.fixture
async def connected(others: Others) -> AsyncIterator[GatewayUnderTest]:
    async with GatewayUnderTest() as under_test:
        under_test.gateway.neighbours.connect(others, others)
        yield under_test


async def publish(under_test: GatewayUnderTest) -> PublishAck:
    return await under_test.gateway.publish(calling(), PublishRequest(topic="a.b", payload={}))


async def test_others_are_heard_before_an_append_and_told_before_its_ack(
    connected: GatewayUnderTest, others: Others
) -> None:
    others.open.clear()
    publishing = asyncio.create_task(publish(connected))
    await settle()
    assert await connected.store.events.head("acme", "a.b") == 0
    others.open.set()
    assert (await publishing).sequence == 1
    assert others.asked == [("before",), ("appended", "acme", "a.b", 1)]


async def test_a_publisher_that_leaves_is_told_of_since_its_event_may_be_there(
    connected: GatewayUnderTest, others: Others
) -> None:
    others.open.clear()
    publishing = asyncio.create_task(publish(connected))
    await settle()
    publishing.cancel()
    await asyncio.wait({publishing})
    assert others.asked == [("before",), ("interrupted", "acme", "a.b")]


async def test_what_another_gateway_has_published_wakes_the_readers_and_is_not_told_of_again(
    connected: GatewayUnderTest, others: Others
) -> None:
    subscription = await connected.gateway.subscribe(
        calling(), SubscribeRequest(topic="a.b"), ConnectionKind.sse_subscribe
    )
    reading = asyncio.create_task(subscription.next())
    await settle()
    header = MessageHeader(mig_version="0.1", message_id="m", timestamp=EPOCH, tenant_id="acme")
    event = EventMessage(
        header=header,
        topic="a.b",
        event_id="e",
        sequence=9,
        payload={},
        published_at=EPOCH,
        replay=False,
    )
    taken = await connected.gateway.neighbours.take(event, Origin("there", 9, 0))
    assert taken.event is not None
    assert [(each.event_id, each.sequence) for each in await reading or ()] == [("e", 1)]  # type: ignore[union-attr]
    assert others.asked == []
    subscription.close()


@pytest.mark.parametrize("status", [CancelStatus.cancelled, CancelStatus.completed])
async def test_a_cancel_that_another_gateway_knows_of_leaves_nothing_behind(
    connected: GatewayUnderTest, others: Others, status: CancelStatus
) -> None:
    others.known = status
    request = CancelRequest(target_message_id="m-1", reason="why")
    assert (await connected.gateway.cancel(calling(), request)).status is status
    assert others.asked == [("stop", "acme", "m-1", "why")]
    assert connected.store.tombstones.reason("acme", "m-1") is None


async def test_a_cancel_that_nobody_knows_of_is_buried_here_and_everywhere(
    connected: GatewayUnderTest, others: Others
) -> None:
    request = CancelRequest(target_message_id="m-1", reason="why")
    assert (await connected.gateway.cancel(calling(), request)).status is CancelStatus.pending
    assert [asked[0] for asked in others.asked] == ["stop", "bury"]
    assert connected.store.tombstones.reason("acme", "m-1") == "why"


async def test_of_a_cancel_that_all_have_got_the_one_that_leads_only_looks_first(
    connected: GatewayUnderTest, others: Others
) -> None:
    request = CancelRequest(target_message_id="m-1", reason="why")
    others.known = CancelStatus.completed
    assert await connected.gateway.neighbours.cancel(calling(), request) is None
    assert [asked[0] for asked in others.asked] == ["look"]
    others.leading = False
    assert await connected.gateway.neighbours.cancel(calling(), request) is None
    others.leading, others.known = True, CancelStatus.pending
    ack = await connected.gateway.neighbours.cancel(calling(), request)
    assert ack is not None
    assert ack.status is CancelStatus.pending
    assert [asked[0] for asked in others.asked] == ["look", "look", "bury"]
    others.known = CancelStatus.cancelled
    ack = await connected.gateway.neighbours.cancel(calling(), request)
    assert ack is not None
    assert ack.status is CancelStatus.cancelled
