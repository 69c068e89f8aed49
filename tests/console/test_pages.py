"""What holds for every page: who may ask, the headers, the refusals, and that none of it slows the start."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import AsyncIterator

import pytest

from support.running_migd import LocalMigd, local_migd
from support.tokens import JWT_MODE, bearer

PAGES = [
    "/ui",
    "/docs",
    "/docs/mig",
    "/docs/admin",
    "/docs/pro",
    "/docs/cloud",
    "/docs/channels",
    "/docs/errors",
]
INPUT = "/ui/capabilities/observatory.models.infer/input"


@pytest.fixture
async def migd() -> AsyncIterator[LocalMigd]:
    async with local_migd() as running:
        yield running


@pytest.fixture
async def guarded() -> AsyncIterator[LocalMigd]:
    async with local_migd(**JWT_MODE) as running:
        yield running


@pytest.mark.parametrize("path", [*PAGES, "/ui/static/console.js", "/docs/openapi/mig.json", "/docs/nowhere"])
async def test_everything_is_served_under_a_strict_policy(migd: LocalMigd, path: str) -> None:
    answer = await migd.get(path, accept="text/html")

    policy = dict(part.split(" ", 1) for part in answer.headers["content-security-policy"].split("; "))
    assert policy["default-src"] == "'none'"
    assert {policy[kind] for kind in ("script-src", "style-src", "connect-src", "img-src")} == {"'self'"}
    assert policy["frame-ancestors"] == policy["base-uri"] == policy["form-action"] == "'none'"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "no-referrer"


@pytest.mark.parametrize("path", PAGES)
async def test_no_page_has_anything_inline_or_from_elsewhere(migd: LocalMigd, path: str) -> None:
    text = (await migd.get(path)).raw.decode()

    assert "<style" not in text
    assert ' style="' not in text
    assert ' onclick="' not in text
    assert '<script type="module" src="/ui/static/console.js"></script>' in text or "<script" not in text
    assert 'src="http' not in text
    assert '<link rel="stylesheet" href="/ui/static/' in text


@pytest.mark.parametrize("path", PAGES)
async def test_every_page_is_public_since_the_rights_are_checked_where_the_data_is(
    guarded: LocalMigd, path: str
) -> None:
    answer = await guarded.get(path)

    assert answer.status == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"


async def test_head_is_get_without_the_body(migd: LocalMigd) -> None:
    answer = await migd.request("HEAD", "/ui")

    assert (answer.status, answer.raw) == (200, b"")


async def test_an_unknown_page_is_an_error_envelope(migd: LocalMigd) -> None:
    answer = await migd.get("/docs/nowhere")

    assert (answer.status, answer.code) == (404, "MIG_NOT_FOUND")
    assert answer.json["header"]["tenant_id"] == "unknown"


async def test_a_browser_gets_the_refusal_as_a_page(migd: LocalMigd) -> None:
    answer = await migd.get("/ui/<b>", accept="text/html,*/*")

    assert answer.status == 404
    assert "MIG_NOT_FOUND" in answer.raw.decode()
    assert "<b>" not in answer.raw.decode()


async def test_another_method_is_405_and_says_which_are_allowed(migd: LocalMigd) -> None:
    answer = await migd.post("/ui")

    assert (answer.status, answer.code) == (405, "MIG_INVALID_REQUEST")
    assert set(answer.headers["allow"].split(", ")) == {"GET", "HEAD"}


@pytest.mark.parametrize("path", ["/ui/static/../sample.py", "/ui/static/%2e%2e/sample.py", "/ui/static/"])
async def test_only_the_static_files_are_served(migd: LocalMigd, path: str) -> None:
    assert (await migd.get(path)).status == 404


async def test_the_input_of_a_capability_is_its_schema_and_a_payload_that_it_takes(migd: LocalMigd) -> None:
    answer = await migd.get(INPUT, x_tenant_id="acme")

    assert answer.json["schema"]["required"] == ["input"]
    assert (await migd.invoke("observatory.models.infer", answer.json["sample"])).status == 200


@pytest.mark.parametrize(
    ("authorization", "status", "code"),
    [
        ("", 401, "MIG_UNAUTHORIZED"),
        (
            bearer("acme", "capability:infer", secret="another secret, as long as it has to be"),
            401,
            "MIG_UNAUTHORIZED",
        ),
        (bearer("acme", "capability:other"), 403, "MIG_FORBIDDEN"),
        (bearer("globex", "capability:infer"), 403, "MIG_FORBIDDEN"),
        (bearer("acme", "capability:infer"), 200, ""),
    ],
)
async def test_the_input_of_a_capability_is_for_those_who_may_invoke_it(
    guarded: LocalMigd, authorization: str, status: int, code: str
) -> None:
    answer = await guarded.get(INPUT, x_tenant_id="acme", authorization=authorization)

    assert answer.status == status
    assert not code or answer.code == code


async def test_the_input_of_an_unknown_capability_is_refused_like_its_invocation(migd: LocalMigd) -> None:
    answer = await migd.get("/ui/capabilities/no.such.thing/input", x_tenant_id="acme")

    assert (answer.status, answer.code) == (404, "MIG_UNSUPPORTED_CAPABILITY")


def test_the_gateway_starts_without_loading_what_only_pages_need() -> None:
    loaded = "import sys, migd.app; print(sorted({'starlette', 'jinja2', 'markdown_it'} & set(sys.modules)))"
    found = subprocess.run([sys.executable, "-c", loaded], capture_output=True, text=True, check=True)

    assert found.stdout == "[]\n"
