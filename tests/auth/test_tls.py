"""TLS on every listener, the certificates of clients, and their renewal while connections are open."""

from __future__ import annotations

import asyncio
import json
import logging
import shutil
import signal
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import grpc
import pytest
from grpc import aio

from migd.app import Application
from migd.auth_config import AuthConfig, CertificateConfig
from migd.config import ConfigError, load_settings
from support.any_binding import STREAM
from support.certificates import Authority
from support.grpc_client import GrpcClient, error_in
from support.nats_gateway import NatsCaller, nats_client
from support.nats_servers import NatsServer
from support.running_migd import LocalMigd, guarded_migd, running_migd
from support.until import until

Identity = tuple[Path, Path]
DISCOVER = "/mig/v0.1/discover"
INVOKE = "/mig/v0.1/invoke/observatory.models.infer"


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


def serving(authority: Authority, **environ: str) -> dict[str, str]:
    """What a gateway needs to serve TLS over HTTP and gRPC."""
    certificate, key = authority.issue("server")
    files = {"MIGD_TLS_CERT": str(certificate), "MIGD_TLS_KEY": str(key)}
    return {"MIGD_GRPC_ADDR": "127.0.0.1:0", **files, **environ}


@asynccontextmanager
async def over_grpc(
    migd: LocalMigd, authority: Authority, identity: Identity | None = None
) -> AsyncIterator[GrpcClient]:
    assert migd.grpc is not None
    shown = (None, None) if identity is None else (identity[1].read_bytes(), identity[0].read_bytes())
    credentials = grpc.ssl_channel_credentials(authority.file.read_bytes(), *shown)
    options = [("grpc.use_local_subchannel_pool", 1)]
    async with aio.secure_channel(str(migd.grpc.address), credentials, options=options) as channel:
        yield GrpcClient(channel, (("x-tenant-id", "acme"),))


async def subject(migd: LocalMigd, tls: ssl.SSLContext, path: str = DISCOVER) -> str:
    """Whom the gateway takes a caller for, or the code of its refusal."""
    async with (
        aiohttp.ClientSession(migd.url, connector=aiohttp.TCPConnector(ssl=tls)) as http,
        http.post(path, data=b'{"payload":{"input":"x"}}') as response,
    ):
        body = await response.json()
        if response.status != 200:
            return str(body["error"]["code"])
        return f"{body['header']['meta']['idg.principal_subject']} of {body['header']['tenant_id']}"


async def test_http_websocket_and_grpc_are_served_over_tls(authority: Authority) -> None:
    async with guarded_migd(serving(authority), tls=authority.client()) as migd:
        answer = await migd.invoke("observatory.models.infer", {"input": "hi"})
        page = await migd.get("/ui")
        async with migd.http.ws_connect(STREAM, headers={"X-Tenant-ID": "acme"}) as socket:
            await socket.send_json(
                {"kind": "request", "capability": "observatory.models.infer", "payload": {"input": "hi"}}
            )
            frame = json.loads(await socket.receive_str())
        async with over_grpc(migd, authority) as client:
            (known,) = (await client.discover()).capabilities

        assert migd.url.startswith("https://127.0.0.1:")
        assert answer.json["payload"]["result"] == "ok"
        assert page.status == 200
        assert frame["kind"] == "response"
        assert known.id == "observatory.models.infer"


async def test_what_is_older_than_tls_1_2_is_refused(authority: Authority) -> None:
    old = authority.client()
    old.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning, match="TLSv1"):
        old.minimum_version, old.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1
    async with guarded_migd(serving(authority), tls=authority.client()) as migd:
        with pytest.raises(aiohttp.ClientConnectorError):
            await subject(migd, old)
        assert await subject(migd, authority.client(), "/mig/v0.1/hello") == "MIG_INVALID_REQUEST"


async def test_bytes_that_are_not_http_are_answered_over_tls(
    authority: Authority, caplog: pytest.LogCaptureFixture
) -> None:
    async with guarded_migd(serving(authority), tls=authority.client()) as migd:
        port = int(migd.url.rpartition(":")[2])
        reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=authority.client())
        writer.write(b"this is not HTTP\r\n\r\n")
        answer = await reader.read()
        writer.close()

    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b"MIG_INVALID_REQUEST" in answer
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]


async def test_a_renewed_certificate_is_for_new_connections_and_the_open_ones_go_on(
    authority: Authority, tmp_path: Path
) -> None:
    other = Authority(tmp_path, "renewed")
    async with (
        guarded_migd(serving(authority), tls=authority.client()) as migd,
        migd.http.ws_connect(STREAM, headers={"X-Tenant-ID": "acme"}) as socket,
        over_grpc(migd, authority) as client,
    ):
        await client.discover()
        other.issue("server")
        await migd.reload.run()

        assert await subject(migd, other.client(), "/mig/v0.1/hello") == "MIG_INVALID_REQUEST"
        with pytest.raises(aiohttp.ClientConnectorCertificateError):
            await subject(migd, authority.client())
        async with over_grpc(migd, other) as renewed:
            await renewed.discover()
        await client.discover()
        await socket.send_json(
            {"kind": "request", "capability": "observatory.models.infer", "payload": {"input": "hi"}}
        )
        assert json.loads(await socket.receive_str())["kind"] == "response"


async def test_a_broken_renewal_is_told_and_the_old_certificate_stays(
    authority: Authority, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with guarded_migd(serving(authority), tls=authority.client()) as migd:
        (tmp_path / "server.pem").write_bytes(b"half of a certif")
        await migd.reload.run()

        assert await subject(migd, authority.client(), "/mig/v0.1/hello") == "MIG_INVALID_REQUEST"
    (told,) = [record.getMessage() for record in caplog.records if record.levelno == logging.ERROR]
    assert told.startswith("nothing was reloaded: MIGD_TLS_CERT=")


def guarded(authority: Authority, tmp_path: Path, **environ: str) -> dict[str, str]:
    """As `serving`, for clients of the authority only."""
    trusted = tmp_path / "trusted.pem"
    shutil.copy(authority.file, trusted)
    return serving(authority, MIGD_TLS_CLIENT_CA=str(trusted), **environ)


async def test_with_an_authority_only_its_clients_come_in_and_that_can_change(
    authority: Authority, tmp_path: Path
) -> None:
    other = Authority(tmp_path, "other")
    ours, theirs = authority.issue("ours"), other.issue("theirs")
    environ = guarded(authority, tmp_path)
    async with guarded_migd(environ, tls=authority.client(ours)) as migd:
        for identity, comes_in in ((ours, True), (theirs, False), (None, False)):
            assert await reaches(migd, authority, identity) == (comes_in, comes_in)
        shutil.copy(other.file, environ["MIGD_TLS_CLIENT_CA"])
        await migd.reload.run()
        for identity, comes_in in ((ours, False), (theirs, True)):
            assert await reaches(migd, authority, identity) == (comes_in, comes_in)


async def reaches(migd: LocalMigd, authority: Authority, identity: Identity | None) -> tuple[bool, bool]:
    """Whether a client comes in over HTTP and over gRPC."""
    try:
        over_http = await subject(migd, authority.client(identity), "/mig/v0.1/hello") != ""
    except aiohttp.ClientError:
        over_http = False
    async with over_grpc(migd, authority, identity) as client:
        code = await client.discover().code()
    return over_http, code is grpc.StatusCode.OK


KNOWN = AuthConfig(
    certificates=(
        CertificateConfig(
            subject="spiffe://mesh/ns/a/sa/b", tenant="acme", scopes=frozenset({"capability:infer"})
        ),
        CertificateConfig(subject="billing", tenant="globex"),
    )
)


async def test_a_client_is_who_the_configuration_knows_by_its_certificate(
    authority: Authority, tmp_path: Path
) -> None:
    spiffe = authority.issue("spiffe", uri="spiffe://mesh/ns/a/sa/b")
    billing = authority.issue("billing")
    stranger = authority.issue("stranger", uri="spiffe://mesh/ns/a/sa/bb")
    # A subject that only looks like one of those that are known: it is a DNS name, or a part of a name.
    expired = authority.issue("expired", common_name="billing", days=-1)
    environ = guarded(authority, tmp_path, MIGD_AUTH_MODE="mtls")
    async with guarded_migd(environ, auth=KNOWN, tls=authority.client(billing)) as migd:
        assert await subject(migd, authority.client(spiffe)) == "spiffe://mesh/ns/a/sa/b of acme"
        assert await subject(migd, authority.client(spiffe), INVOKE) == "spiffe://mesh/ns/a/sa/b of acme"
        assert await subject(migd, authority.client(billing)) == "billing of globex"
        assert await subject(migd, authority.client(billing), INVOKE) == "MIG_FORBIDDEN"
        assert await subject(migd, authority.client(stranger)) == "MIG_FORBIDDEN"
        with pytest.raises(aiohttp.ClientError):
            await subject(migd, authority.client(expired))
        # A page of the console asks on the same terms, and by another way through the server.
        page = await migd.get("/ui/capabilities/observatory.models.infer/input")
        assert (page.status, page.code) == (403, "MIG_FORBIDDEN")


async def test_websockets_and_grpc_know_the_client_as_well(authority: Authority, tmp_path: Path) -> None:
    spiffe, stranger = authority.issue("spiffe", uri="spiffe://mesh/ns/a/sa/b"), authority.issue("stranger")
    environ = guarded(authority, tmp_path, MIGD_AUTH_MODE="mtls")
    async with guarded_migd(environ, auth=KNOWN, tls=authority.client(spiffe)) as migd:
        async with migd.http.ws_connect(STREAM) as socket:
            await socket.send_json(
                {"kind": "request", "capability": "observatory.models.infer", "payload": {"input": "hi"}}
            )
            assert json.loads(await socket.receive_str())["header"]["tenant_id"] == "acme"
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await migd.http.ws_connect(STREAM, ssl=authority.client(stranger))
        async with over_grpc(migd, authority, spiffe) as client:
            known: Any = await client.invoke()
        async with over_grpc(migd, authority, stranger) as client:
            with pytest.raises(aio.AioRpcError) as forbidden:
                await client.discover()

        assert refused.value.status == 403
        assert known.header.tenant_id == "acme"
        assert error_in(forbidden.value).message == "the client certificate is of nobody who is known here"


async def test_over_nats_nobody_shows_a_certificate(
    authority: Authority, tmp_path: Path, nats_server: NatsServer
) -> None:
    environ = guarded(authority, tmp_path, MIGD_AUTH_MODE="mtls", MIGD_NATS_URL=nats_server.url)
    identity = authority.issue("billing")
    async with (
        guarded_migd(environ, auth=KNOWN, tls=authority.client(identity)) as migd,
        nats_client(nats_server) as client,
    ):
        await until(lambda: migd.gateway.readiness().status == "ok")
        answer = await NatsCaller(client, "globex").ask("discover", {})

        assert answer.code == "MIG_UNAUTHORIZED"


async def test_files_that_can_not_be_used_stop_the_start_with_the_name_of_their_setting(
    authority: Authority, tmp_path: Path
) -> None:
    good = guarded(authority, tmp_path)
    junk, missing = tmp_path / "junk.pem", tmp_path / "missing.pem"
    junk.write_text("junk")
    other_key = str(authority.issue("other")[1])
    for variable, value, why in (
        ("MIGD_TLS_CERT", junk, "holds no certificates in PEM form"),
        ("MIGD_TLS_KEY", junk, "holds no private key that is not encrypted in PEM form"),
        ("MIGD_TLS_CLIENT_CA", junk, "holds no certificates in PEM form"),
        ("MIGD_TLS_CERT", missing, "can not be read: No such file or directory"),
        ("MIGD_TLS_KEY", missing, "can not be read: No such file or directory"),
        ("MIGD_TLS_CLIENT_CA", missing, "can not be read: No such file or directory"),
        ("MIGD_TLS_KEY", other_key, "is not the key of MIGD_TLS_CERT="),
    ):
        settings = load_settings({**good, variable: str(value), "MIGD_STORE": "memory"})
        with pytest.raises(ConfigError) as refused:
            Application(settings, ())
        assert str(refused.value).startswith(f"{variable}={str(value)!r} {why}")


@pytest.mark.parametrize(
    ("environ", "why"),
    [
        ({"MIGD_TLS_CERT": "a"}, "MIGD_TLS_CERT and MIGD_TLS_KEY go together"),
        ({"MIGD_TLS_KEY": "a"}, "MIGD_TLS_CERT and MIGD_TLS_KEY go together"),
        ({"MIGD_TLS_CLIENT_CA": "a"}, "MIGD_TLS_CLIENT_CA needs MIGD_TLS_CERT"),
        ({"MIGD_AUTH_MODE": "mtls"}, "MIGD_AUTH_MODE=mtls needs MIGD_TLS_CLIENT_CA"),
    ],
)
def test_settings_that_mean_nothing_alone_are_refused(environ: dict[str, str], why: str) -> None:
    with pytest.raises(ConfigError, match=why):
        load_settings(environ)


def test_a_hangup_renews_the_certificate_of_the_process(authority: Authority) -> None:
    with running_migd(cwd=None, **serving(authority)) as migd:
        migd.send_signal(signal.SIGHUP)
        while not any("reloaded: nothing has changed" in line for line in migd.stderr):
            assert migd.process.poll() is None
        authority.issue("server")
        migd.send_signal(signal.SIGHUP)
        while not any("reloaded: the certificate" in line for line in migd.stderr):
            assert migd.process.poll() is None
        assert migd.url.startswith("https://")
        assert migd.stop() == 0
