"""The other gateways on the same NATS, as far as a CANCEL needs them (protocol section 6).

A CANCEL over NATS reaches every gateway, and the caller gets one answer: that of the gateway that runs or
ran the target. Where none does, and where the request is refused, each would say the same, and one of them
is to say it.
"""

from __future__ import annotations

from typing import Protocol


class Peers(Protocol):
    async def answers_for_all(self, tenant_id: str, target: str) -> bool:
        """Whether it is this gateway that tells the caller what every gateway would say about the target."""


class NoPeers:
    """A gateway that knows of no others."""

    async def answers_for_all(self, tenant_id: str, target: str) -> bool:  # noqa: ARG002 - the port's signature
        return True
