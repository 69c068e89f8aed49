"""Drivers of the conformance suite, as a run of it has them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from mig_conformance.drivers.port import Ask, BindingName, Caller
from mig_conformance.drivers.transcript import Transcript
from mig_conformance.running.links import Links
from mig_conformance.subject.subject import Endpoints, Subject

ACME = Caller(tenant="acme")
REFERENCE = "observatory.models.infer"


def ask(operation: str, *, caller: Caller = ACME, **members: Any) -> Ask:
    """A request by acme; `members` are Ask's, all others are fields of the message."""
    own = {name: members.pop(name) for name in ("body", "path", "carried", "query") if name in members}
    return Ask(operation=operation, caller=caller, message=members, **own)


def inference(text: str = "a b c", **fields: Any) -> Ask:
    """INVOKE of the reference capability."""
    return ask("INVOKE", capability=REFERENCE, payload={"input": text}, **fields)


@asynccontextmanager
async def driving(
    binding: BindingName, *, patience_s: float = 20, **endpoints: str
) -> AsyncIterator[tuple[Any, Transcript]]:
    """The driver of that binding, and what it tells of."""
    subject = Subject(endpoints=Endpoints(**endpoints), patience_s=patience_s)
    transcript = Transcript()
    async with Links(subject) as links:
        yield links.driver(binding, transcript), transcript
