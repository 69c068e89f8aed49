"""Which certificate a client showed, for whoever asks who it is.

uvicorn does not hand on what its TLS knows; here it goes the way that ASGI has for it, the extension `tls`.
Only listeners that ask clients for certificates use these classes.
"""

from __future__ import annotations

import ssl
from asyncio import BaseTransport
from typing import Any

from mig_protocol.asgi import client_certificate
from migd.http_direct import DirectHttpProtocol
from migd.websocket_protocol import CountedWebSocketProtocol


class CertifiedHttpProtocol(DirectHttpProtocol):
    """HTTP from clients with a certificate."""

    _tls: dict[str, Any]

    def connection_made(self, transport: BaseTransport) -> None:
        super().connection_made(transport)
        self._tls = _extension(transport)
        self._certificate = client_certificate({"extensions": {"tls": self._tls}})

    def make_scope(self) -> None:
        super().make_scope()
        self.scope["extensions"] = {"tls": self._tls}


class CertifiedWebSocketProtocol(CountedWebSocketProtocol):
    """WebSockets of clients with a certificate."""

    def handle_connect(self, event: Any) -> None:
        super().handle_connect(event)
        if self.response.status_code == 101:
            # Before the task that was made for the application has begun.
            extensions: Any = self.scope["extensions"]
            extensions["tls"] = _extension(self.transport)


def _extension(transport: BaseTransport) -> dict[str, Any]:
    shown = transport.get_extra_info("ssl_object").getpeercert(binary_form=True)
    return {"client_cert_chain": [ssl.DER_cert_to_PEM_cert(shown)] if shown else []}
