"""Every kind of credential that NATS takes, against a nats-server that asks for it."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import nkeys
import pytest

from migd.app import Application
from migd.config import ConfigError, load_settings
from support.nats_keys import Authority, Operator, new_key
from support.nats_servers import NatsServer, running_nats
from support.running_migd import local_migd
from support.until import until

LOGIN = 'authorization { user: "us@er", password: "pass/word" }'


@pytest.fixture(scope="module")
def login_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NatsServer]:
    with running_nats(tmp_path_factory.mktemp("login"), config=LOGIN) as server:
        yield server


async def assert_connects(**environ: str) -> None:
    async with local_migd(**environ) as migd:
        await until(lambda: migd.gateway.readiness().status == "ok")


async def reason_of(caplog: pytest.LogCaptureFixture, **environ: str) -> str:
    """Why it does not connect: in readiness and, the same, once in the log. HTTP is served meanwhile."""
    caplog.set_level(logging.WARNING)
    async with local_migd(**environ) as migd:
        await until(lambda: [one for one in caplog.records if one.name == "migd.nats"])
        answer = await migd.get("/readyz")
        assert (answer.status, (await migd.get("/healthz")).status) == (503, 200)
        (told,) = [one for one in caplog.records if one.name == "migd.nats"]
        (reason,) = answer.json["reasons"]
        assert reason == f"nats: {told.reason}"  # type: ignore[attr-defined]
        return str(reason)


async def test_user_and_password_in_the_url(login_server: NatsServer) -> None:
    await assert_connects(MIGD_NATS_URL=login_server.url.replace("://", "://us%40er:pass%2Fword@"))


async def test_user_and_password_in_settings_of_their_own(login_server: NatsServer) -> None:
    await assert_connects(
        MIGD_NATS_URL=login_server.url, MIGD_NATS_USER="us@er", MIGD_NATS_PASSWORD="pass/word"
    )


async def test_a_token(tmp_path: Path) -> None:
    with running_nats(tmp_path, config='authorization { token: "s3cret" }') as server:
        await assert_connects(MIGD_NATS_URL=server.url, MIGD_NATS_TOKEN="s3cret")
        await assert_connects(MIGD_NATS_URL=server.url.replace("://", "://s3cret@"))


async def test_an_nkey(tmp_path: Path) -> None:
    key = new_key(nkeys.PREFIX_BYTE_USER)
    seed = tmp_path / "seed"
    seed.write_text(key.seed + "\n")
    with running_nats(tmp_path, config=f"authorization {{ users: [ {{ nkey: {key.public} }} ] }}") as server:
        await assert_connects(MIGD_NATS_URL=server.url, MIGD_NATS_NKEY=str(seed))


async def test_a_credentials_file(tmp_path: Path) -> None:
    operator = Operator()
    creds = operator.credentials(tmp_path / "user.creds")
    with running_nats(tmp_path, config=operator.config) as server:
        await assert_connects(MIGD_NATS_URL=server.url, MIGD_NATS_CREDS=str(creds))


async def test_a_credentials_file_that_comes_later(tmp_path: Path) -> None:
    operator, creds = Operator(), tmp_path / "user.creds"
    with running_nats(tmp_path, config=operator.config) as server:
        async with local_migd(MIGD_NATS_URL=server.url, MIGD_NATS_CREDS=str(creds)) as migd:
            await until(lambda: "No such file" in "".join(migd.gateway.readiness().reasons))
            operator.credentials(creds)
            await until(lambda: migd.gateway.readiness().status == "ok")


async def test_tls_with_a_certificate_of_ones_own(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    authority = Authority(tmp_path)
    certificate, key = authority.issue("server")
    own_certificate, own_key = authority.issue("gateway")
    files = f"cert_file: '{certificate}', key_file: '{key}', ca_file: '{authority.file}'"
    config = f"tls {{ {files}, verify: true }}"
    with running_nats(tmp_path, config=config) as server:
        url = server.url.replace("nats://", "tls://")
        trusting = {"MIGD_NATS_URL": url, "MIGD_NATS_TLS_CA": str(authority.file)}
        shown = {"MIGD_NATS_TLS_CERT": str(own_certificate), "MIGD_NATS_TLS_KEY": str(own_key)}
        await assert_connects(**trusting, **shown)
        assert "its certificate is not trusted" in await reason_of(caplog, MIGD_NATS_URL=url, **shown)


async def test_tls_that_was_asked_for_and_is_not_there_is_no_connection(
    login_server: NatsServer, caplog: pytest.LogCaptureFixture
) -> None:
    url = login_server.url.replace("nats://", "tls://us%40er:pass%2Fword@")
    assert "does not offer TLS" in await reason_of(caplog, MIGD_NATS_URL=url)


@pytest.mark.parametrize(
    "wrong",
    [{}, {"MIGD_NATS_TOKEN": "hunter2"}, {"MIGD_NATS_USER": "us@er", "MIGD_NATS_PASSWORD": "hunter2"}],
)
async def test_wrong_credentials_are_told_and_not_shown(
    login_server: NatsServer, caplog: pytest.LogCaptureFixture, wrong: dict[str, str]
) -> None:
    reason = await reason_of(caplog, MIGD_NATS_URL=login_server.url, **wrong)
    assert reason == (
        f"nats: {login_server.url}: the server refuses the credentials (Authorization Violation)"
    )


async def test_one_of_several_servers_is_enough(own_server: NatsServer, login_server: NatsServer) -> None:
    away = "nats://127.0.0.1:1"
    await assert_connects(MIGD_NATS_URL=f"{away}, {own_server.url}")
    own_server.stop()
    url = login_server.url.replace("://", "://us%40er:pass%2Fword@")
    await assert_connects(MIGD_NATS_URL=f"{own_server.url},{url}")


@pytest.mark.parametrize(
    ("environ", "says"),
    [
        (
            {"MIGD_NATS_TOKEN": "t", "MIGD_NATS_USER": "u", "MIGD_NATS_PASSWORD": "p"},
            "MIGD_NATS_USER and MIGD_NATS_TOKEN are set: use one kind of credential for NATS",
        ),
        (
            {"MIGD_NATS_URL": "nats://u:p@localhost", "MIGD_NATS_TOKEN": "t"},
            "credentials in MIGD_NATS_URL and MIGD_NATS_TOKEN are set: use one kind of credential for NATS",
        ),
        ({"MIGD_NATS_USER": "u"}, "MIGD_NATS_USER and MIGD_NATS_PASSWORD go together: set both"),
        (
            {"MIGD_NATS_NKEY": "/nowhere"},
            "MIGD_NATS_NKEY='/nowhere' can not be read: No such file or directory",
        ),
        (
            {"MIGD_NATS_NKEY": __file__},
            f"MIGD_NATS_NKEY={__file__!r} holds no nkey seed (a line that begins with SU)",
        ),
        (
            {"MIGD_NATS_TLS_CA": "/nowhere"},
            "MIGD_NATS_TLS_CA='/nowhere' can not be used: No such file or directory",
        ),
        (
            {"MIGD_NATS_TLS_CERT": __file__},
            "MIGD_NATS_TLS_CERT and MIGD_NATS_TLS_KEY go together: set both",
        ),
    ],
)
def test_credentials_that_can_not_be_used_stop_the_start(environ: dict[str, str], says: str) -> None:
    settings = load_settings({"MIGD_NATS_URL": "nats://localhost", **environ})
    with pytest.raises(ConfigError) as told:
        Application(settings, ())
    assert str(told.value) == says
