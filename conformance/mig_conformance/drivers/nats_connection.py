"""A connection to a NATS server, and what comes in on its subjects."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import nats
from nats import errors
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription

from mig_conformance.drivers.json_text import read_json
from mig_conformance.flaws import FlawError, UnreachableError

_CONNECT_S = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class NatsMessage:
    """One message; `headers` have their names as they came, `data` is its JSON, or None where it is none.

    `reply` is the subject to answer on, empty where no answer is wanted.
    """

    subject: str
    reply: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    data: Any = None


Take = Callable[[NatsMessage], bool]


class NatsMessages:
    """What comes in on one subject, but for what `take` says no to."""

    def __init__(self, subscription: Subscription, take: Take, patience_s: float) -> None:
        self._subscription = subscription
        self._take = take
        self._patience_s = patience_s

    async def next(self) -> NatsMessage:
        """Raises FlawError when nothing comes in time."""
        found = await self.quiet(self._patience_s)
        if found is None:
            raise FlawError(f"nothing on {self._subscription.subject} within {self._patience_s:g} seconds")
        return found

    async def quiet(self, seconds: float) -> NatsMessage | None:
        """What comes within so many seconds, or None: for what must not come."""
        try:
            read = _as_read(await self._subscription.next_msg(seconds))
            while not self._take(read):
                read = _as_read(await self._subscription.next_msg(seconds))
        except errors.TimeoutError:
            return None
        except errors.Error as error:
            raise lost(error) from None
        return read


async def connect(url: str) -> Client:
    """One connection that stays as it is: it does not come back when it breaks. Raises UnreachableError."""
    try:
        return await nats.connect(
            url,
            allow_reconnect=False,
            max_reconnect_attempts=1,
            connect_timeout=_CONNECT_S,
            reconnect_time_wait=0,
            error_cb=_ignored,
        )
    except (errors.Error, OSError, TimeoutError) as error:
        raise UnreachableError(f"no NATS server lets us in at {_shown(url)}: {error}") from None


@asynccontextmanager
async def listening(
    client: Client, subject: str, take: Take, *, patience_s: float, queue: str = ""
) -> AsyncIterator[NatsMessages]:
    """What comes in on the subject from now on; as a member of the group `queue`, its share of that."""
    try:
        subscription = await client.subscribe(subject, queue=queue)
        await flush(client, patience_s)
    except errors.Error as error:
        raise lost(error) from None
    try:
        yield NatsMessages(subscription, take, patience_s)
    finally:
        if not client.is_closed:
            await subscription.unsubscribe()


async def flush(client: Client, patience_s: float) -> None:
    """Until the NATS server has taken everything that was sent."""
    await client.flush(max(1, round(patience_s)))  # whole seconds, says its signature


def lost(error: errors.Error) -> UnreachableError:
    """The connection to NATS is gone."""
    return UnreachableError(f"the connection to NATS broke: {type(error).__name__} {error}")


def _as_read(message: Msg) -> NatsMessage:
    try:
        data = read_json(message.data)
    except ValueError:
        data = None
    return NatsMessage(
        subject=message.subject,
        reply=message.reply,
        headers=message.headers or {},
        body=message.data,
        data=data,
    )


async def _ignored(_: Exception) -> None:
    """What matters of it is raised as well."""


def _shown(url: str) -> str:
    """The URL without what it may say of a password."""
    scheme, separator, rest = url.rpartition("://")
    return f"{scheme}{separator}{rest.rpartition('@')[2]}"
