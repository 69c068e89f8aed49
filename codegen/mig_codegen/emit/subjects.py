"""What the templates of subjects and the gRPC service print."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from mig_codegen.emit.names import snake
from mig_codegen.emit.prose import summary
from mig_codegen.emit.protobuf import proto_stem
from mig_codegen.model import Channel, Model, Operation

_TENANT = "tenant"


@dataclass(frozen=True, kw_only=True)
class SubjectView:
    """One NATS channel. `parameter` is "" where there is none beside the tenant, `subscription` where no
    server subscribes; `message` and `field` say whose bounds the parameter has.
    """

    operation: str
    function: str
    literals: str
    parameter: str
    constant: str
    message: str
    field: str
    subscription: str
    doc: str


@dataclass(frozen=True, kw_only=True)
class RpcView:
    """One gRPC method."""

    operation: str
    method: str
    path: str
    shape: str
    request: str
    response: str
    pb_request: str
    pb_response: str
    from_pb: str
    to_pb: str
    doc: str


def subject_views(model: Model) -> dict[str, Any]:
    """The names that the subjects template uses."""
    channels = [one for one in model.channels if one.protocol == "nats"]
    subjects = [_subject(model, channel) for channel in channels]
    return {
        "subject_root": _split(channels[0])[0],
        "subjects": subjects,
        "subject_messages": sorted({one.message for one in subjects if one.parameter} | {"RequestHeader"}),
    }


def rpc_views(model: Model) -> dict[str, Any]:
    """The names that the gRPC template uses."""
    rpcs = [_rpc(model, one) for one in model.operations if one.rpc is not None]
    carried = [(one.grpc, one.field) for one in model.header_carriers if one.grpc is not None]
    return {
        "rpcs": rpcs,
        "rpc_messages": sorted(
            {name for one in rpcs for name in (one.request, one.response)} | {"ErrorEnvelope"}
        ),
        "pb_module": proto_stem(model),
        "grpc_carried": carried,
        "proto_package": model.proto_package,
    }


def subscription(channel: Channel) -> str:
    """What a server subscribes to for the channel, over all tenants."""
    root, literals = _split(channel)
    return f"{root}.*.{literals}{'.>' if _parameter(channel) else ''}"


def _parameter(channel: Channel) -> str:
    return next((one for one in channel.parameters if one != _TENANT), "")


def _subject(model: Model, channel: Channel) -> SubjectView:
    _, literals = _split(channel)
    operation = _operation_on(model, channel)
    parameter = _parameter(channel)
    says = {"to": "ask for"} if channel.receives else {"to": "follow"}
    return SubjectView(
        operation=operation.id,
        function=snake(channel.id),
        literals=literals,
        parameter=parameter,
        constant=parameter.upper(),
        message=operation.request or "",
        field=operation.path_fields.get(parameter, parameter),
        subscription=subscription(channel) if channel.receives else "",
        doc=f"The subject to {says['to']} {operation.id}: {channel.address}.",
    )


def _operation_on(model: Model, channel: Channel) -> Operation:
    """The operation whose requests come in on the channel, else the one whose answers go out on it."""
    here = [one for one in model.operations if one.channel is not None and one.channel.id == channel.id]
    asked = [one for one in here if one.request in channel.receives]
    return (asked or here)[0]


def _split(channel: Channel) -> tuple[str, str]:
    """("mig.v0_1", "invoke") for "mig.v0_1.{tenant}.invoke.{capability}"."""
    root, _, rest = channel.address.partition(f".{{{_TENANT}}}.")
    return root, rest.partition(".{")[0]


def _rpc(model: Model, operation: Operation) -> RpcView:
    rpc = operation.rpc
    if rpc is None:
        raise ValueError(f"{operation.id} has no RPC")
    request = operation.request or model.message(rpc.request).request_schema
    return RpcView(
        operation=operation.id,
        method=operation.method,
        path=rpc.path,
        shape=operation.shape,
        request=request,
        response=operation.response,
        pb_request=rpc.request,
        pb_response=rpc.response,
        from_pb=f"{snake(request)}_from_pb",
        to_pb=f"{snake(operation.response)}_to_pb",
        doc=f"{operation.id}: {summary(operation)}",
    )
