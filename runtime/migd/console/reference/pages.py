"""/docs: an index, a page for each document, the errors, the channels, and the documents themselves."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from jinja2 import Environment
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from mig_protocol.errors import ERRORS
from migd.console.reference.channels import ChannelViews
from migd.console.reference.command import ORIGIN, WEBSOCKET_ORIGIN
from migd.console.reference.documents import Document, load_asyncapi, load_documents
from migd.console.reference.markdown import block, inline
from migd.console.reference.navigation import SectionLink, channel_links, operation_links, page_links
from migd.console.reference.operations import OperationViews
from migd.console.reference.schemas import SchemaTables
from migd.version import __version__

# The Host field is the caller's: only what a host can look like gets into a page.
_HOST = re.compile(r"[A-Za-z0-9._-]{1,253}(:[0-9]{1,5})?|\[[0-9A-Fa-f:.]{2,45}\](:[0-9]{1,5})?")
_NO_HOST = "localhost:8080"


class ReferencePages:
    """Each page is rendered once, in a thread, when it is first asked for."""

    def __init__(self, templates: Environment, *, auth_mode: str) -> None:
        self._templates = templates
        self._with_token = auth_mode == "jwt"
        self._documents = load_documents()
        self._asyncapi = load_asyncapi()
        self._rendered: dict[str, str] = {}

    def routes(self) -> list[Route]:
        documents = self._documents.values()
        return [
            self._page("", self._index),
            *(self._page(f"/{document.name}", partial(self._document, document)) for document in documents),
            self._page("/channels", self._channels),
            self._page("/errors", self._errors),
            *(_raw(f"/docs/openapi/{document.name}.json", document) for document in documents),
            _raw("/docs/asyncapi.json", self._asyncapi),
        ]

    def _page(self, path: str, render: Callable[[], str]) -> Route:
        async def endpoint(request: Request) -> Response:
            if path not in self._rendered:
                self._rendered[path] = await run_in_threadpool(render)
            return HTMLResponse(_at_origin(self._rendered[path], request))

        return Route(f"/docs{path}", endpoint)

    def _index(self) -> str:
        summaries = [
            {
                "document": document,
                "summary": inline(document.tree["info"]["summary"]),
                "operations": self._views(document).all(),
            }
            for document in self._documents.values()
        ]
        return self._render("index.html", "", "API reference", summaries=summaries, asyncapi=self._asyncapi)

    def _document(self, document: Document) -> str:
        views = self._views(document)
        operations = views.all()
        info = document.tree["info"]
        return self._render(
            "document.html",
            f"/{document.name}",
            info["title"],
            operation_links(operations),
            document=document,
            summary=inline(info["summary"]),
            description=block(info["description"]),
            operations=operations,
            answers=views.shared_answers(),
            schemas=SchemaTables(document).all(),
        )

    def _channels(self) -> str:
        channels = ChannelViews(self._asyncapi).all()
        info = self._asyncapi.tree["info"]
        return self._render(
            "channels.html",
            "/channels",
            info["title"],
            channel_links(channels),
            document=self._asyncapi,
            description=block(info["description"]),
            channels=channels,
            schemas=SchemaTables(self._asyncapi).all(),
        )

    def _errors(self) -> str:
        return self._render("errors.html", "/errors", "Errors", errors=list(ERRORS.values()))

    def _views(self, document: Document) -> OperationViews:
        request_frame = self._asyncapi.components("messages")["requestFrame"]
        frame = request_frame["examples"][0]["payload"]
        return OperationViews(document, frame=frame, with_token=self._with_token)

    def _render(
        self, template: str, here: str, title: str, contents: Iterable[SectionLink] = (), **values: Any
    ) -> str:
        pages = page_links(self._documents.values(), self._asyncapi, here)
        return self._templates.get_template(f"reference/{template}").render(
            title=title, version=__version__, pages=pages, contents=list(contents), **values
        )


def _raw(path: str, document: Document) -> Route:
    async def endpoint(_request: Request) -> Response:
        return Response(document.raw, media_type="application/json")

    return Route(path, endpoint)


def _at_origin(page: str, request: Request) -> str:
    """The page with the scheme and host that it was asked for under."""
    host = request.headers.get("host", "")
    host = html.escape(host) if _HOST.fullmatch(host) else _NO_HOST
    secure = "s" if request.url.scheme == "https" else ""
    return page.replace(ORIGIN, f"http{secure}://{host}").replace(WEBSOCKET_ORIGIN, f"ws{secure}://{host}")
