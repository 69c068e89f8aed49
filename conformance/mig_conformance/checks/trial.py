"""One check on one binding while it runs: the driver, callers, fresh names."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, cast

from mig_conformance.drivers.http import HttpDriver
from mig_conformance.drivers.port import (
    Answer,
    Ask,
    BindingName,
    Caller,
    Driver,
    Frames,
    JsonObject,
    Stream,
    Subscription,
)
from mig_conformance.drivers.transcript import Transcript
from mig_conformance.flaws import FlawError, UncheckedError, UnreachableError
from mig_conformance.subject.callers import Callers
from mig_conformance.subject.subject import Subject

SCRIPT = "mig.conformance.script"
REFERENCE = "observatory.models.infer"
_NOTHING: Mapping[str, Any] = {}
_WITHOUT_UNARY: frozenset[BindingName] = frozenset({"sse", "websocket"})
_RESTART_S = 15.0
_BETWEEN_S = 0.05


class Trial:
    """`driver` is the binding that is judged; `beside` gives a driver of another one, of the same server and
    with the same transcript, and `http` the plain one, for what is on HTTP only. Both raise UncheckedError
    where the server has no such binding. `vars` are those of the case.
    """

    def __init__(
        self,
        subject: Subject,
        driver: Driver,
        beside: Callable[[BindingName], Driver],
        transcript: Transcript,
        new_id: Callable[[], str],
        vars: Mapping[str, Any] = _NOTHING,
        restart: Callable[[], Awaitable[None]] | None = None,
        peer: Callable[[BindingName], Driver] | None = None,
    ) -> None:
        self.subject = subject
        self.driver = driver
        self.beside = beside
        self.transcript = transcript
        self.new_id = new_id
        self.vars = vars
        self.callers = Callers(subject)
        self._restart = restart
        self._peer = peer
        self.own = self.callers.named("own")

    @property
    def binding(self) -> BindingName:
        return self.driver.binding

    @property
    def http(self) -> HttpDriver:
        return cast(HttpDriver, self.beside("http"))

    @property
    def patience_s(self) -> float:
        """How long to wait for what must come."""
        return self.subject.patience_s

    def peer(self, binding: BindingName) -> Driver:
        """A driver of another gateway that is one with this one. A check that asks it needs `peers`."""
        if self._peer is None:
            raise UncheckedError("there is no second gateway: peers are not in the manifest")
        return self._peer(binding)

    async def restart(self) -> None:
        """Restarts the server, and returns when it answers over the binding. Raises UncheckedError where the
        manifest does not say how. A check that calls it needs `restart`, and so runs alone.
        """
        if self._restart is None:
            raise UncheckedError("the server can not be restarted: the manifest has no command for it")
        await self._restart()
        try:
            async with asyncio.timeout(_RESTART_S):
                while not await self._answers():  # noqa: ASYNC110 - there is no event to wait for
                    await asyncio.sleep(_BETWEEN_S)
        except TimeoutError:
            raise FlawError(f"{_RESTART_S:g} seconds after a restart there was no answer") from None

    async def _answers(self) -> bool:
        """Connections from before the restart may still be in use: what breaks with them is no answer."""
        driver = self.beside("http") if self.binding in _WITHOUT_UNARY else self.driver
        try:
            return (await self.call("HELLO", {}, driver=driver)).message is not None
        except (FlawError, UnreachableError):
            return False

    def new_topic(self) -> str:
        """A topic that nothing was published to yet."""
        return f"conformance.t{self.new_id()}"

    def new_tenant(self) -> str:
        """A tenant that nobody has used yet."""
        return f"conformance-{self.new_id()}"[:64]

    async def call(
        self,
        operation: str,
        message: Mapping[str, Any],
        *,
        caller: Caller | None = None,
        driver: Driver | None = None,
        **further: Any,
    ) -> Answer:
        """One call over the binding that is judged; `further` are members of Ask."""
        asked = Ask(operation=operation, caller=caller or self.own, message=message, **further)
        return await (driver or self.driver).call(asked)

    async def script(
        self, *steps: Mapping[str, Any], header: Mapping[str, Any] | None = None, **further: Any
    ) -> Answer:
        """INVOKE of the scripted capability with these steps."""
        return await self.call("INVOKE", self.scripted(*steps, header=header), **further)

    def scripted(self, *steps: Mapping[str, Any], header: Mapping[str, Any] | None = None) -> JsonObject:
        """The InvokeRequest of such a call."""
        return {"header": dict(header or {}), "capability": SCRIPT, "payload": {"steps": list(steps)}}

    async def stream(
        self,
        message: Mapping[str, Any],
        stream_id: str | None = None,
        *,
        caller: Caller | None = None,
        **further: Any,
    ) -> Stream:
        """INVOKE as a stream, as `open_stream` opens it."""
        asked = Ask(operation="INVOKE", caller=caller or self.own, message=message, **further)
        return await self.open_stream(asked, stream_id)

    async def open_stream(self, ask: Ask, stream_id: str | None = None) -> Stream:
        """A stream over the binding that is judged; "" leaves its id to the server. So does None, but over
        NATS: there a new id is chosen, so that no frame comes before anybody listens.
        """
        unsaid = self.new_id() if self.binding == "nats" else ""
        return await self.driver.stream(ask, unsaid if stream_id is None else stream_id)

    async def connect(self, caller: Caller | None = None, carried: Mapping[str, str] = _NOTHING) -> Frames:
        """A connection for frames."""
        return await self.driver.connect(caller or self.own, carried)

    async def subscribe(
        self,
        topic: str,
        *,
        caller: Caller | None = None,
        carried: Mapping[str, str] = _NOTHING,
        driver: Driver | None = None,
        **fields: Any,
    ) -> Subscription:
        """SUBSCRIBE, over the binding that is judged where no driver is given; `fields` are those of
        SubscribeRequest.
        """
        asked = Ask(
            operation="SUBSCRIBE",
            caller=caller or self.own,
            message={"topic": topic, **fields},
            carried=carried,
        )
        return await (driver or self.driver).subscribe(asked)

    async def publish(self, topic: str, payload: JsonObject | None = None, **further: Any) -> JsonObject:
        """PUBLISH over the binding where it has it, over another where it has not; the ack. `further` are
        a driver, and members of Ask.
        """
        own = self.beside("http") if self.binding in _WITHOUT_UNARY else self.driver
        driver = further.pop("driver", own)
        message = {"topic": topic, "payload": payload or {}, "header": further.pop("header", {})}
        return (await self.call("PUBLISH", message, driver=driver, **further)).accepted()
