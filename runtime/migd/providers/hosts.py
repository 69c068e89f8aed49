"""Where providers may be called: the operator's list, and what no list is needed to keep out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

# Beside link-local addresses: where clouds hand out credentials to whoever asks from within a machine.
_METADATA = frozenset(map(ip_address, ("100.100.100.200", "192.0.0.192", "fd00:ec2::254")))


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderHosts:
    """`names` are hosts, or `host:port` for one port of it; `networks` are addresses. With neither, every
    address may be called but link-local ones and clouds' metadata services, which have to be listed.
    """

    names: frozenset[str] = frozenset()
    networks: tuple[IPv4Network | IPv6Network, ...] = ()

    @classmethod
    def of(cls, entries: Iterable[str]) -> ProviderHosts:
        """From entries such as `10.0.0.0/8`, `models.internal` and `localhost:9000`, in lower case."""
        names, networks = set(), []
        for entry in entries:
            try:
                networks.append(ip_network(entry.strip("[]"), strict=False))
            except ValueError:
                names.add(entry)
        return cls(names=frozenset(names), networks=tuple(networks))

    def obstacle(self, host: str, port: int, address: str | None = None) -> str | None:
        """Why `host` must not be called, or None. `address` is what its name stands for at this moment, None
        where it is not known: it decides, since a name can stand for anything.
        """
        plain = _address(address if address is not None else host)
        if plain is not None and any(plain in network for network in self.networks):
            return None
        if plain is not None and (plain.is_link_local or plain in _METADATA):
            return f"{plain} is link-local, or a cloud's metadata service: MIGD_PROVIDER_HOSTS has to list it"
        if self._lists_name(host, port) or not (self.names or self.networks):
            return None
        if plain is None and self.networks:
            return None
        return f"MIGD_PROVIDER_HOSTS does not list {host}:{port}"

    def _lists_name(self, host: str, port: int) -> bool:
        shown = f"[{host}]" if ":" in host else host.lower().removesuffix(".")
        return shown in self.names or f"{shown}:{port}" in self.names


UNLISTED = ProviderHosts()


def _address(text: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address
