# Generated from spec/ by `make generate`. Do not edit: change the spec or codegen/ and generate again.
"""One gRPC call, as plain values that no gRPC library defines."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from mig_protocol import codec
from mig_protocol.carried import carried_value, carrier
from mig_protocol.messages import RequestHeader

Metadata = Sequence[tuple[str, str | bytes]]

_CARRIERS: Final = {
    "x-tenant-id": carrier("x-tenant-id", "tenant_id"),
    "traceparent": carrier("traceparent", "traceparent"),
}
# What of the metadata anything here looks at; the rest is passed over in one look each.
_READ: Final = frozenset(_CARRIERS) | {"authorization"}


class GrpcExchange:
    """One RPC. `path` is such as "/mig.v0_1.Invocation/Invoke", `operation` such as "INVOKE"; names in
    `metadata` are lower case, as gRPC has them. `peer` is the other end as gRPC names it, "" where nobody
    asks. `time_left_s` is what the client's gRPC deadline leaves, in seconds; None: it set none.
    `wire_bytes` is the length of the first request message. `carried` is what the metadata says of the message
    header and `tenant` its valid x-tenant-id, both None until `read_carried`; once a unary request is read,
    `carried` is the whole header of the request.
    """

    __slots__ = (
        "carried",
        "fields",
        "operation",
        "path",
        "peer",
        "repeated",
        "tenant",
        "time_left_s",
        "wire_bytes",
    )

    def __init__(
        self,
        path: str,
        operation: str,
        metadata: Metadata,
        peer: str = "",
        *,
        time_left_s: float | None = None,
        wire_bytes: int = 0,
    ) -> None:
        self.path = path
        self.operation = operation
        self.peer = peer
        self.time_left_s = time_left_s
        self.wire_bytes = wire_bytes
        self.tenant: str | None = None
        self.carried: RequestHeader | None = None
        self.repeated = ""
        self.fields: dict[str, str] = {}
        for name, value in metadata:
            if name in _READ and isinstance(value, str) and self.fields.setdefault(name, value) != value:
                self.repeated = name

    @property
    def authorization(self) -> str | None:
        """The credential that the metadata carries."""
        return self.fields.get("authorization")

    def read_carried(self) -> None:
        """Set `carried` and `tenant`.

        Raises MigFault MIG_INVALID_REQUEST for a value out of bounds and for a key given twice with different
        values.
        """
        if self.repeated:
            why = "given more than once"
            raise codec.refusal(f"the metadata {self.repeated} is {why}", "", why)
        for name, text in self.fields.items():
            place = _CARRIERS.get(name)
            if place is None:
                continue
            value = carried_value(place, text)
            self.carried = self.carried or RequestHeader()
            setattr(self.carried, place.field, value)
            if place.field == "tenant_id":
                self.tenant = value
