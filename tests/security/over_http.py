"""The places of HTTP, Server-Sent Events, the WebSocket and the pages, and how each is asked."""

from __future__ import annotations

import json
from typing import Any

import aiohttp
from starlette.routing import Mount

from mig_protocol.errors import ERRORS
from mig_protocol.http_routes import ROUTES, Route
from migd.console.application import build_application
from security.expectation import BY_ID, CALLERS, Credential, Place, place_of
from security.matrix import Naming, Outcome, namings
from security.requests import ADMINISTRATION, FIELDS, PATH_VALUES, message
from support.running_migd import LocalMigd

_STATUS = {code.value: row.http_status for code, row in ERRORS.items()}
# Beside the protocol, so not in its registry: who may see which page (protocol section 7, "GET /ui").
_INPUT_PAGE = "/ui/capabilities/{capability}/input"
_PUBLIC_PAGES = ("/ui", "/ui/static", "/docs")


def routes() -> list[tuple[Place, list[Naming]]]:
    """All that the server routes by, the WebSocket left out."""
    return [
        (place_of(BY_ID[route.operation]), namings("field", *(["body"] if _has_header(route) else [])))
        for route in ROUTES
        if route.form != "websocket"
    ]


def websocket() -> list[tuple[Place, list[Naming]]]:
    return [
        (place_of(BY_ID[route.operation]), namings("field", "body"))
        for route in ROUTES
        if route.form == "websocket"
    ]


def pages(migd: LocalMigd) -> list[tuple[Place, list[Naming]]]:
    """Every page that the application has. Fails for one whose rights nobody has said."""
    application: Any = build_application(migd.gateway, auth_mode="none", warning="")
    return [(_page(route), namings("field")) for route in application.routes]


def _page(route: Any) -> Place:
    path = route.path
    if path == _INPUT_PAGE:
        return Place(path, "caller", "invoke")
    assert path.startswith("/docs/") or path in _PUBLIC_PAGES, f"whose rights does {path} need?"
    return Place(f"{path}/base.css" if isinstance(route, Mount) else path, "public")


async def ask_page(migd: LocalMigd, place: Place, credential: Credential, naming: Naming) -> Outcome:
    return await _asked(migd, "GET", place.name.format(**PATH_VALUES), None, _fields(credential, naming), 200)


async def ask_route(migd: LocalMigd, place: Place, credential: Credential, naming: Naming) -> Outcome:
    route = next(route for route in ROUTES if route.operation == place.name)
    path, fields = route.template.format(**PATH_VALUES), _fields(credential, naming)
    if route.form == "events":
        return await _first_event(migd, path, fields)
    body = None
    if route.method == "POST":
        body = message(place.name, naming.get("body")) if place.name in CALLERS else ADMINISTRATION[path]
    return await _asked(migd, route.method, path, body, fields, route.status)


async def ask_websocket(migd: LocalMigd, place: Place, credential: Credential, naming: Naming) -> Outcome:
    """A handshake and, if that is let in, one invocation."""
    fields = _fields(credential, naming)
    try:
        async with migd.http.ws_connect("/mig/v0.1/stream", headers=fields) as socket:
            await socket.send_json(message(place.name, naming.get("body")))
            frames = [await socket.receive_json()]
            while not frames[-1]["end_stream"]:
                frames.append(await socket.receive_json())
            refused = frames[-1].get("error")
            return Outcome(refused["code"] if refused else "", json.dumps(frames).encode())
    except aiohttp.WSServerHandshakeError as error:
        codes = [code for code, status in _STATUS.items() if status == error.status]
        return Outcome(codes[0], str(error.headers).encode())


def _has_header(route: Route) -> bool:
    return route.operation in FIELDS and not route.from_query


def _fields(credential: Credential, naming: Naming) -> dict[str, str]:
    fields = {} if credential.value is None else {"authorization": credential.value}
    return {**fields, "x-tenant-id": naming["field"]} if "field" in naming else fields


async def _asked(
    migd: LocalMigd, method: str, path: str, body: Any, fields: dict[str, str], status: int
) -> Outcome:
    answer = await migd.request(method, path, body, **fields)
    if answer.status == status:
        return Outcome("", answer.raw)
    assert answer.status == _STATUS[answer.code], answer.raw
    return Outcome(answer.code, answer.raw)


async def _first_event(migd: LocalMigd, path: str, fields: dict[str, str]) -> Outcome:
    async with migd.http.get(f"{path}?resume_cursor=0", headers=fields) as response:
        if response.status != 200:
            raw = await response.read()
            code = json.loads(raw)["error"]["code"]
            assert response.status == _STATUS[code], raw
            return Outcome(code, raw)
        return Outcome("", await response.content.readuntil(b"\n\n"))
