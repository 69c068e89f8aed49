"""A gateway that asks nobody who they are, and that strangers reach, says so."""

from __future__ import annotations

import pytest

from migd.config import load_settings
from migd.exposure import exposure
from support.running_migd import local_migd, running_migd

OPEN = "ANYONE who reaches"


@pytest.mark.parametrize(
    ("environ", "said"),
    [
        ({}, True),
        ({"MIGD_ADDR": "192.0.2.1:8080"}, True),
        ({"MIGD_ADDR": "somewhere.example:8080"}, True),
        ({"MIGD_ADDR": "127.0.0.1:8080"}, False),
        ({"MIGD_ADDR": "[::1]:8080"}, False),
        ({"MIGD_ADDR": "localhost:8080"}, False),
        ({"MIGD_ADDR": "127.0.0.1:8080", "MIGD_GRPC_ADDR": ":9090"}, True),
        ({"MIGD_AUTH_MODE": "jwt", "MIGD_JWT_HS256_SECRET": "x"}, False),
        ({"MIGD_TLS_CERT": "a", "MIGD_TLS_KEY": "b"}, True),
        ({"MIGD_TLS_CERT": "a", "MIGD_TLS_KEY": "b", "MIGD_TLS_CLIENT_CA": "c"}, False),
    ],
)
def test_it_is_said_when_it_is_so(environ: dict[str, str], said: bool) -> None:
    assert exposure(load_settings(environ)).startswith(OPEN) is said


def test_the_log_says_it_once_and_loudly() -> None:
    with running_migd(MIGD_ADDR=":0") as migd:
        pass
    (line,) = [line for line in migd.stderr if OPEN in line]
    assert "warning" in line.lower()
    assert "MIGD_ADDR=:0" in line


async def test_the_console_says_it_before_everything_else() -> None:
    async with local_migd(MIGD_ADDR=":0") as migd:
        assert OPEN in (await migd.get("/ui")).raw.decode()
    async with local_migd() as migd:
        assert OPEN not in (await migd.get("/ui")).raw.decode()
