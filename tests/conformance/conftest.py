"""One nats-server for the tests of a module."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from support.nats_servers import NatsServer, running_nats


@pytest.fixture(scope="module")
def nats_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NatsServer]:
    """Plain NATS."""
    with running_nats(tmp_path_factory.mktemp("nats")) as server:
        yield server
