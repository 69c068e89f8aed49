"""What the templates of the NATS service and its stub print."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from mig_codegen.emit.prose import summary
from mig_codegen.emit.subjects import subscription
from mig_codegen.model import Channel, Model, Operation

_ERROR = "ErrorEnvelope"
_HEADERS = "NatsHeaders"


@dataclass(frozen=True, kw_only=True)
class ServedView:
    """One operation that is asked for over NATS. `parameter` is "" where its subject names nothing beside
    the tenant, `queue` where every server receives every request.
    """

    operation: str
    method: str
    subject: str
    queue: str
    request: str
    answers: tuple[str, ...]
    parameter: str
    bound_field: str
    doc: str


@dataclass(frozen=True, kw_only=True)
class FieldView:
    """A NATS header that carries a field of the message header; `always`: every answer has it."""

    name: str
    field: str
    always: bool


def nats_views(model: Model) -> dict[str, Any]:
    """The names that the nats_* templates use."""
    served = [_served(one, one.channel) for one in model.operations if _is_asked(one) and one.channel]
    requests = {one.request for one in served}
    answers = {name for one in served for name in one.answers}
    return {
        "nats_served": served,
        "nats_fields": [
            FieldView(name=one.nats, field=one.field, always=_always(model, one.field))
            for one in model.header_carriers
            if one.nats is not None
        ],
        "nats_own_fields": _own_fields(model),
        "nats_service_messages": sorted(requests | answers | {_ERROR, "RequestHeader"}),
    }


def _is_asked(operation: Operation) -> bool:
    channel = operation.channel
    return channel is not None and operation.request in channel.receives


def _served(operation: Operation, channel: Channel) -> ServedView:
    parameter, bound_field = next(iter(operation.path_fields.items()), ("", ""))
    return ServedView(
        operation=operation.id,
        method=operation.method,
        subject=subscription(channel),
        queue=channel.queue,
        request=operation.request or "",
        answers=tuple(one for one in channel.replies if one != _ERROR),
        parameter=parameter,
        bound_field=bound_field,
        doc=f"{operation.id}: {summary(operation)}",
    )


def _always(model: Model, field: str) -> bool:
    found = model.schema("MessageHeader").property(field)
    return found is not None and found.required


def _own_fields(model: Model) -> list[str]:
    """What a request's NATS headers hold beside the fields of the message header."""
    carried = {one.nats for one in model.header_carriers}
    return [one.name for one in model.schema(_HEADERS).properties if one.name not in carried]
