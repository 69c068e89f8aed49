"""Stream frames over a WebSocket (protocol section 4)."""

from __future__ import annotations

import msgspec
from msgspec import UNSET, UnsetType

from mig_protocol.asgi import WebSocketClosedError, WebSocketPeer
from mig_protocol.codec import decoder, encode
from mig_protocol.errors import MigFault
from mig_protocol.messages import (
    ConnectionKind,
    FrameKind,
    RequestFrame,
    RequestHeader,
    StreamFrame,
    StreamId,
)
from migd.bindings.peer import plain_peer
from migd.bindings.websocket_credential import FirstFrames, chosen_subprotocol, credential
from migd.core.call import ANONYMOUS, Call, Principal
from migd.core.gateway import Gateway
from migd.core.sessions import StreamSession

_GOING_AWAY = 1001
_POLICY_VIOLATION = 1008  # RFC 6455, 7.4.1


class _Named(msgspec.Struct):
    """All that is wanted of a frame that is not valid. What is no stream id can not be answered on."""

    stream_id: StreamId | UnsetType = UNSET


_decode_frame = decoder(RequestFrame)
_decode_name = msgspec.json.Decoder(_Named).decode


class WebSocketBinding:
    """One session of the gateway for each connection."""

    def __init__(self, gateway: Gateway, *, auth_timeout_s: float) -> None:
        self._gateway = gateway
        self._first_frames = FirstFrames(gateway.authenticate, timeout_s=auth_timeout_s)
        self._peers: set[WebSocketPeer] = set()

    async def serve(self, peer: WebSocketPeer) -> None:
        """Runs as long as the connection does; its work has ended when this returns.

        Raises MigFault before the upgrade when the caller is refused.
        """
        if self._first_frames.announced(peer):
            await self._serve_announced(peer)
            return
        principal = self._gateway.authenticate(credential(peer), peer.exchange.certificate)
        await self._serve(peer, self._call(peer, principal), None)

    async def end(self) -> None:
        """The gateway is going down and every stream has had its terminal frame: close what is open."""
        for peer in list(self._peers):
            await peer.close(_GOING_AWAY, "the gateway is going down")

    async def _serve_announced(self, peer: WebSocketPeer) -> None:
        self._peers.add(peer)
        try:
            await peer.accept(chosen_subprotocol(peer))
            found = await self._first_frames.principal(peer)
            if found is not None:
                principal, frame = found
                await self._serve(peer, self._call(peer, principal), frame)
        except MigFault as fault:
            await peer.send(encode(self._refusal(peer, fault)))
            await peer.close(_POLICY_VIOLATION, fault.code.value)
        finally:
            self._peers.discard(peer)

    async def _serve(self, peer: WebSocketPeer, call: Call, authenticated_by: RequestFrame | None) -> None:
        """Raises MigFault when the connection is one too many, or its first frame is of another tenant."""

        async def send(frame: StreamFrame) -> None:
            try:
                await peer.send(encode(frame))
            except WebSocketClosedError:
                # Not the stream's failure: `receive` tells of it too, and the session is closed there.
                return

        session = self._gateway.open_session(call, send, ConnectionKind.ws_stream)
        self._peers.add(peer)
        try:
            if authenticated_by is None:
                await peer.accept(chosen_subprotocol(peer))
            else:
                await session.welcome(authenticated_by)
            await _relay(peer, session)
        finally:
            self._peers.discard(peer)
            await session.close()

    def _call(self, peer: WebSocketPeer, principal: Principal) -> Call:
        return Call(
            principal=principal,
            binding="websocket",
            tenant=peer.exchange.tenant,
            peer=plain_peer(peer.peer),
        )

    def _refusal(self, peer: WebSocketPeer, fault: MigFault) -> StreamFrame:
        header = self._gateway.envelope("STREAM", fault, self._call(peer, ANONYMOUS)).header
        return StreamFrame(
            header=header,
            stream_id=f"stream-{header.message_id}",
            kind=FrameKind.error,
            end_stream=True,
            error=fault.error(),
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
