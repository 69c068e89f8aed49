"""Pages for people [MIG-OBS-004, MIG-OBS-005]."""

from __future__ import annotations

from html.parser import HTMLParser
from urllib.parse import urljoin, urlsplit

from mig_conformance.checks.trial import Trial
from mig_conformance.drivers.port import Answer, Ask
from mig_conformance.flaws import expect, same

# What a browser fetches by itself, and the attribute that says from where.
_FETCHED = {
    "script": "src",
    "link": "href",
    "img": "src",
    "iframe": "src",
    "source": "src",
    "video": "src",
    "audio": "src",
    "embed": "src",
    "object": "data",
}
_NAMED = {"link": {"canonical", "alternate", "author", "license", "help", "next", "prev"}}
_SHOWN_TO_NOBODY = "conformance.shown-to-nobody"


async def rights(trial: Trial) -> None:
    """What is going on in a tenant is not on the page that somebody without a credential gets."""
    ask = Ask(operation="SUBSCRIBE", caller=trial.own, message={"topic": _SHOWN_TO_NOBODY})
    subscription = await trial.beside("sse").subscribe(ask)
    try:
        page = await _page(trial, "/ui")
    finally:
        await subscription.close()
    expect(_SHOWN_TO_NOBODY not in page, "GET /ui shows a subscription of a tenant without a credential")


async def reference(trial: Trial) -> None:
    """With all that the page has a browser fetch, which is the server's own."""
    sources = _Sources()
    sources.feed(await _page(trial, "/docs"))
    for source in sources.found:
        target = urlsplit(urljoin("/docs", source))
        expect(not target.netloc, f"GET /docs has a browser fetch {source} from elsewhere")
        if target.scheme != "data":
            answer = await _got(trial, f"{target.path}{'?' if target.query else ''}{target.query}")
            same(f"the status of {source}, which GET /docs has a browser fetch", answer.status, 200)
            expect(not _imports(answer), f"{source} has a browser fetch something from elsewhere")


async def _page(trial: Trial, path: str) -> str:
    answer = await _got(trial, path)
    same(f"the status of GET {path}", answer.status, 200)
    expect("text/html" in answer.fields.get("content-type", ""), f"GET {path} is no HTML")
    return answer.body.decode(errors="replace")


async def _got(trial: Trial, target: str) -> Answer:
    return await trial.http.request("GET", target, caller=trial.callers.named("nobody"))


def _imports(answer: Answer) -> bool:
    """Whether a style sheet or a script names another server to fetch from."""
    text = answer.body.decode(errors="replace").replace(" ", "")
    starts = ("url(http", 'url("http', "url('http", '@import"http', "@import'http", "url(//")
    return any(start in text for start in (*starts, 'from"http', 'import"http', 'import("http'))


class _Sources(HTMLParser):
    """The URLs that a page has a browser fetch."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """See HTMLParser."""
        given = {name: value or "" for name, value in attrs}
        source = given.get(_FETCHED.get(tag, ""), "")
        if source and not _NAMED.get(tag, set()) & set(given.get("rel", "").split()):
            self.found.append(source)
