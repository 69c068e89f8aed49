"""SIGHUP: what a gateway that runs takes from its files, what waits for a restart, what a mistake does."""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
from grpc import StatusCode

from mig_protocol.errors import MigFault
from mig_protocol.messages import MigErrorCode
from migd.auth_config import AuthConfig, IssuerConfig
from migd.config import Settings, load_settings
from migd.core.limits import Allowance
from migd.manifest import Manifest
from migd.providers.builtin import reference_capability
from migd.reload import Reload
from migd.setting_rows import SETTINGS
from support.gateway_under_test import Scripted, capability
from support.grpc_client import connected, plain, refused
from support.key_server import key_server
from support.nats_gateway import NatsCaller, nats_client
from support.nats_servers import running_nats
from support.running_migd import LocalMigd, MigdProcess, guarded_migd, running_migd
from support.signing_keys import ec_key, key_set, rsa_key
from support.tokens import bearer
from support.until import until

from .test_setting_sources import needed, two_texts

CODE = '''
import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path

from msgspec import Struct

from migd.capability import capability


class Number(Struct):
    n: int


class Model(Struct):
    """What takes long to load."""


async def model() -> AsyncIterator[Model]:
    with Path(os.environ["LIFE"]).open("a") as life:
        life.write("loaded ")
    yield Model()
    with Path(os.environ["LIFE"]).open("a") as life:
        life.write("unloaded ")


@capability(id="test.kept", resource=model)
async def kept(number: Number, _: Model) -> Number:
    await asyncio.sleep(0.001)
    return number


@capability(id="test.old", resource=model)
async def old(number: Number, _: Model) -> Number:
    while not Path(os.environ["RELEASE"]).exists():
        await asyncio.sleep(0.01)
    return number


@capability(id="test.new")
async def new(number: Number) -> Number:
    return number
'''


class Folder:
    """A migd.yaml, the code beside it, and the gateway that has it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.life = path / "life"
        self.release = path / "release"
        (path / "served_here.py").write_text(CODE)

    def write(self, *capabilities: str, **sections: str) -> None:
        listed = "".join(f"\n  - python: served_here:{name}" for name in capabilities)
        others = "".join(f"\n{name}: {text}" for name, text in sections.items())
        (self.path / "migd.yaml").write_text(f"migd: 1{others}\ncapabilities: {listed or '[]'}\n")

    @asynccontextmanager
    async def serving(self, **environ: str) -> AsyncIterator[tuple[MigdProcess, aiohttp.ClientSession]]:
        known = {"LIFE": str(self.life), "RELEASE": str(self.release), **environ}
        with running_migd("--config", str(self.path / "migd.yaml"), cwd=None, **known) as migd:
            async with aiohttp.ClientSession(migd.url, headers={"X-Tenant-ID": "acme"}) as http:
                yield migd, http


async def hang_up(migd: MigdProcess) -> str:
    """What the gateway has to say to it."""
    before = len(migd.stderr)
    migd.send_signal(signal.SIGHUP)
    await until(lambda: any(_is_said(line) for line in migd.stderr[before:]))
    return next(line.partition(" ")[2].strip() for line in migd.stderr[before:] if _is_said(line))


def _is_said(line: str) -> bool:
    return "reloaded" in line and line.endswith("\n")


async def invoke(http: aiohttp.ClientSession, name: str, n: int = 1, **headers: str) -> tuple[int, str]:
    """The status, and the error's code if any."""
    body = {"payload": {"n": n}}
    async with http.post(f"/mig/v0.1/invoke/{name}", json=body, headers=headers) as answer:
        given = await answer.json()
        if answer.status == 200:
            assert given["payload"] == {"n": n}
        return answer.status, given.get("error", {}).get("code", "")


async def test_under_load_no_request_is_lost_and_capabilities_come_and_go(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.write("kept", "old")
    async with folder.serving() as (migd, http):
        answers: list[tuple[int, str]] = []

        async def load() -> None:
            while True:
                answers.append(await invoke(http, "test.kept", len(answers)))

        loads = [asyncio.create_task(load()) for _ in range(8)]
        begun = asyncio.create_task(invoke(http, "test.old", 7))
        await until(lambda: len(answers) > 100)

        folder.write("kept", "new")
        said = await hang_up(migd)
        assert said.endswith("reloaded: capabilities added: test.new; capabilities removed: test.old")
        assert await invoke(http, "test.new") == (200, "")
        assert await invoke(http, "test.old") == (404, "MIG_UNSUPPORTED_CAPABILITY")
        assert not begun.done()
        folder.release.touch()
        assert await begun == (200, "")
        assert folder.life.read_text().split().count("loaded") == 2

        for names in (("kept",), ("kept", "new", "old")):
            folder.write(*names)
            await hang_up(migd)
        seen = len(answers)
        await until(lambda: len(answers) > seen + 100)
        for task in loads:
            task.cancel()
        await asyncio.gather(*loads, return_exceptions=True)
        assert set(answers) == {(200, "")}
        # The one that was removed was let go of, and loaded anew when it came back; the other one was kept.
        await until(lambda: folder.life.read_text().split() == ["loaded", "loaded", "unloaded", "loaded"])
        assert migd.stop() == 0


async def test_limits_bite_from_the_signal_on_and_settings_of_the_file_with_them(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.write("new")
    async with folder.serving() as (migd, http):
        assert [await invoke(http, "test.new") for _ in range(3)] == [(200, "")] * 3
        folder.write("new", limits="{tenants: {acme: {rate_per_s: 0.001}}}")
        assert (await hang_up(migd)).endswith("reloaded: limits")
        assert [await invoke(http, "test.new") for _ in range(2)] == [(200, ""), (429, "MIG_RATE_LIMITED")]
        folder.write("new", settings="{max_depth: 1, log_format: json, grpc_addr: '127.0.0.1:0'}")
        said = await hang_up(migd)
        assert '"event": "reloaded: limits; logging"' in said
        await until(lambda: "MIGD_GRPC_ADDR: changed, which takes a restart" in migd.stderr[-1])
        async with http.post("/mig/v0.1/invoke/test.new", json={"payload": {"n": {"n": {}}}}) as answer:
            assert "deeper than 1 " in (await answer.json())["error"]["message"]


@pytest.mark.parametrize(
    ("sections", "told"),
    [
        ({"settings": "{max_depth: 999}"}, "migd.yaml:2: settings.max_depth: '999' is not usable"),
        ({"limits": "{tenant: {}}"}, "migd.yaml:2: limits.tenant: unknown key"),
        ({"nonsense": "["}, "not YAML"),
    ],
)
async def test_a_file_with_a_mistake_changes_nothing_and_is_one_line(
    tmp_path: Path, sections: dict[str, str], told: str
) -> None:
    folder = Folder(tmp_path)
    folder.write("new")
    audit = tmp_path / "audit.jsonl"
    async with folder.serving(MIGD_AUDIT_LOG_PATH=str(audit)) as (migd, http):
        await invoke(http, "test.new")
        audit.rename(tmp_path / "audit.1")
        folder.write("kept", **sections)
        said = await hang_up(migd)
        assert "error   nothing was reloaded: " in said
        assert told in said
        assert await invoke(http, "test.new") == (200, "")
        assert await invoke(http, "test.kept") == (404, "MIG_UNSUPPORTED_CAPABILITY")
        # A rotation does not wait for somebody to find the mistake.
        await until(audit.exists)
        folder.write("kept")
        assert "added: test.kept" in await hang_up(migd)
        assert len([line for line in migd.stderr if " error " in line]) == 1


async def test_what_the_file_names_is_looked_at_and_can_not_end_the_gateway(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.write("new")
    async with folder.serving() as (migd, http):
        (tmp_path / "leaving.py").write_text("raise SystemExit(3)")
        (tmp_path / "migd.yaml").write_text("migd: 1\ncapabilities:\n  - python: leaving:now\n")
        assert "importing leaving failed: SystemExit: 3" in await hang_up(migd)
        (tmp_path / "migd.yaml").write_text(
            "migd: 1\nsettings: {provider_hosts: a.example}\n"
            "capabilities:\n  - {http: 'http://b.example/', id: test.http}\n"
        )
        assert "MIGD_PROVIDER_HOSTS does not list b.example:80" in await hang_up(migd)
        assert await invoke(http, "test.new") == (200, "")


async def test_a_hangup_kills_no_gateway_without_any_file_to_read_again() -> None:
    with running_migd() as migd:
        assert (await hang_up(migd)).endswith("reloaded: nothing has changed")
        assert migd.stop() == 0


# -- within the process: who may call, every setting, every binding -----------------------------------


class Sources:
    """What a gateway's settings and migd.yaml say, for a test to change."""

    def __init__(self, **environ: str) -> None:
        self.environ: dict[str, str] = {"MIGD_STORE": "memory", "MIGD_ADDR": "127.0.0.1:0", **environ}
        self.environ.setdefault("MIGD_SHUTDOWN_GRACE_S", "0")
        self.capabilities = [reference_capability()]
        self.auth = AuthConfig()
        self.tenants: Mapping[str, Allowance] = {}

    def read(self) -> tuple[Settings, Manifest]:
        manifest = Manifest(capabilities=tuple(self.capabilities), auth=self.auth, tenants=self.tenants)
        return load_settings(self.environ), manifest

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[tuple[LocalMigd, Reload]]:
        async with guarded_migd(self.environ, auth=self.auth) as migd:
            yield migd, Reload(migd.application, load_settings(self.environ), self.read)


def told(caplog: pytest.LogCaptureFixture) -> list[str]:
    """What was logged by reloads since the last time."""
    lines = [record.getMessage() for record in caplog.records if record.name == "migd.reload"]
    caplog.clear()
    return lines


_NOT_HERE = ("MIGD_CONFIG", "MIGD_LOG_LEVEL", "MIGD_LOG_FORMAT", "MIGD_PROVIDER_HOSTS", "MIGD_JWT_JWKS")
"""Those of the whole process, and those that need a file: other tests have them."""


async def test_every_setting_is_taken_or_said_to_take_a_restart(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    sources = Sources(MIGD_AUTH_MODE="jwt", MIGD_JWT_HS256_SECRET="s" * 32)
    async with sources.serving() as (_, reload):
        known = sources.environ
        for row in SETTINGS:
            if row.variable in _NOT_HERE:
                continue
            text = next(text for text in two_texts(row) if text != known.get(row.variable))
            sources.environ = {**known, **needed(row), row.variable: text}
            await reload.run()
            said, *restart = told(caplog)
            assert said.startswith("reloaded: ")
            assert any(row.variable in line for line in restart) is not row.reloads, said
            assert not row.reloads or "nothing has changed" not in said, row.variable
            sources.environ = known
            await reload.run()
            told(caplog)


async def test_a_setting_that_waits_for_a_restart_is_named_until_it_is_put_back(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    sources = Sources()
    async with sources.serving() as (_, reload):
        sources.environ["MIGD_MAX_SOCKETS"] = "7"
        for _ in range(2):
            await reload.run()
            assert told(caplog) == [
                "reloaded: nothing has changed",
                "MIGD_MAX_SOCKETS: changed, which takes a restart",
            ]
        del sources.environ["MIGD_MAX_SOCKETS"]
        await reload.run()
        assert told(caplog) == ["reloaded: nothing has changed"]


async def test_who_may_call_changes_with_the_file(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)

    def issuer(secret: str) -> AuthConfig:
        known = IssuerConfig(where="migd.yaml:3", issuer="us", secrets=(secret,), tenants=frozenset({"acme"}))
        return AuthConfig(issuers=(known,))

    old, new = "o" * 32, "n" * 32
    sources = Sources(MIGD_AUTH_MODE="jwt", MIGD_CONFIG="migd.yaml")
    sources.auth = issuer(old)
    async with sources.serving() as (migd, reload):

        async def status(secret: str) -> int:
            token = bearer("acme", secret=secret, iss="us")
            return (await migd.post("/mig/v0.1/discover", {}, authorization=token)).status

        assert (await status(old), await status(new)) == (200, 401)
        sources.auth = issuer(new)
        await reload.run()
        assert told(caplog) == ["reloaded: who may call"]
        assert (await status(old), await status(new)) == (401, 200)
        sources.auth = AuthConfig()
        await reload.run()
        assert told(caplog)[0].startswith("nothing was reloaded: MIGD_AUTH_MODE=jwt needs ")
        assert await status(new) == 200


class Broken(Scripted):
    async def start(self) -> None:
        raise MigFault(MigErrorCode.MIG_UNAVAILABLE, "there is no model")


async def test_a_mistake_anywhere_leaves_all_else_as_it_was(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    keys, others = tmp_path / "keys.json", tmp_path / "others.json"
    keys.write_bytes(key_set([rsa_key()]))
    sources = Sources(MIGD_AUTH_MODE="jwt", MIGD_JWT_JWKS=str(keys))
    async with sources.serving() as (migd, reload):

        async def mistake() -> str:
            caplog.clear()
            await reload.run()
            (line,) = told(caplog)
            token = f"Bearer {rsa_key().token()}"
            discovered = await migd.post("/mig/v0.1/discover", {}, authorization=token)
            assert [each["id"] for each in discovered.json["capabilities"]] == ["observatory.models.infer"]
            return line

        sources.capabilities.append(capability(Broken()))
        assert await mistake() == "nothing was reloaded: there is no model"
        sources.capabilities[1] = capability(Scripted())
        keys.write_bytes(b"half of a fi")
        assert await mistake() == f"nothing was reloaded: {keys} is not JSON"
        sources.environ["MIGD_JWT_JWKS"] = str(others)
        assert str(others) in await mistake()
        sources.environ["MIGD_JWT_JWKS"] = ""
        assert (await mistake()).startswith("nothing was reloaded: MIGD_AUTH_MODE=jwt needs ")

        others.write_bytes(key_set([ec_key()]))
        sources.environ["MIGD_JWT_JWKS"] = str(others)
        await reload.run()
        token = f"Bearer {ec_key().token()}"
        discovered = await migd.post("/mig/v0.1/discover", {}, authorization=token)
        assert len(discovered.json["capabilities"]) == 2


async def test_a_server_of_keys_that_is_away_at_that_moment_locks_nobody_out() -> None:
    async with key_server() as keys:
        sources = Sources(MIGD_AUTH_MODE="jwt", MIGD_JWT_JWKS=keys.url)
        async with sources.serving() as (migd, reload):
            keys.status = 503
            sources.environ["MIGD_JWT_LEEWAY_S"] = "5"
            await reload.run()
            await until(lambda: keys.asked > 1)
            token = f"Bearer {rsa_key().token()}"
            assert (await migd.post("/mig/v0.1/discover", {}, authorization=token)).status == 200


async def test_what_changes_changes_over_every_binding(tmp_path: Path) -> None:
    with running_nats(tmp_path) as server:
        sources = Sources(MIGD_GRPC_ADDR="127.0.0.1:0", MIGD_NATS_URL=server.url)
        async with sources.serving() as (migd, reload), nats_client(server) as nats, connected(migd) as grpc:
            await until(lambda: migd.gateway.readiness().status == "ok")
            sources.capabilities.append(capability(Scripted(), "test.new"))
            sources.tenants = {"acme": Allowance(rate_per_s=0.001, burst=3)}
            await reload.run()

            assert (await migd.invoke("test.new")).status == 200
            assert plain((await grpc.invoke("test.new", {})).payload) == {"done": True}
            assert (await NatsCaller(nats).invoke("test.new")).json["payload"] == {"done": True}
            assert (await migd.invoke("test.new")).code == "MIG_RATE_LIMITED"
            status, _ = await refused(grpc.invoke("test.new", {}))
            assert status.code() is StatusCode.RESOURCE_EXHAUSTED
            assert (await NatsCaller(nats).invoke("test.new")).json["error"]["code"] == "MIG_RATE_LIMITED"
