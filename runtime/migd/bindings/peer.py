"""The other end of a connection, as people write it."""

from __future__ import annotations

from urllib.parse import unquote

_MAPPED = "[::ffff:"


def plain_peer(peer: str) -> str:
    """`ip:port` for an IPv4 client that a listener for both families sees as `[::ffff:ip]:port`."""
    if not peer.startswith(_MAPPED) or "." not in peer:
        return peer
    host, _, port = peer.removeprefix(_MAPPED).partition("]")
    return host + port


def grpc_peer(peer: str) -> str:
    """The same for a peer as gRPC names it: `ipv4:127.0.0.1:50000`, `ipv6:%5B::1%5D:50000`."""
    family, _, address = peer.partition(":")
    return plain_peer(unquote(address)) if family in ("ipv4", "ipv6") else peer
