from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest

from support.nats_servers import NatsServer, running_nats
from support.otlp_receiver import OtlpReceiver, otlp_receiver


@pytest.fixture
async def receiver() -> AsyncIterator[OtlpReceiver]:
    async with otlp_receiver() as received:
        yield received


@pytest.fixture
def nats_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NatsServer]:
    with running_nats(tmp_path_factory.mktemp("nats")) as server:
        yield server
