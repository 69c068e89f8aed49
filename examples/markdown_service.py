"""A small HTTP service that knows nothing of MIG: it turns Markdown into HTML with markdown-it-py.

    python examples/markdown_service.py --port 8091

POST /render {"markdown": "# Hello"} answers {"html", "headings", "words"}. With `Accept:
application/x-ndjson` the answer is one JSON line for each block as it is rendered, the last line being
that same object. GET /healthz says that it is up. examples/migd.yaml makes it a capability.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import socket
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from aiohttp import web
from markdown_it import MarkdownIt
from markdown_it.token import Token

MAX_BODY_BYTES = 2_097_152
NDJSON = "application/x-ndjson"


@dataclass(frozen=True)
class Block:
    """One block of the document's top level: a heading, a paragraph, a list, a table..."""

    kind: str
    tokens: list[Token]


class Renderer:
    """Markdown to HTML. HTML inside the Markdown is shown as text, so that the result is safe to embed."""

    def __init__(self) -> None:
        self._markdown = MarkdownIt("js-default")

    def blocks(self, text: str) -> list[Block]:
        found: list[Block] = []
        open_block: list[Token] = []
        for token in self._markdown.parse(text):
            open_block.append(token)
            if token.level == 0 and token.nesting <= 0:
                found.append(Block(open_block[0].type.removesuffix("_open"), open_block))
                open_block = []
        return found

    def html(self, block: Block) -> str:
        return str(self._markdown.renderer.render(block.tokens, self._markdown.options, {}))


def summary(blocks: list[Block], html: list[str]) -> dict[str, Any]:
    return {
        "html": "".join(html),
        "headings": [
            {"level": int(block.tokens[0].tag[1:]), "text": _text(block)}
            for block in blocks
            if block.kind == "heading"
        ],
        "words": sum(len(_text(block).split()) for block in blocks),
    }


def _text(block: Block) -> str:
    parts = [part for token in block.tokens for part in _texts(token)]
    return " ".join(" ".join(parts).split())


def _texts(token: Token) -> Iterator[str]:
    if token.children is None:
        yield token.content
    else:
        yield "".join(" " if "break" in child.type else child.content for child in token.children)


async def render(request: web.Request) -> web.StreamResponse:
    try:
        body = await request.json()
        text = body["markdown"]
        if not isinstance(text, str):
            raise TypeError
    except (ValueError, KeyError, TypeError):
        return web.json_response({"message": 'expected {"markdown": "..."}'}, status=422)
    renderer = request.app[RENDERER]
    # Parsing a long document takes a while: in a thread, so that others are served meanwhile.
    blocks = await asyncio.to_thread(renderer.blocks, text)
    if NDJSON in request.headers.get("Accept", ""):
        return await _stream(request, renderer, blocks)
    html = await asyncio.to_thread(lambda: [renderer.html(block) for block in blocks])
    return web.json_response(summary(blocks, html))


async def _stream(request: web.Request, renderer: Renderer, blocks: list[Block]) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": NDJSON})
    await response.prepare(request)
    rendered: list[str] = []
    for number, block in enumerate(blocks, start=1):
        html = await asyncio.to_thread(renderer.html, block)
        rendered.append(html)
        await _write_line(response, {"block": number, "kind": block.kind, "html": html})
    await _write_line(response, summary(blocks, rendered))
    await response.write_eof()
    return response


async def _write_line(response: web.StreamResponse, line: dict[str, Any]) -> None:
    await response.write(json.dumps(line, ensure_ascii=False).encode() + b"\n")


async def health(_: web.Request) -> web.Response:
    return web.json_response({"status": "ok"})


RENDERER = web.AppKey("renderer", Renderer)


def application() -> web.Application:
    app = web.Application(client_max_size=MAX_BODY_BYTES)
    app[RENDERER] = Renderer()
    app.add_routes([web.post("/render", render), web.get("/healthz", health)])
    return app


def main() -> None:
    parser = argparse.ArgumentParser(description="Markdown to HTML over HTTP")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8091, help="0 takes a free one (default: 8091)")
    arguments = parser.parse_args()
    try:
        listener = socket.create_server((arguments.host, arguments.port))
    except OSError as error:
        reason = os.strerror(error.errno or 0)
        sys.exit(f"markdown service: no listening on {arguments.host}:{arguments.port}: {reason}")
    # The first line on standard output is the address: who asked for port 0 wants to know.
    sys.stdout.write(f"http://{arguments.host}:{listener.getsockname()[1]}\n")
    sys.stdout.flush()
    # handler_cancellation: when the caller hangs up, the rest of its document is not rendered.
    web.run_app(application(), sock=listener, handler_cancellation=True, access_log=None, print=None)


if __name__ == "__main__":
    main()
