"""Where services may be: by their names, by their addresses, and by what a name stands for when used."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from mig_protocol.errors import MigFault
from migd.core.provider import Provider, Work
from migd.manifest import ManifestError, load_manifest
from migd.providers.hosts import ProviderHosts
from migd.providers.http import HttpProvider, HttpService
from support.running_migd import start_migd

Serve = Callable[[Callable[[web.Request], Awaitable[web.StreamResponse]]], Awaitable[str]]
Running = Callable[[Provider], Awaitable[Any]]

MANIFEST = "migd: 1\ncapabilities:\n  - {{http: '{url}', id: test.service}}\n"
METADATA = [
    "http://169.254.169.254/latest/meta-data/",
    "http://[fe80::1]/",
    "http://[fd00:ec2::254]/latest/",
    "http://[::ffff:169.254.169.254]/",
    "http://100.100.100.200/",
]


def manifest(folder: Path, url: str) -> Path:
    path = folder / "migd.yaml"
    path.write_text(MANIFEST.format(url=url))
    return path


@pytest.mark.parametrize("url", METADATA)
def test_metadata_services_are_no_providers_unless_they_are_listed(tmp_path: Path, url: str) -> None:
    path = manifest(tmp_path, url)

    with pytest.raises(ManifestError, match=r"yaml:3: .*MIGD_PROVIDER_HOSTS has to list it"):
        load_manifest(path, {})
    with pytest.raises(ManifestError):
        load_manifest(path, {}, ProviderHosts.of(["models.internal"]))
    everywhere = ["169.254.0.0/16", "fe80::/10", "fd00:ec2::254", "100.100.100.200"]
    assert load_manifest(path, {}, ProviderHosts.of(everywhere)).capabilities


@pytest.mark.parametrize(
    ("url", "listed"),
    [
        ("http://models.internal/x", "models.internal"),
        ("http://MODELS.internal./x", "models.internal"),
        ("http://models.internal:9000/x", "models.internal:9000"),
        ("http://10.1.2.3/x", "10.0.0.0/8"),
        ("http://[::1]:9000/x", "[::1]"),
    ],
)
def test_with_a_list_only_what_is_on_it_is_declared(tmp_path: Path, url: str, listed: str) -> None:
    path = manifest(tmp_path, url)

    assert load_manifest(path, {}, ProviderHosts.of([listed])).capabilities
    for other in ("other.internal", "models.internal:9001"):
        with pytest.raises(ManifestError, match="MIGD_PROVIDER_HOSTS does not list"):
            load_manifest(path, {}, ProviderHosts.of([other]))


@pytest.mark.parametrize(("listed", "called"), [("127.0.0.0/8, ::1", True), ("10.0.0.0/8", False)])
async def test_what_a_name_stands_for_when_it_is_used_decides(
    serve: Serve, running: Running, work: Callable[..., Work], listed: str, called: bool
) -> None:
    asked: list[str] = []

    async def answer(request: web.Request) -> web.StreamResponse:
        asked.append(request.path)
        return web.json_response({"ok": True})

    url = (await serve(answer)).replace("127.0.0.1", "localhost")
    hosts = ProviderHosts.of(listed.split(", "))
    service = HttpService(
        capability="a.b", url=url, stream_url=url, timeout_s=5, max_response_bytes=1000, hosts=hosts
    )
    provider = await running(HttpProvider(service))
    if called:
        assert await provider.invoke(work()) == {"ok": True}
    else:
        with pytest.raises(MigFault) as refused:
            await provider.invoke(work())
        assert refused.value.code.value == "MIG_UNAVAILABLE"
        # Callers learn nothing of the inside.
        assert "localhost" not in refused.value.message
    assert bool(asked) is called


def test_a_gateway_whose_manifest_leaves_the_list_does_not_start(tmp_path: Path) -> None:
    path = manifest(tmp_path, "http://models.internal:9000/x")

    migd = start_migd("--config", str(path), MIGD_PROVIDER_HOSTS="other.internal")
    assert migd.wait() != 0
    assert "MIGD_PROVIDER_HOSTS does not list models.internal:9000" in "".join(migd.stderr)
    unusable = start_migd(MIGD_PROVIDER_HOSTS="10.0.0.0/99")
    assert unusable.wait() != 0
    assert "MIGD_PROVIDER_HOSTS='10.0.0.0/99' is not usable" in "".join(unusable.stderr)
