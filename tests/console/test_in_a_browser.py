"""The pages as people meet them: a real browser in front of a real gateway."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from support.browser import MISSING, Visit, open_browser, visit
from support.curl import read_curl
from support.running_migd import running_migd
from support.tokens import JWT_MODE, bearer

pytestmark = pytest.mark.skipif(
    MISSING,
    reason="no Chromium on this machine (Debian: apt install chromium)",
)

REFERENCE = "observatory.models.infer"
ENDLESS = "test.endless"
MANIFEST = "migd: 1\ncapabilities:\n  - python: endless:count\n"
ENDLESS_CAPABILITY = f'''
import asyncio
from collections.abc import AsyncIterator
from typing import Any

from migd.capability import capability


@capability(id="{ENDLESS}")
async def count(payload: dict[str, Any]) -> AsyncIterator[dict[str, Any]]:
    """Says one thing."""
    yield {{"said": "one thing"}}
    await asyncio.Event().wait()
'''


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with open_browser() as opened:
        yield opened


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A gateway that does not authenticate its callers."""
    folder = tmp_path_factory.mktemp("manifest")
    (folder / "migd.yaml").write_text(MANIFEST)
    (folder / "endless.py").write_text(ENDLESS_CAPABILITY)
    with running_migd("--config", str(folder / "migd.yaml")) as migd:
        yield migd.url


@pytest.fixture(scope="module")
def jwt_url() -> Iterator[str]:
    with running_migd(cwd=None, **JWT_MODE) as migd:
        yield migd.url


@pytest.fixture
def console(browser: Browser, url: str) -> Iterator[Visit]:
    """The console of a caller of tenant acme. Whatever a test does there, nothing may go wrong or outside."""
    with visit(browser, f"{url}/ui") as seen:
        expect(seen.page.locator("#capabilities button")).to_have_count(2)
        yield seen
        assert seen.complaints == []
        assert seen.hosts() == {urlsplit(url).netloc}


@pytest.fixture
def guarded(browser: Browser, jwt_url: str) -> Iterator[Visit]:
    """The console of a gateway in jwt mode, before a token is given."""
    with visit(browser, f"{jwt_url}/ui") as seen:
        expect(seen.page.locator("#tiles dl")).to_have_count(6)
        yield seen
        assert seen.complaints == []


def choose(page: Page, capability: str) -> None:
    with page.expect_response("**/input"):
        page.locator(f'[data-capability="{capability}"]').click()
    expect(page.locator("#invoke-capability")).to_have_value(capability)


def invoke(page: Page, payload: Any) -> None:
    page.fill("#invoke-payload", json.dumps(payload))
    page.locator("#invoke").get_by_role("button", name="Invoke", exact=True).click()


def identify(page: Page, authorization: str) -> None:
    page.fill("#token", authorization)
    page.press("#token", "Tab")


@pytest.mark.parametrize("path", ["/ui", "/docs", "/docs/mig", "/docs/channels", "/docs/errors"])
def test_a_page_loads_without_complaint_asks_only_its_server_and_fits_a_telephone(
    browser: Browser, url: str, path: str
) -> None:
    with visit(browser, url + path, width=400, dark=True) as seen:
        seen.page.wait_for_load_state("networkidle")
        overflow = seen.page.evaluate(
            "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )

        assert overflow <= 0
        assert seen.complaints == []
        assert seen.hosts() == {urlsplit(url).netloc}


def test_the_console_opens_with_what_the_server_says_of_itself(console: Visit) -> None:
    page = console.page

    expect(page.locator("#readiness")).to_have_text("ready")
    expect(page.locator("#profiles .mark.good")).to_have_text(
        ["✓ core", "✓ streaming", "✓ evented", "✓ full"]
    )
    expect(page.locator("#hello-outcome")).to_contain_text("core, streaming, evented, full")
    server_id = page.locator("#server-id").inner_text()
    assert server_id.startswith("migd-")
    expect(page.locator("#hello-outcome")).to_contain_text(server_id)


def test_hello_is_the_caller_s_own_and_a_refusal_says_what_the_server_can_do(console: Visit) -> None:
    page = console.page
    page.fill("#hello-features", "replay, telepathy")
    page.get_by_role("button", name="Say hello", exact=True).click()
    expect(page.locator("#hello-outcome .pairs")).to_contain_text("replay")
    expect(page.locator("#hello-outcome .pairs")).not_to_contain_text("streaming, events")

    page.fill("#hello-versions", "0.9")
    page.get_by_role("button", name="Say hello", exact=True).click()

    expect(page.locator("#hello-outcome .code")).to_have_text("MIG_VERSION_MISMATCH")
    expect(page.locator("#hello-outcome .pairs")).to_contain_text('supported_versions["0.1"]')


def test_discover_lists_what_matches_and_fills_invoke_with_a_payload_that_works(console: Visit) -> None:
    page = console.page
    page.fill("#discover-query", "models")
    page.get_by_role("button", name="Discover", exact=True).click()
    expect(page.locator("#capabilities .id")).to_have_text([REFERENCE])

    choose(page, REFERENCE)
    expect(page.locator("#invoke-schema")).to_be_visible()
    page.press("#invoke-payload", "Control+Enter")

    expect(page.locator("#invoke-outcome .mark")).to_have_text("200")
    expect(page.locator("#invoke-outcome pre")).to_contain_text('"result": "ok"')


def test_what_is_typed_is_not_overwritten_by_a_sample_that_comes_late(console: Visit) -> None:
    page = console.page
    held: list[Route] = []
    page.route("**/input", lambda route: held.append(route))
    page.locator(f'[data-capability="{ENDLESS}"]').click()
    page.fill("#invoke-payload", '{"typed": "by hand"}')
    held[0].continue_()

    expect(page.locator("#invoke-schema pre")).to_contain_text("Says one thing")
    expect(page.locator("#invoke-payload")).to_have_value('{"typed": "by hand"}')


def test_a_refused_payload_is_shown_by_code_and_place(console: Visit) -> None:
    choose(console.page, REFERENCE)
    invoke(console.page, {"input": 7})

    expect(console.page.locator("#invoke-outcome .code")).to_have_text("MIG_INVALID_REQUEST")
    expect(console.page.locator("#invoke-outcome .violations")).to_contain_text("/input")


def test_what_is_no_json_is_said_at_once_and_not_sent(console: Visit) -> None:
    console.page.fill("#invoke-payload", '{"input": ')
    console.page.locator("#invoke").get_by_role("button", name="Invoke", exact=True).click()

    expect(console.page.locator("#invoke-payload-error")).to_contain_text("Not JSON")
    assert console.count("/mig/v0.1/invoke/") == 0


def test_the_command_shown_makes_the_same_call(console: Visit) -> None:
    choose(console.page, REFERENCE)
    console.page.fill("#invoke-payload", '{"input": "it\'s <here>"}')
    console.page.fill("#invoke-deadline", "5000")

    status, answer = read_curl(console.page.locator("#invoke-command").inner_text()).send()

    assert status == 200
    assert json.loads(answer)["payload"]["echo"] == {"input": "it's <here>"}
    assert json.loads(answer)["header"]["deadline_ms"] == 5000
    assert json.loads(answer)["header"]["tenant_id"] == "acme"


def test_a_streamed_invocation_shows_its_frames_to_the_last(console: Visit) -> None:
    page = console.page
    choose(page, REFERENCE)
    page.get_by_text("streamed, WebSocket").click()
    invoke(page, {"input": "one two three"})

    expect(page.locator("#invoke-outcome")).to_contain_text("Ended after")
    frames = page.locator('#frames [data-kind="response"]')
    expect(frames.first).to_contain_text("one")
    expect(frames.last).to_contain_text('"result":"ok"')
    expect(frames.last).to_contain_text("end of stream")
    expect(page.locator("#invoke-cancel")).to_be_disabled()


def test_frames_are_shown_as_they_come_and_the_stream_can_be_cancelled(console: Visit) -> None:
    page = console.page
    choose(page, ENDLESS)
    page.get_by_role("button", name="Invoke", exact=True).click()
    expect(page.locator('#frames [data-kind="response"]')).to_contain_text("one thing")
    expect(page.locator("#connections-table")).to_contain_text("ws_stream")

    page.get_by_role("button", name="Cancel", exact=True).click()

    expect(page.locator('#frames [data-kind="error"]')).to_contain_text("MIG_TIMEOUT")
    expect(page.locator('#frames [data-kind="error"]')).to_contain_text("cancelled from the console")
    expect(page.locator('#frames [data-kind="control"]')).to_contain_text('"status":"cancelled"')
    expect(page.locator("#connections-table")).to_be_hidden()


def test_a_published_event_reaches_the_subscription_and_both_are_counted(console: Visit) -> None:
    page = console.page
    page.fill("#subscribe-topic", "try.out")
    page.get_by_role("button", name="Subscribe", exact=True).click()
    expect(page.locator("#subscribe-outcome")).to_have_text("Following try.out.")
    page.fill("#publish-topic", "try.out")
    page.fill("#publish-payload", '{"n": 41}')
    page.get_by_role("button", name="Publish", exact=True).click()

    expect(page.locator("#publish-outcome .pairs")).to_contain_text("sequence")
    expect(page.locator('#received [data-kind="mig-event"]')).to_contain_text('{"n":41}')
    expect(page.locator('[data-counter="requests"]')).to_contain_text("POST /mig/v0.1/publish/{topic}")
    page.get_by_role("button", name="Stop", exact=True).click()
    expect(page.locator("#subscribe-outcome")).to_have_text("Stopped.")


def test_a_live_subscription_is_in_the_table_as_long_as_it_lives_and_the_filters_apply(
    console: Visit, url: str
) -> None:
    table = console.page.locator("#connections-table tbody")
    connection = HTTPConnection(urlsplit(url).netloc, timeout=30)
    connection.request(
        "GET", "/mig/v0.1/subscribe/a.b?consumer_id=somebody", headers={"X-Tenant-ID": "globex"}
    )
    stream = connection.getresponse()

    expect(table).to_contain_text("somebody")
    expect(table).to_contain_text("globex")
    console.page.select_option("#filter-kind", "ws_stream")
    expect(console.page.locator("#connections-needs")).to_have_text("None that match the filters.")
    console.page.select_option("#filter-kind", "sse_subscribe")
    expect(table).to_contain_text("somebody")

    stream.close()
    connection.close()
    expect(table).not_to_contain_text("somebody")


def test_invocations_and_errors_are_counted_by_capability_and_code(console: Visit, url: str) -> None:
    for _ in range(2):
        call(url, {"payload": {"input": "x"}})
    call(url, {"payload": {}})

    invocations = console.page.locator('[data-counter="invocations"]')
    expect(
        invocations.get_by_role("row").filter(has_text=REFERENCE).filter(has_text="success")
    ).to_have_count(1)
    expect(invocations.get_by_role("row").filter(has_text="MIG_INVALID_REQUEST")).to_have_count(1)
    expect(console.page.locator('[data-counter="errors"]')).to_contain_text("MIG_INVALID_REQUEST")
    expect(console.page.locator('[data-counter="usage"]')).to_contain_text("acme")


def call(url: str, body: Any) -> None:
    headers = {"X-Tenant-ID": "acme"}
    request = urllib.request.Request(
        f"{url}/mig/v0.1/invoke/{REFERENCE}", data=json.dumps(body).encode(), headers=headers
    )
    try:
        urllib.request.urlopen(request, timeout=30).close()
    except urllib.error.HTTPError as error:
        error.close()


def test_a_hidden_tab_asks_nothing_and_asks_at_once_when_it_is_seen_again(browser: Browser, url: str) -> None:
    with visit(browser, "about:blank") as seen:
        seen.page.clock.install()
        seen.page.goto(f"{url}/ui")
        expect(seen.page.locator("#tiles dl")).to_have_count(6)
        show(seen.page, hidden=True)
        before = seen.count("/readyz")
        seen.page.clock.run_for(60_000)
        assert seen.count("/readyz") == before

        with seen.page.expect_request("**/readyz"):
            show(seen.page, hidden=False)


def show(page: Page, *, hidden: bool) -> None:
    page.evaluate(
        """hidden => {
          Object.defineProperty(document, "hidden", { configurable: true, get: () => hidden });
          document.dispatchEvent(new Event("visibilitychange"));
        }""",
        hidden,
    )


def test_in_jwt_mode_each_panel_says_what_it_needs_and_asks_nothing_in_vain(guarded: Visit) -> None:
    page = guarded.page

    needs = "Needs a bearer token with the scope mig:admin: paste one above."
    for panel in ("#profiles .needs", "#connections-needs", '[data-counter="usage"] .needs'):
        expect(page.locator(panel)).to_have_text(needs)
    for tryout in ("#hello-outcome", "#discover-outcome"):
        expect(page.locator(tryout)).to_have_text("Needs a bearer token: paste one above.")
    assert guarded.count("/admin/") + guarded.count("/cloud/") + guarded.count("/mig/") == 0


def test_in_jwt_mode_a_token_is_enough_and_never_in_a_url(guarded: Visit) -> None:
    page = guarded.page
    token = bearer("acme", "mig:admin capability:infer")
    identify(page, token)
    expect(page.locator("#profiles .mark.good")).to_have_count(4)
    expect(page.locator("#hello-outcome .mark")).to_have_text("200")
    expect(page.locator("#connections-needs")).to_contain_text("None.")

    choose(page, REFERENCE)
    page.get_by_text("streamed, WebSocket").click()
    invoke(page, {"input": "one two"})
    expect(page.locator("#frames")).to_contain_text("end of stream")
    page.get_by_role("button", name="Subscribe", exact=True).click()
    expect(page.locator("#subscribe-outcome")).to_contain_text("Following")

    assert guarded.count(token.split()[1]) == 0
    assert token.split()[1] not in page.locator("#invoke-command").inner_text()
    page.reload()
    expect(page.locator("#hello-outcome .mark")).to_have_text("200")


def test_in_jwt_mode_a_token_without_the_scope_gets_the_try_outs_and_one_line_in_each_panel(
    guarded: Visit,
) -> None:
    page = guarded.page
    identify(page, bearer("acme", "capability:infer"))

    expect(page.locator("#capabilities .id")).to_have_text([REFERENCE])
    for panel in ("#profiles .needs", "#connections-needs", '[data-counter="usage"] .needs'):
        expect(page.locator(panel)).to_have_text("Needs a token with the scope mig:admin.")


def test_in_jwt_mode_a_bad_token_is_refused_in_the_server_s_words(guarded: Visit) -> None:
    identify(guarded.page, "not.a.token")

    expect(guarded.page.locator("#discover-outcome .code")).to_have_text("MIG_UNAUTHORIZED")
    expect(guarded.page.locator("#connections-needs")).to_contain_text("Needs another token:")
