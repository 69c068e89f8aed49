"""The port of the smoke checks: a server's unary operations, over whatever binding."""

from __future__ import annotations

from typing import Protocol

from mig_protocol.messages import (
    CancelAck,
    CancelRequest,
    DiscoverRequest,
    DiscoverResponse,
    HeartbeatAck,
    HeartbeatRequest,
    HelloRequest,
    HelloResponse,
    InvokeRequest,
    InvokeResponse,
    PublishAck,
    PublishRequest,
)


class Calls(Protocol):
    """Calls for one tenant, which the transport names: the metadata, the subject.

    A refusal is raised as MigFault, made of the error as it came over the wire. An answer that is not
    readable as its message is raised as FlawError, a server that is not there as ServerGoneError.
    """

    @property
    def tenant(self) -> str: ...
    async def hello(self, request: HelloRequest) -> HelloResponse: ...
    async def discover(self, request: DiscoverRequest) -> DiscoverResponse: ...
    async def invoke(self, request: InvokeRequest) -> InvokeResponse: ...
    async def publish(self, request: PublishRequest) -> PublishAck: ...
    async def cancel(self, request: CancelRequest) -> CancelAck: ...
    async def heartbeat(self, request: HeartbeatRequest) -> HeartbeatAck: ...
