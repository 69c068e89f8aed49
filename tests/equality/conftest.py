"""What the machine needs around it."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from support.nats_servers import running_nats


@pytest.fixture(scope="package")
def nats_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running_nats(tmp_path_factory.mktemp("nats")) as server:
        yield server.url


@pytest.fixture(autouse=True)
def quiet(caplog: pytest.LogCaptureFixture) -> None:
    """Failures are what half of the calls are made for."""
    caplog.set_level(logging.CRITICAL, "migd")
