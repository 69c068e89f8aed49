"""gRPC's calls as exchanges of the generated stub: bytes in, bytes or a status out."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, NoReturn, cast

import grpc
from grpc import aio

from mig_protocol.grpc_exchange import Metadata
from mig_protocol.grpc_server import RPCS, GrpcExchange, GrpcStub, Rpc

Admit = Callable[[], None]
_ExchangeOf = Callable[..., GrpcExchange]
_Context = aio.ServicerContext[bytes, bytes]
_STATUS = {code.value[0]: code for code in grpc.StatusCode}


def rpc_handlers(
    stub: GrpcStub, admit: Admit, *, shows_certificates: bool
) -> tuple[grpc.GenericRpcHandler[bytes, bytes], ...]:
    """A handler for every RPC of the protocol. They are given bytes, so that what is wrong with them is
    refused as MIG refuses it. `admit` raises MigFault when no call is to be taken. `shows_certificates`:
    clients have shown one to the server's own TLS.
    """
    services: dict[str, dict[str, Any]] = {}
    for rpc in RPCS:
        _, service, method = rpc.path.split("/")
        services.setdefault(service, {})[method] = _HANDLERS[rpc.shape](
            stub, rpc, admit, _exchanges(rpc, shows_certificates)
        )
    return tuple(
        grpc.method_handlers_generic_handler(service, methods) for service, methods in services.items()
    )


def service_names() -> tuple[str, ...]:
    """The full names of the protocol's services."""
    return tuple(dict.fromkeys(rpc.path.split("/")[1] for rpc in RPCS))


def _unary(stub: GrpcStub, rpc: Rpc, admit: Admit, exchange_of: _ExchangeOf) -> Any:
    ask = stub.unary(rpc)

    async def handle(data: bytes, context: _Context) -> bytes:
        exchange = exchange_of(context, len(data))
        try:
            admit()
            answer = ask(exchange, data)
            if not isinstance(answer, bytes):
                return await answer
            # The calls of this turn are all answered before gRPC gets the first of the answers: what it does
            # with one takes our code and data out of the processor's caches (decision 0007).
            await asyncio.sleep(0)
            return answer
        except Exception as error:
            refused = error
        return await _refuse(stub, exchange, context, refused)

    return grpc.unary_unary_rpc_method_handler(handle)


def _server_stream(stub: GrpcStub, rpc: Rpc, admit: Admit, exchange_of: _ExchangeOf) -> Any:
    async def handle(data: bytes, context: _Context) -> None:
        exchange = exchange_of(context, len(data), context.peer())
        items = None
        try:
            admit()
            items = await stub.items(rpc, exchange, data)
            # Now, and not with the first item: it tells the client that it misses nothing from here on.
            await context.send_initial_metadata(())
            async for item in items:
                await context.write(item)
            return
        except aio.BaseError:
            return  # the client is gone
        except Exception as error:
            refused = error
        finally:
            if items is not None:
                await items.aclose()  # type: ignore[attr-defined]
        await _refuse(stub, exchange, context, refused)

    return grpc.unary_stream_rpc_method_handler(handle)


def _duplex(stub: GrpcStub, rpc: Rpc, admit: Admit, exchange_of: _ExchangeOf) -> Any:
    async def handle(_requests: object, context: _Context) -> None:
        exchange = exchange_of(context, 0, context.peer())
        messages = _Messages(stub, context)
        try:
            admit()
            await stub.relay(rpc, exchange, messages)
            return
        except Exception as error:
            refused = error
        finally:
            await messages.written()
        await _refuse(stub, exchange, context, refused)

    return grpc.stream_stream_rpc_method_handler(handle)


_HANDLERS: dict[str, Callable[[GrpcStub, Rpc, Admit, _ExchangeOf], Any]] = {
    "unary": _unary,
    "server_stream": _server_stream,
    "duplex": _duplex,
}


class _Messages:
    """The two directions of one duplex call.

    A write whose sender is cancelled goes on all the same: gRPC has the message by then, and takes no other
    and no status before it is through with it.
    """

    def __init__(self, stub: GrpcStub, context: _Context) -> None:
        self._stub = stub
        self._context = context
        self._writing: asyncio.Task[None] | None = None

    async def receive(self) -> bytes | None:
        data = await self._context.read()
        if data is aio.EOF:  # type: ignore[attr-defined]
            return None
        self._stub.check_frame(data)
        return data

    async def send(self, message: bytes) -> None:
        await self.written()
        self._writing = asyncio.create_task(self._write(message))
        await self.written()

    async def written(self) -> None:
        """Returns once gRPC can take another message, or the status."""
        while self._writing is not None and not self._writing.done():
            await asyncio.shield(self._writing)

    async def _write(self, message: bytes) -> None:
        try:
            await self._context.write(message)
        except aio.BaseError:
            return  # the client is gone; the call's own cancellation tells of it


def _exchanges(rpc: Rpc, shows_certificates: bool) -> _ExchangeOf:
    path, operation = rpc.path, rpc.operation

    def exchange_of(context: _Context, wire_bytes: int, peer: str = "") -> GrpcExchange:
        return GrpcExchange(
            path,
            operation,
            cast(Metadata, context.invocation_metadata() or ()),
            peer,
            time_left_s=context.time_remaining(),
            wire_bytes=wire_bytes,
            # gRPC makes a dictionary anew to be asked for it.
            certificate=_certificate(context) if shows_certificates else None,
        )

    return exchange_of


def _certificate(context: _Context) -> str | None:
    shown = context.auth_context().get("x509_pem_cert", ())
    return next((pem.decode("ascii") for pem in shown), None)


async def _refuse(stub: GrpcStub, exchange: GrpcExchange, context: _Context, error: Exception) -> NoReturn:
    status = stub.refuse(exchange, error)
    await context.abort(_STATUS[status.code], status.message, status.metadata)
