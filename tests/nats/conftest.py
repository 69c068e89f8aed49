"""One nats-server for the tests of a module."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from support.nats_servers import NatsServer, running_nats


@pytest.fixture(scope="module")
def nats_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NatsServer]:
    """Plain NATS, shared: a test of its own tenant does not disturb the others."""
    with running_nats(tmp_path_factory.mktemp("nats")) as server:
        yield server


@pytest.fixture(scope="module")
def jetstream_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NatsServer]:
    """NATS with JetStream."""
    with running_nats(tmp_path_factory.mktemp("nats"), jetstream=True) as server:
        yield server


@pytest.fixture
def own_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NatsServer]:
    """A server that one test may stop, start and reconfigure."""
    with running_nats(tmp_path_factory.mktemp("nats")) as server:
        yield server
