"""Names of services to the addresses that may be called."""

from __future__ import annotations

import socket

from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver

from migd.providers.hosts import ProviderHosts


class ListedResolver(AbstractResolver):
    """Gives the addresses that `hosts` allows, which are then connected to: a name that stands for another
    address a moment later changes nothing. Raises OSError where there are none.
    """

    def __init__(self, hosts: ProviderHosts) -> None:
        self._hosts = hosts
        self._resolver = ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        allowed, obstacle = [], None
        for result in await self._resolver.resolve(host, port, family):
            why = self._hosts.obstacle(host, port, result["host"])
            if why is None:
                allowed.append(result)
            obstacle = obstacle or why
        if not allowed:
            raise OSError(obstacle or f"{host} has no address")
        return allowed

    async def close(self) -> None:
        await self._resolver.close()
