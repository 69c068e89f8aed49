"""What the pages ask of the gateway. Everything else they show, the browser gets over the public API."""

from __future__ import annotations

from typing import Protocol

from mig_protocol.errors import MigFault
from mig_protocol.messages import ErrorEnvelope
from migd.core.call import Call, Principal
from migd.core.provider import JsonObject


class PagesGateway(Protocol):
    """The part of `migd.core.gateway.Gateway` that the pages use."""

    def authenticate(self, authorization: str | None, certificate: str | None = None) -> Principal:
        """Who is asking, by a token or the client's certificate as PEM.

        Raises MigFault MIG_UNAUTHORIZED or MIG_FORBIDDEN.
        """

    def input_schema(self, call: Call, capability: str) -> JsonObject | None:
        """The JSON Schema of the capability's payload; None where it has none.

        Raises MigFault as INVOKE would: no tenant or another's, a capability that the caller can not see.
        """

    def envelope(self, operation: str, fault: MigFault, call: Call | None) -> ErrorEnvelope:
        """The answer to a failed request, counted and logged."""
