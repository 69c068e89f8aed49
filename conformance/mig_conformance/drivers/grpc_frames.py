"""StreamFrames on one StreamInvoke call."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, TypeVar

import grpc.aio

from mig_conformance.drivers.demultiplexer import Demultiplexer
from mig_conformance.drivers.grpc_status import Ending, ending_of, joined, refused, unreachable
from mig_conformance.drivers.port import RefusedError
from mig_conformance.drivers.protobuf_json import decoded, encoded
from mig_conformance.drivers.transcript import Transcript
from mig_conformance.flaws import ClosedError, FlawError, SuiteError

EOF: Any = vars(grpc.aio)["EOF"]  # the stubs do not know it
_LOST = "Internal error from Core"
_REFUSING_S = 1.0

T = TypeVar("T")


class GrpcFrames:
    """An open call. One that is refused raises RefusedError where its first answer is waited for."""

    def __init__(
        self, open_call: Callable[[], Any], channel: Any, transcript: Transcript, patience_s: float
    ) -> None:
        self._open_call = open_call
        self._call = open_call()
        self._channel = channel
        self._transcript = transcript
        self._patience_s = patience_s
        self._ending: Ending | None = None
        self._any_came = False
        self._frames = Demultiplexer(patience_s=patience_s)
        self._call.add_done_callback(self._note_ending)
        self._reading = asyncio.create_task(self._read())
        self.next = self._frames.next
        self.until_end = self._frames.until_end
        self.closed = self._frames.closed

    async def send(self, frame: Mapping[str, Any] | bytes) -> None:
        """See Frames.send. Raises FlawError when the server takes no more for too long."""
        self._transcript.sent("gRPC frame", frame)
        data = frame if isinstance(frame, bytes) else encoded("StreamFrame", frame)
        try:
            async with asyncio.timeout(self._patience_s):
                await self._call.write(data)
        except TimeoutError:
            raise FlawError(f"the server did not take a frame within {self._patience_s:g} seconds") from None
        except (grpc.aio.AioRpcError, asyncio.InvalidStateError):
            raise await self._end() from None

    async def close(self) -> None:
        self._reading.cancel()
        self._call.cancel()
        await asyncio.wait([self._reading])

    async def _read(self) -> None:
        try:
            while True:
                await self._frames.wanted()
                data = await self._call.read()
                if data is EOF:
                    break
                self._any_came = True
                self._frames.deliver(self._frame(data))
        except grpc.aio.AioRpcError:
            pass  # the status that it has is noted already
        except FlawError as flaw:
            self._frames.ended(flaw)
        self._frames.ended(await self._end())

    def _frame(self, data: bytes) -> dict[str, Any]:
        frame = decoded("StreamFrame", data)
        self._transcript.received("gRPC frame", frame, "StreamFrame")
        return frame

    def _note_ending(self, call: Any) -> None:
        # Here and now: a write that fails afterwards has the library replace the status by one of its own.
        metadata = joined(_at_once(call.initial_metadata()), _at_once(call.trailing_metadata()))
        self._ending = Ending(_at_once(call.code()), _at_once(call.details()) or "", metadata)

    async def _end(self) -> SuiteError:
        ending = self._ending
        if ending is None or ending.message == _LOST:
            ending = None if self._any_came else await self._refusal()
        if ending is None:
            return ClosedError("the call ended while a frame was sent, its status is not known")
        if (gone := unreachable(ending, self._channel)) is not None:
            return gone
        if self._any_came or not ending.has_details:
            return ClosedError(f"the server ended the call with {ending}", ending.code.name)
        try:
            return RefusedError(refused(ending, self._channel, self._transcript))
        except SuiteError as error:
            return error

    async def _refusal(self) -> Ending | None:
        """How the same call ends before any frame is sent: one that comes too late costs the library the
        status. None where the server waits for one.
        """
        again = self._open_call()
        try:
            async with asyncio.timeout(_REFUSING_S):
                await again.read()
        except grpc.aio.AioRpcError as error:
            return ending_of(error)
        except TimeoutError:
            pass
        finally:
            again.cancel()
        return None


def _at_once(coroutine: Coroutine[Any, Any, T]) -> T:
    """The result of a coroutine that has nothing to wait for: those of a call that is over."""
    try:
        coroutine.send(None)
    except StopIteration as done:
        found: T = done.value
        return found
    raise AssertionError("it waits for something")
