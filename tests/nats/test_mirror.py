"""Several gateways on one NATS are as one to their subscribers (protocol section 6, MIG-MIR)."""

from __future__ import annotations

import asyncio
import json

import pytest

from support.gateways_on_nats import (
    gateways,
    mirror_numbers,
    numbers,
    publish,
    readers,
    until_mirror,
    wire,
)
from support.nats_servers import NatsServer
from support.until import until


@pytest.mark.parametrize("number", [2, 3])
async def test_one_publish_on_any_gateway_reaches_every_subscriber_of_each_once_and_in_order(
    nats_server: NatsServer, number: int
) -> None:
    tenant = f"order{number}"
    async with gateways(nats_server, number) as running, readers(running, tenant=tenant) as reading:
        async with wire(nats_server, f"mig.v0_1.{tenant}.events.>") as seen:
            for value in range(30):
                await publish(running[value % number], value, tenant=tenant)
            for reader in reading:
                assert await numbers(reader, 30) == list(range(30))
            # One more each, and nothing in between: nobody has had anything twice.
            await publish(running[0], 30, tenant=tenant)
            for reader in reading:
                assert await numbers(reader, 1) == [30]
            assert await seen.numbers() == list(range(31))
            assert len(seen.messages) == 31
