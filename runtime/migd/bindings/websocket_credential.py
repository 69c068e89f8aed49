"""Where the credential of a WebSocket comes from: its handshake, or else its first frame (MIG-AUT-009).

A browser can set no header field on a handshake. Its page offers the token as a subprotocol, or, where a
token does not belong into what proxies log, offers AUTHENTICATE and sends the token in a frame.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from msgspec import UNSET

from mig_protocol.asgi import WebSocketPeer
from mig_protocol.codec import decoder
from mig_protocol.errors import MigFault
from mig_protocol.messages import FrameKind, MigErrorCode, RequestFrame
from migd.core.call import Principal

SUBPROTOCOL = "mig.v0.1"
AUTHENTICATE = "mig.authenticate"
_BEARER = "mig.bearer."
# A token has 8192 characters at the most; whoever sends more before saying who they are is not listened to.
_MAX_FRAME = 16_384
# Connections that have not said yet who they are; they belong to no tenant whose limit could count them.
_MAX_PENDING = 256
_decode_frame = decoder(RequestFrame)

Authenticate = Callable[[str | None, str | None], Principal]


def chosen_subprotocol(peer: WebSocketPeer) -> str | None:
    """What the server answers with: never the token."""
    return next((name for name in (SUBPROTOCOL, AUTHENTICATE) if name in peer.subprotocols), None)


def credential(peer: WebSocketPeer) -> str | None:
    """What the handshake says; the header field wins over the subprotocol."""
    if peer.exchange.authorization is not None:
        return peer.exchange.authorization
    for offered in peer.subprotocols:
        if offered.startswith(_BEARER):
            return f"Bearer {offered.removeprefix(_BEARER)}"
    return None


class FirstFrames:
    """Connections that announced their credential for the first frame, until they have sent it."""

    def __init__(self, authenticate: Authenticate, *, timeout_s: float) -> None:
        self._authenticate = authenticate
        self._timeout_s = timeout_s
        self._pending = 0

    def announced(self, peer: WebSocketPeer) -> bool:
        """Whether to wait for one. Raises MigFault MIG_BACKPRESSURE while too many are waited for."""
        if AUTHENTICATE not in peer.subprotocols or credential(peer) is not None:
            return False
        if self._pending >= _MAX_PENDING:
            raise MigFault(
                MigErrorCode.MIG_BACKPRESSURE,
                "too many connections have not said yet who they are",
                retry_after_s=1.0,
            )
        return True

    async def principal(self, peer: WebSocketPeer) -> tuple[Principal, RequestFrame] | None:
        """The caller and the frame that says so; None when the connection ended first.

        Raises MigFault MIG_UNAUTHORIZED for anything else than a good token in the first frame, in time.
        """
        self._pending += 1
        try:
            async with asyncio.timeout(self._timeout_s):
                message = await peer.receive()
        except TimeoutError:
            raise _unauthorized(f"no token came within {self._timeout_s:g} seconds") from None
        finally:
            self._pending -= 1
        if message is None:
            return None
        frame, token = _token(message)
        return self._authenticate(f"Bearer {token}", peer.exchange.certificate), frame


def _token(message: str | bytes) -> tuple[RequestFrame, str]:
    data = message.encode() if isinstance(message, str) else message
    wanted = 'the first frame must be control, with payload.action "authenticate" and payload.token'
    if len(data) > _MAX_FRAME:
        raise _unauthorized(wanted)
    try:
        frame = _decode_frame(data)
    except MigFault:
        raise _unauthorized(wanted) from None
    payload = {} if frame.payload is UNSET else frame.payload
    token = payload.get("token")
    if (
        frame.kind is not FrameKind.control
        or payload.get("action") != "authenticate"
        or not isinstance(token, str)
    ):
        raise _unauthorized(wanted)
    return frame, token


def _unauthorized(message: str) -> MigFault:
    return MigFault(MigErrorCode.MIG_UNAUTHORIZED, message)
