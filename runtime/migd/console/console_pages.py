"""/ui: the console's page, and the one thing that it can not get over the public API."""

from __future__ import annotations

from jinja2 import Environment
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from mig_protocol import MIG_VERSION
from mig_protocol.asgi import client_certificate
from mig_protocol.codec import encode
from mig_protocol.messages import ConnectionKind, ConnectionProtocol
from mig_protocol.operations import FEATURES, PROFILES
from migd.console.port import PagesGateway
from migd.console.sample import sample_payload
from migd.core.call import Call
from migd.version import __version__


class ConsolePages:
    """The page is the same for everyone: the rights are checked where its scripts ask for data."""

    def __init__(
        self, gateway: PagesGateway, templates: Environment, *, auth_mode: str, warning: str
    ) -> None:
        self._gateway = gateway
        self._page = templates.get_template("console.html").render(
            auth_mode=auth_mode,
            warning=warning,
            version=__version__,
            mig_version=MIG_VERSION,
            features=list(FEATURES),
            profiles=PROFILES,
            kinds=[kind.value for kind in ConnectionKind],
            protocols=[protocol.value for protocol in ConnectionProtocol],
        )

    async def page(self, _request: Request) -> Response:
        return HTMLResponse(self._page)

    async def capability_input(self, request: Request) -> Response:
        """`{capability, schema, sample}`; `schema` is absent where there is none.

        Raises MigFault for a caller who could not invoke the capability.
        """
        capability = request.path_params["capability"]
        schema = self._gateway.input_schema(self._call(request), capability)
        answer = {"capability": capability, "sample": await run_in_threadpool(sample_payload, schema)}
        if schema is not None:
            answer["schema"] = schema
        return Response(encode(answer), media_type="application/json")

    def _call(self, request: Request) -> Call:
        principal = self._gateway.authenticate(
            request.headers.get("authorization"), client_certificate(request.scope)
        )
        return Call(principal=principal, binding="http", tenant=request.headers.get("x-tenant-id"))
