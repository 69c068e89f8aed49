"""The other end of a connection, as people write it."""

from __future__ import annotations

_MAPPED = "[::ffff:"


def plain_peer(peer: str) -> str:
    """`ip:port` for an IPv4 client that a listener for both families sees as `[::ffff:ip]:port`."""
    if not peer.startswith(_MAPPED) or "." not in peer:
        return peer
    host, _, port = peer.removeprefix(_MAPPED).partition("]")
    return host + port
