"""Stream frames over a WebSocket (protocol section 4)."""

from __future__ import annotations

import msgspec
from msgspec import UNSET, UnsetType

from mig_protocol.asgi import WebSocketClosedError, WebSocketPeer
from mig_protocol.codec import decoder, encode
from mig_protocol.errors import MigFault
from mig_protocol.messages import ConnectionKind, RequestFrame, RequestHeader, StreamFrame, StreamId
from migd.bindings.peer import plain_peer
from migd.core.call import Call
from migd.core.gateway import Gateway
from migd.core.sessions import StreamSession

# A browser can set no header field on a handshake: the credential may come as a subprotocol instead.
SUBPROTOCOL = "mig.v0.1"
_BEARER_SUBPROTOCOL = "mig.bearer."
_GOING_AWAY = 1001


class _Named(msgspec.Struct):
    """All that is wanted of a frame that is not valid. What is no stream id can not be answered on."""

    stream_id: StreamId | UnsetType = UNSET


_decode_frame = decoder(RequestFrame)
_decode_name = msgspec.json.Decoder(_Named).decode


class WebSocketBinding:
    """One session of the gateway for each connection."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._peers: set[WebSocketPeer] = set()

    async def serve(self, peer: WebSocketPeer) -> None:
        """Runs as long as the connection does; its work has ended when this returns.

        Raises MigFault before the upgrade when the caller is refused.
        """

        async def send(frame: StreamFrame) -> None:
            try:
                await peer.send(encode(frame))
            except WebSocketClosedError:
                # Not the stream's failure: `receive` tells of it too, and the session is closed there.
                return

        session = self._gateway.open_session(self._call(peer), send, ConnectionKind.ws_stream)
        self._peers.add(peer)
        try:
            await peer.accept(SUBPROTOCOL if SUBPROTOCOL in peer.subprotocols else None)
            await _relay(peer, session)
        finally:
            self._peers.discard(peer)
            await session.close()

    async def end(self) -> None:
        """The gateway is going down and every stream has had its terminal frame: close what is open."""
        for peer in list(self._peers):
            await peer.close(_GOING_AWAY, "the gateway is going down")

    def _call(self, peer: WebSocketPeer) -> Call:
        return Call(
            principal=self._gateway.authenticate(_credential(peer)),
            binding="websocket",
            tenant=peer.exchange.tenant,
            peer=plain_peer(peer.peer),
        )


async def _relay(peer: WebSocketPeer, session: StreamSession) -> None:
    carried = peer.exchange.carried
    while (message := await peer.receive()) is not None:
        data = message.encode() if isinstance(message, str) else message
        try:
            frame = _decode_frame(data)
        except MigFault as fault:
            await session.refuse(fault, _name_in(data))
        else:
            if carried is not None:
                frame.header = _inherited(frame.header, carried)
            await session.receive(frame, len(data))


def _inherited(header: RequestHeader | UnsetType, handshake: RequestHeader) -> RequestHeader:
    """A frame's header with what the handshake says of the whole connection; the frame's own values win."""
    own = RequestHeader() if header is UNSET else header
    own.traceparent = handshake.traceparent if own.traceparent is UNSET else own.traceparent
    own.session_id = handshake.session_id if own.session_id is UNSET else own.session_id
    return own


def _name_in(data: bytes) -> str:
    """The stream that a malformed frame means, if it still says so."""
    try:
        return _decode_name(data).stream_id or ""
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return ""


def _credential(peer: WebSocketPeer) -> str | None:
    if peer.exchange.authorization is not None:
        return peer.exchange.authorization
    for offered in peer.subprotocols:
        if offered.startswith(_BEARER_SUBPROTOCOL):
            return f"Bearer {offered.removeprefix(_BEARER_SUBPROTOCOL)}"
    return None
