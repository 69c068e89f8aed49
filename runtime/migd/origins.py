"""Which pages in a browser may call the gateway, and by which names it is called.

A browser on a machine that reaches the gateway lends that reach to every page that is open in it. It says
with each call where the page came from (Fetch standard, 3.2 and Fetch Metadata), which no page can forge;
programs say nothing of the kind and are let through.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from ipaddress import ip_address

from mig_protocol.errors import MigFault
from mig_protocol.messages import MigErrorCode

ANY = "*"
# Names that nobody can register and point at another's machine: RFC 6761, 6762, 8375 and ICANN's .internal.
_NOBODYS = (".localhost", ".local", ".internal", ".home.arpa", ".test")
_DEFAULT_PORTS = {"http": ":80", "https": ":443"}
_SHOWN = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Origins:
    """`listed` are the origins, such as `https://app.example.com`, whose pages may call beside the gateway's
    own. `hosts` are the names with a dot that it is called by, `ANY` for whichever.
    """

    listed: frozenset[str]
    hosts: frozenset[str]

    def check(self, host: str, origin: str | None, site: str | None) -> bool:
        """Whether the page that calls is of a listed origin; False for the gateway's own and for programs.

        `host`, `origin` and `site` are the header fields Host, Origin and Sec-Fetch-Site. Raises MigFault
        MIG_FORBIDDEN for any other page and for a name that is not the gateway's.
        """
        if not self.knows(host):
            raise _forbidden(
                f"this gateway is not called {host[:_SHOWN]}; if it is, list the name in MIGD_ALLOWED_HOSTS"
            )
        if site == "same-origin":
            return False
        if origin is None:
            if site in ("cross-site", "same-site"):
                raise _forbidden("a page of another origin may not call this gateway without saying which")
            return False
        if origin.lower() in self.listed:
            return True
        if _is_own(origin.lower(), host.lower()):
            return False
        raise _forbidden(
            f"pages of {origin[:_SHOWN]} may not call this gateway; MIGD_CORS_ORIGINS lists those that may"
        )

    def knows(self, host: str) -> bool:
        """Whether no stranger can have made a browser call this gateway by that name.

        Whoever owns a name can point it at any address, and a page from there is then of the same origin as
        the gateway (DNS rebinding). A bare address and a name without a dot can not be owned like that.
        """
        return ANY in self.hosts or not host or self._is_known(_name(host))

    def _is_known(self, name: str) -> bool:
        return "." not in name or name in self.hosts or name.endswith(_NOBODYS) or _is_address(name)


@lru_cache(maxsize=256)
def _name(host: str) -> str:
    """The name in a Host header field, without its port."""
    if host.startswith("["):
        return host.partition("]")[0].removeprefix("[").lower()
    return host.partition(":")[0].lower().removesuffix(".")


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True


def _is_own(origin: str, host: str) -> bool:
    """Behind a proxy that ends TLS the scheme is not known here, so that it does not count."""
    scheme, _, authority = origin.partition("://")
    port = _DEFAULT_PORTS.get(scheme, "")
    return bool(authority) and authority.removesuffix(port) == host.removesuffix(port)


def _forbidden(message: str) -> MigFault:
    return MigFault(MigErrorCode.MIG_FORBIDDEN, message)
