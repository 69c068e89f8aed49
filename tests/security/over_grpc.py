"""The places of gRPC, as the server itself lists them, and how each is asked."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

from google.protobuf.json_format import ParseDict
from grpc import aio
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from mig_protocol.grpc_server import RPCS
from mig_protocol.pb import mig_pb2 as pb
from security.expectation import BY_ID, Credential, Place, place_of
from security.matrix import Naming, Outcome, namings
from security.requests import message
from support.grpc_client import error_in

Metadata = tuple[tuple[str, str], ...]
Ask = Callable[[Any, str, Any, Metadata], Awaitable[Outcome]]
_PUBLIC_SERVICES = {"grpc.health.v1.Health", "grpc.reflection.v1alpha.ServerReflection"}


def rpcs() -> list[tuple[Place, list[Naming]]]:
    return [(place_of(BY_ID[rpc.operation]), namings("metadata", "body")) for rpc in RPCS]


async def unexpected_rpcs(channel: aio.Channel) -> set[str]:
    """What reflection finds on the server and neither RPCS nor the public services have."""
    stub: Any = reflection_pb2_grpc.ServerReflectionStub
    call = stub(channel).ServerReflectionInfo()
    await call.write(reflection_pb2.ServerReflectionRequest(list_services=""))
    services = {found.name for found in (await call.read()).list_services_response.service}
    await call.done_writing()
    methods = {
        f"/{service}/{method.name}"
        for service in services - _PUBLIC_SERVICES
        for method in pb.DESCRIPTOR.services_by_name[service.rpartition(".")[2]].methods
    }
    return methods ^ {rpc.path for rpc in RPCS}


async def ask_rpc(channel: aio.Channel, place: Place, credential: Credential, naming: Naming) -> Outcome:
    rpc = next(rpc for rpc in RPCS if rpc.operation == place.name)
    fields = message(place.name, naming.get("body"))
    if "kind" in fields:
        fields["kind"] = f"FRAME_KIND_{fields['kind'].upper()}"
    request = ParseDict(fields, rpc.request_type())
    ask: Ask = _SHAPES[rpc.shape]
    try:
        return await ask(channel, rpc.path, request, _metadata(credential, naming))
    except aio.AioRpcError as status:
        return Outcome(pb.MigErrorCode.Name(error_in(status).code), repr(status).encode())


def _metadata(credential: Credential, naming: Naming) -> Metadata:
    fields = {} if credential.value is None else {"authorization": credential.value}
    if "metadata" in naming:
        fields["x-tenant-id"] = naming["metadata"]
    return tuple(fields.items())


async def _unary(channel: Any, path: str, request: Any, metadata: Metadata) -> Outcome:
    return Outcome("", await channel.unary_unary(path)(request.SerializeToString(), metadata=metadata))


async def _first_item(channel: Any, path: str, request: Any, metadata: Metadata) -> Outcome:
    call = channel.unary_stream(path)(request.SerializeToString(), metadata=metadata)
    async for item in call:
        call.cancel()
        return Outcome("", item)
    raise AssertionError(await call.code())


async def _one_stream(channel: Any, path: str, request: Any, metadata: Metadata) -> Outcome:
    while True:
        try:
            return await _frames(channel.stream_stream(path)(metadata=metadata), request)
        except aio.AioRpcError as status:
            # grpc.aio loses the status of a call whose refusal crosses a write of the client: ask again.
            if "SendMessageOperation" not in (status.debug_error_string() or ""):
                raise


async def _frames(call: Any, request: Any) -> Outcome:
    raw = b""
    with suppress(asyncio.InvalidStateError):  # refused before it was read: the status says why
        await call.write(request.SerializeToString())
        await call.done_writing()
    async for data in call:
        raw += data
        frame = pb.StreamFrame.FromString(data)
        if frame.HasField("error"):
            return Outcome(pb.MigErrorCode.Name(frame.error.code), raw)
    return Outcome("", raw)


_SHAPES: dict[str, Ask] = {"unary": _unary, "server_stream": _first_item, "duplex": _one_stream}
