"""/docs: complete, every link leads somewhere, and every command on it works."""

from __future__ import annotations

import asyncio
import html
import json
import re
from collections import Counter
from collections.abc import AsyncIterator, Callable
from html.parser import HTMLParser
from importlib.resources import files
from pathlib import PurePosixPath
from urllib.parse import urldefrag

import aiohttp
import pytest

from mig_protocol.errors import ERRORS
from migd.console.reference.markdown import block, inline
from support.curl import CurlCommand, read_curl
from support.running_migd import LocalMigd, local_migd
from support.tokens import JWT_MODE, bearer

DOCUMENTS = ["mig", "admin", "pro", "cloud"]
PAGES = ["/docs", "/docs/channels", "/docs/errors", *(f"/docs/{name}" for name in DOCUMENTS)]
VERBS = {"get", "post", "put", "patch", "delete"}
COMMAND = re.compile(r'<pre class="command"[^>]*><code>(.*?)</code></pre>', re.DOTALL)


class Links(HTMLParser):
    """The anchors of a page and where its links go."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.anchors: Counter[str] = Counter()
        self.targets: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002 - the base's
        for name, value in attrs:
            if name == "id":
                self.anchors[value or ""] += 1
            elif name in ("href", "src"):
                self.targets.add(value or "")


def bundled(path: str) -> bytes:
    return files("mig_protocol").joinpath(path).read_bytes()


def operation_ids(name: str) -> list[str]:
    paths = json.loads(bundled(f"openapi/{name}.v0.1.json"))["paths"]
    return [item[verb]["operationId"] for item in paths.values() for verb in item if verb in VERBS]


@pytest.fixture
async def migd() -> AsyncIterator[LocalMigd]:
    async with local_migd(MIGD_ALLOWED_HOSTS="gateway.example") as running:
        yield running


async def page(migd: LocalMigd, path: str, **headers: str) -> str:
    answer = await migd.get(path, **headers)
    assert answer.status == 200
    return answer.raw.decode()


async def commands(migd: LocalMigd, name: str) -> list[str]:
    """In the order of the operations."""
    return [html.unescape(found) for found in COMMAND.findall(await page(migd, f"/docs/{name}"))]


@pytest.mark.parametrize("name", DOCUMENTS)
async def test_every_operation_has_a_section_and_is_listed_in_the_overview(
    migd: LocalMigd, name: str
) -> None:
    sections = Links(await page(migd, f"/docs/{name}")).anchors
    listed = Links(await page(migd, "/docs")).targets

    assert operation_ids(name)
    for operation in operation_ids(name):
        assert operation in sections
        assert f"/docs/{name}#{operation}" in listed


@pytest.mark.parametrize("name", DOCUMENTS)
async def test_every_schema_and_every_shared_response_has_a_section(migd: LocalMigd, name: str) -> None:
    sections = Links(await page(migd, f"/docs/{name}")).anchors
    components = json.loads(bundled(f"openapi/{name}.v0.1.json"))["components"]

    assert {f"schema-{schema}" for schema in components["schemas"]} <= set(sections)
    assert {f"response-{response}" for response in components["responses"]} <= set(sections)


async def test_every_link_and_every_anchor_resolves(migd: LocalMigd) -> None:
    found = {path: Links(await page(migd, path)) for path in PAGES}

    for path, links in found.items():
        assert [anchor for anchor, count in links.anchors.items() if count > 1] == []
        for target in links.targets:
            where, anchor = urldefrag(target)
            where = where or path
            if anchor:
                assert anchor in found[where].anchors, f"{path} links to {target}"
            else:
                assert (await migd.get(where)).status == 200, f"{path} links to {target}"


async def test_the_error_page_has_every_code_with_its_statuses(migd: LocalMigd) -> None:
    text = await page(migd, "/docs/errors")

    for row in ERRORS.values():
        section = text.split(f'<tr id="{row.code.value}">')[1].split("</tr>")[0]
        for value in (row.http_status, *row.http_variants.values(), row.grpc_name, row.jsonrpc):
            assert str(value) in section


@pytest.mark.parametrize(
    ("path", "source"),
    [
        *((f"/docs/openapi/{name}.json", f"openapi/{name}.v0.1.json") for name in DOCUMENTS),
        ("/docs/asyncapi.json", "asyncapi/mig.v0.1.json"),
    ],
    ids=lambda value: PurePosixPath(value).stem,
)
async def test_the_documents_themselves_are_served_as_they_are(
    migd: LocalMigd, path: str, source: str
) -> None:
    answer = await migd.get(path)

    assert answer.headers["content-type"] == "application/json"
    assert answer.raw == bundled(source)


async def test_descriptions_are_shown_as_markdown(migd: LocalMigd) -> None:
    text = await page(migd, "/docs/mig")

    assert "<li>the message header: its shape, then <code>mig_version</code>" in text
    assert "<code>id: &lt;sequence&gt;</code>" in text


@pytest.mark.parametrize("render", [block, inline])
@pytest.mark.parametrize("text", ["<b>bold</b>", "a <img src=x onerror=y>", "[x](javascript:alert(1))"])
def test_html_and_scripts_in_a_description_stay_text(render: Callable[[str], str], text: str) -> None:
    shown = render(text)

    assert "<b" not in shown
    assert "<img" not in shown
    assert "<a" not in shown


@pytest.mark.parametrize("name", DOCUMENTS)
async def test_every_command_works_as_it_stands(migd: LocalMigd, name: str) -> None:
    for text in await commands(migd, name):
        if text.startswith("echo "):
            continue  # the WebSocket's, which has a test of its own
        request = read_curl(text)
        status = await (_first_status(migd, request) if "-N" in text else _status(request))
        assert 200 <= status < 300, text


async def test_the_command_for_the_websocket_sends_a_frame_that_is_answered(migd: LocalMigd) -> None:
    [text] = [text for text in await commands(migd, "mig") if text.startswith("echo ")]
    frame = re.search(r"echo '(.*)' \| websocat", text)
    assert frame

    async with migd.http.ws_connect(text.split()[-1].replace("ws:", "http:")) as socket:
        await socket.send_str(frame[1])
        answer = await socket.receive_json()

    assert answer["kind"] == "response"


async def test_in_jwt_mode_the_commands_carry_a_token_where_one_is_needed() -> None:
    async with local_migd(**JWT_MODE) as migd:
        for text in await commands(migd, "admin"):
            request = read_curl(text)
            public = any(request.url.endswith(path) for path in ("/healthz", "/readyz", "/metrics"))
            assert ("Authorization" in request.headers) is not public
            if not public:
                request.headers["Authorization"] = bearer("acme", "mig:admin")
            assert 200 <= await _status(request) < 300, text


@pytest.mark.parametrize(
    ("host", "shown"),
    [
        ("gateway.example:8443", "curl http://gateway.example:8443/mig/v0.1/hello"),
        ("[::1]:8080", "curl http://[::1]:8080/mig/v0.1/hello"),
        ('"><script>', "curl http://localhost:8080/mig/v0.1/hello"),
    ],
)
async def test_commands_name_the_host_that_was_asked_and_nothing_that_is_no_host(
    migd: LocalMigd, host: str, shown: str
) -> None:
    text = await page(migd, "/docs/mig", host=host)

    assert shown in text
    assert "server.invalid" not in text
    assert host in text or "<script" not in text


async def _status(request: CurlCommand) -> int:
    status, _ = await asyncio.to_thread(request.send)
    return status


async def _first_status(migd: LocalMigd, request: CurlCommand) -> int:
    """The status of an answer that does not end."""
    async with migd.http.get(
        request.url, headers=request.headers, timeout=aiohttp.ClientTimeout(30)
    ) as answer:
        return answer.status
