# Generated from spec/ by `make generate`. Do not edit: change the spec or codegen/ and generate again.
"""What a server implements to serve MIG over NATS: one method per operation, and the table of where they are.

No NATS library is known here.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Mapping
from types import MappingProxyType
from typing import Any, Final, NamedTuple

import msgspec

from mig_protocol.errors import MigFault
from mig_protocol.messages import (
    CancelAck,
    CancelRequest,
    DiscoverRequest,
    DiscoverResponse,
    ErrorEnvelope,
    HeartbeatAck,
    HeartbeatRequest,
    HelloRequest,
    HelloResponse,
    InvokeRequest,
    InvokeResponse,
    PublishAck,
    PublishRequest,
    RequestHeader,
    StreamAccepted,
)

_NOTHING: Final[Mapping[str, str]] = MappingProxyType({})


class NatsExchange:
    """One request. `operation` (such as "INVOKE") is the one whose subscription brought it, `fields` are its
    NATS headers.

    `tenant` is the subject's and `parameter` what else it names (a capability, a topic, a message id), both
    "" until the subject is read; `carried` is what the NATS headers say of the message header, None until
    they are read or where they say nothing; once the body is read, the whole header of the request.
    `wire_bytes` is the length of the body.
    """

    __slots__ = ("carried", "fields", "operation", "parameter", "subject", "tenant", "wire_bytes")

    def __init__(
        self, operation: str, subject: str, fields: Mapping[str, str] | None, wire_bytes: int
    ) -> None:
        self.operation = operation
        self.subject = subject
        self.fields = fields or _NOTHING
        self.wire_bytes = wire_bytes
        self.tenant = ""
        self.parameter = ""
        self.carried: RequestHeader | None = None

    @property
    def authorization(self) -> str | None:
        """The NATS header Authorization, or None."""
        return self.fields.get("Authorization")

    @property
    def stream_id(self) -> str | None:
        """The NATS header stream_id, or None."""
        return self.fields.get("stream_id")


class NatsService(ABC):
    """One method per operation, each taking the checked request and giving the answer or an awaitable of it.

    A method refuses by raising MigFault; anything else that it raises is answered as MIG_INTERNAL. A plain
    value is answered at once: no task and no coroutine is made for it.
    """

    @abstractmethod
    def failed(self, exchange: NatsExchange, fault: MigFault) -> ErrorEnvelope:
        """The envelope of a refusal. Called exactly once per failed exchange, whatever failed.

        For MIG_INTERNAL `fault.__cause__` is the exception that was not expected; it is for the log only.
        """

    @abstractmethod
    def hello(
        self, exchange: NatsExchange, request: HelloRequest
    ) -> HelloResponse | Awaitable[HelloResponse]:
        """HELLO: Agree on version, binding and features."""

    @abstractmethod
    def discover(
        self, exchange: NatsExchange, request: DiscoverRequest
    ) -> DiscoverResponse | Awaitable[DiscoverResponse]:
        """DISCOVER: List the capabilities that the caller may see."""

    @abstractmethod
    def invoke(
        self, exchange: NatsExchange, request: InvokeRequest
    ) -> InvokeResponse | StreamAccepted | Awaitable[InvokeResponse | StreamAccepted]:
        """INVOKE: Call a capability and wait for its answer."""

    @abstractmethod
    def publish(self, exchange: NatsExchange, request: PublishRequest) -> PublishAck | Awaitable[PublishAck]:
        """PUBLISH: Append an event to a topic."""

    @abstractmethod
    def cancel(
        self, exchange: NatsExchange, request: CancelRequest
    ) -> CancelAck | Awaitable[CancelAck | None]:
        """CANCEL: Stop an invocation.

        Every server receives it. Give None where another one answers.
        """

    @abstractmethod
    def heartbeat(
        self, exchange: NatsExchange, request: HeartbeatRequest
    ) -> HeartbeatAck | Awaitable[HeartbeatAck]:
        """HEARTBEAT: Say that one is alive and learn how busy the server is."""


class Served(NamedTuple):
    """One operation. `subject` is what a server subscribes to for all tenants, `queue` the queue group that it
    does so in, "" where every server is to receive every request. `method` is that of NatsService; `answers`
    are the types of its plain values.
    """

    operation: str
    method: str
    subject: str
    queue: str
    request: type[msgspec.Struct]
    answers: tuple[type[Any], ...]
    parameter: str
    bound_field: str


SERVED: Final = (
    Served(
        operation="HELLO",
        method="hello",
        subject="mig.v0_1.*.hello",
        queue="mig-gateways",
        request=HelloRequest,
        answers=(HelloResponse,),
        parameter="",
        bound_field="",
    ),
    Served(
        operation="DISCOVER",
        method="discover",
        subject="mig.v0_1.*.discover",
        queue="mig-gateways",
        request=DiscoverRequest,
        answers=(DiscoverResponse,),
        parameter="",
        bound_field="",
    ),
    Served(
        operation="INVOKE",
        method="invoke",
        subject="mig.v0_1.*.invoke.>",
        queue="mig-gateways",
        request=InvokeRequest,
        answers=(
            InvokeResponse,
            StreamAccepted,
        ),
        parameter="capability",
        bound_field="capability",
    ),
    Served(
        operation="PUBLISH",
        method="publish",
        subject="mig.v0_1.*.events.>",
        queue="mig-gateways",
        request=PublishRequest,
        answers=(PublishAck,),
        parameter="topic",
        bound_field="topic",
    ),
    Served(
        operation="CANCEL",
        method="cancel",
        subject="mig.v0_1.*.control.cancel.>",
        queue="",
        request=CancelRequest,
        answers=(CancelAck,),
        parameter="message_id",
        bound_field="target_message_id",
    ),
    Served(
        operation="HEARTBEAT",
        method="heartbeat",
        subject="mig.v0_1.*.control.heartbeat",
        queue="mig-gateways",
        request=HeartbeatRequest,
        answers=(HeartbeatAck,),
        parameter="",
        bound_field="",
    ),
)
