"""The gateway as a NATS micro service: what `$SRV.PING`, `$SRV.INFO` and `$SRV.STATS` answer (NATS ADR-32).

nats-py has a service of its own. It would wrap every request in an object and a coroutine more, answer errors
in a form that is not MIG's, and choose the instance's id itself; so only the discovery is here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

import msgspec
from nats.aio.msg import Msg

from migd.bindings.nats.endpoints import Endpoint
from migd.bindings.nats.link import NatsLink
from migd.bindings.nats.sending import Sender
from migd.bindings.nats.subscription import LinkSubscription

SERVICE = "mig-gateway"
_PREFIX = "$SRV"
_TYPE = "io.nats.micro.v1.{}_response"
_encode = msgspec.json.encode


class Discovery:
    """Answers on every connection, while the binding is on."""

    def __init__(
        self,
        link: NatsLink,
        sender: Sender,
        endpoints: Sequence[Endpoint],
        *,
        server_id: Callable[[], str],
        version: str,
        started: datetime,
    ) -> None:
        self._link = link
        self._sender = sender
        self._endpoints = endpoints
        self._started = started
        self._server_id = server_id
        self._identity = {"name": SERVICE, "id": "", "version": version}
        self._subscriptions: list[LinkSubscription] = []

    async def start(self) -> None:
        """Be found: all services, those of this name, this one."""
        # A gateway without a name of its own is named by its store, which is open by now.
        server_id = self._identity["id"] = self._server_id()
        for rest in ("*", f"*.{SERVICE}", f"*.{SERVICE}.{server_id}"):
            self._subscriptions.append(await self._link.subscribe(f"{_PREFIX}.{rest}", self._answer))

    async def stop(self) -> None:
        """Be found no more. Bounded in time."""
        await self._link.unsubscribe(*self._subscriptions)
        self._subscriptions = []

    async def _answer(self, message: Msg) -> None:
        verb = message.subject.split(".")[1]
        answers = {"PING": dict, "INFO": self._info, "STATS": self._stats}
        if verb in answers and message.reply:
            kind = {"type": _TYPE.format(verb.lower())}
            body = _encode({**kind, **self._identity, "metadata": {"mig_version": "0.1"}, **answers[verb]()})
            await self._sender.send(message.reply, {}, body)

    def _info(self) -> dict[str, Any]:
        return {
            "description": "A MIG gateway: capabilities, called by name.",
            "endpoints": [
                {**_named(endpoint), "metadata": {"operation": endpoint.row.operation}}
                for endpoint in self._endpoints
            ],
        }

    def _stats(self) -> dict[str, Any]:
        return {
            "started": self._started,
            "endpoints": [
                {
                    **_named(endpoint),
                    "num_requests": endpoint.requests,
                    "num_errors": endpoint.errors,
                    "last_error": endpoint.last_error,
                    "processing_time": endpoint.busy_ns,
                    "average_processing_time": endpoint.average_ns,
                    "data": None,
                }
                for endpoint in self._endpoints
            ],
        }


def _named(endpoint: Endpoint) -> dict[str, Any]:
    row = endpoint.row
    return {"name": row.method, "subject": row.subject, "queue_group": row.queue}
