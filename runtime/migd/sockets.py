"""How many TCP connections there may be, in all and from one address."""

from __future__ import annotations

from collections import Counter

from mig_protocol.errors import MigFault
from mig_protocol.messages import MigErrorCode

_RETRY_S = 5.0


class Sockets:
    """Counts what is open. `most_per_address` 0 is no limit: behind a proxy, all have its address."""

    def __init__(self, most: int, most_per_address: int) -> None:
        self._most = most
        self._most_per_address = most_per_address
        self._open = 0
        self._by_address: Counter[str] = Counter()

    def opened(self, address: str) -> MigFault | None:
        """One more, which `closed` must be told the end of; why it is to be refused, if it is."""
        self._open += 1
        self._by_address[address] += 1
        if self._open > self._most:
            message = f"the gateway has its limit of {self._most} connections"
            return MigFault(MigErrorCode.MIG_BACKPRESSURE, message, retry_after_s=_RETRY_S)
        if 0 < self._most_per_address < self._by_address[address]:
            message = f"this address has its limit of {self._most_per_address} connections"
            return MigFault(MigErrorCode.MIG_RATE_LIMITED, message, retry_after_s=_RETRY_S)
        return None

    def closed(self, address: str) -> None:
        """One less."""
        self._open -= 1
        self._by_address[address] -= 1
        if not self._by_address[address]:
            del self._by_address[address]
