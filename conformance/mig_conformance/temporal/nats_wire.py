"""What several checks need of NATS: the driver, who asks, and requests as bytes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import cast

from mig_conformance.checks.trial import REFERENCE, Trial
from mig_conformance.drivers.nats import NatsDriver
from mig_conformance.drivers.port import Caller, JsonObject
from mig_protocol import subjects


def over_nats(trial: Trial) -> NatsDriver:
    """The driver of a check that is on NATS only, or whatever is judged beside it."""
    return cast(NatsDriver, trial.beside("nats"))


def credential(caller: Caller) -> dict[str, str]:
    """The NATS headers that say who asks."""
    return {} if caller.token is None else {"Authorization": f"Bearer {caller.token}"}


def requests_of(tenant: str, topic: str) -> Mapping[str, tuple[str, bytes]]:
    """A right request of each operation that gateways share, by its id: subject and body."""
    return {
        "HELLO": (subjects.hello(tenant), b"{}"),
        "DISCOVER": (subjects.discover(tenant), b"{}"),
        "INVOKE": (subjects.invoke(tenant, REFERENCE), as_json({"payload": {"input": "hello"}})),
        "PUBLISH": (subjects.events(tenant, topic), as_json({"payload": {"n": 1}})),
        "HEARTBEAT": (subjects.heartbeat(tenant), b"{}"),
    }


def as_json(message: JsonObject) -> bytes:
    """The body of a message."""
    return json.dumps(message).encode()
