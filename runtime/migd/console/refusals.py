"""What a request for a page is told when it can not be served."""

from __future__ import annotations

from typing import cast

from jinja2 import Environment
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from mig_protocol.codec import encode
from mig_protocol.errors import MigFault
from mig_protocol.messages import MigErrorCode
from migd.console.port import PagesGateway


class Refusals:
    """Every refusal is an ErrorEnvelope, as everywhere on this server; a browser gets it as a page."""

    def __init__(self, gateway: PagesGateway, templates: Environment) -> None:
        self._gateway = gateway
        self._template = templates.get_template("refused.html")

    def answer(self, request: Request, fault: MigFault) -> Response:
        envelope = self._gateway.envelope("", fault, None)
        status = fault.http_status
        if "text/html" in request.headers.get("accept", ""):
            return HTMLResponse(self._template.render(status=status, error=envelope.error), status)
        return Response(encode(envelope), status, media_type="application/json")

    def http_exception(self, request: Request, error: Exception) -> Response:
        """Handles Starlette's HTTPException: no such page, or a method that the page does not have."""
        refusal = cast(HTTPException, error)
        response = self.answer(request, _fault(request, refusal.status_code))
        response.headers.update(refusal.headers or {})
        return response

    def guard(self, app: ASGIApp) -> ASGIApp:
        """Middleware: a MigFault gets its status; anything else unforeseen is MIG_INTERNAL, and logged."""

        async def guarded(scope: Scope, receive: Receive, send: Send) -> None:
            try:
                await app(scope, receive, send)
            except MigFault as fault:
                await self.answer(Request(scope), fault)(scope, receive, send)
            except Exception as error:
                await self.answer(Request(scope), _internal(error))(scope, receive, send)

        return guarded


def _internal(cause: Exception) -> MigFault:
    fault = MigFault(MigErrorCode.MIG_INTERNAL, "internal error")
    fault.__cause__ = cause
    return fault


def _fault(request: Request, status: int) -> MigFault:
    path = request.url.path
    if status == 405:
        message = f"{request.method} is not a method of {path}"
        return MigFault(MigErrorCode.MIG_INVALID_REQUEST, message, variant="method_not_allowed")
    return MigFault(MigErrorCode.MIG_NOT_FOUND, f"no page at {path}")
