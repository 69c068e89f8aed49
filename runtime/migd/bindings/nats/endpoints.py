"""What has been asked for over NATS since the start, for service discovery."""

from __future__ import annotations

from dataclasses import dataclass

from mig_protocol.errors import MigFault
from mig_protocol.nats_service import Served

_LONGEST_ERROR = 300


@dataclass(slots=True)
class Endpoint:
    """One operation. Times are in nanoseconds, from the arrival of a request to its answer."""

    row: Served
    requests: int = 0
    errors: int = 0
    busy_ns: int = 0
    last_error: str = ""

    def done(self, took_ns: int, fault: MigFault | None) -> None:
        """One request has been answered, or failed with `fault`."""
        self.requests += 1
        self.busy_ns += took_ns
        if fault is not None:
            self.errors += 1
            self.last_error = str(fault)[:_LONGEST_ERROR]

    @property
    def average_ns(self) -> int:
        return self.busy_ns // self.requests if self.requests else 0
