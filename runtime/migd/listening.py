"""The listening socket, taken before anything is loaded, so that a mistake is told at once."""

from __future__ import annotations

import errno
import socket
from ipaddress import ip_address

from migd.setting_values import Address

_BACKLOG = 2048
_REASONS = {
    errno.EADDRINUSE: "the port is in use; stop what has it or choose another with {setting}",
    errno.EACCES: "listening there needs more rights; choose a port above 1023",
    errno.EADDRNOTAVAIL: "this machine has no such address",
}


class ListenError(Exception):
    """The address can not be listened on. Its text is one line that says why and what to do."""


def listen(address: Address, setting: str = "--addr or MIGD_ADDR") -> socket.socket:
    """A TCP socket that listens there; on IPv4 and IPv6 alike where the address names no host.

    Raises ListenError, which names the `setting` to change.
    """
    try:
        listener = _bind(address)
        # Inherited by every connection. The event loop would set it, but not on sockets made like this one,
        # and without it an answer in two writes waits for the client's delayed acknowledgement.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return listener
    except socket.gaierror as error:
        raise ListenError(f"can not listen on {address}: no such host ({error.strerror})") from error
    except OSError as error:
        reason = _REASONS.get(error.errno or 0, error.strerror or str(error)).format(setting=setting)
        raise ListenError(f"can not listen on {address}: {reason}") from error


def reachable_url(listener: socket.socket, *, tls: bool = False) -> str:
    """How a browser on this machine reaches it."""
    host, port = listener.getsockname()[:2]
    if ip_address(host).is_unspecified:
        host = "127.0.0.1"
    scheme = "https" if tls else "http"
    return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"


def _bind(address: Address) -> socket.socket:
    if not address.host:
        return _every_interface(address.port)
    family, _, _, _, target = socket.getaddrinfo(
        address.host, address.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    return socket.create_server(target, family=family, backlog=_BACKLOG)


def _every_interface(port: int) -> socket.socket:
    if socket.has_dualstack_ipv6():
        try:
            return socket.create_server(
                ("", port), family=socket.AF_INET6, dualstack_ipv6=True, backlog=_BACKLOG
            )
        except OSError as error:
            # IPv6 may be compiled in and switched off.
            if error.errno not in (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT):
                raise
    return socket.create_server(("", port), backlog=_BACKLOG)
