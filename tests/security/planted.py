"""What the other tenant has and does, all of it marked, so that no answer can tell of it unseen."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from migd.core.catalog import Capability
from security.expectation import OTHER, OWN, THEIR_MESSAGE, TOPIC, Mode, Place
from support.gateway_under_test import Scripted, capability
from support.running_migd import LocalMigd, local_migd
from support.sse import subscribed
from support.tokens import bearer

MARK = "planted"
HIDDEN = "planted.capability"


def hidden_capability() -> Capability:
    """A capability that only the other tenant may see."""
    return capability(Scripted(), HIDDEN, tenants=frozenset({OTHER}))


@asynccontextmanager
async def planted(mode: Mode, **environ: str) -> AsyncIterator[LocalMigd]:
    """A gateway where the other tenant has a capability, an event, a subscription and a quota."""
    async with local_migd(hidden_capability(), **mode.environ, **environ) as migd:
        topics = "mig:admin mig:publish:> mig:subscribe:>"
        theirs = {"x_tenant_id": OTHER, "authorization": bearer(OTHER, topics, sub="planted-actor")}
        ours = {"x_tenant_id": OWN, "authorization": bearer(OWN, topics)}
        for path, body, who in (
            ("/cloud/v0.1/orgs", {"id": "matrix", "name": "Matrix"}, ours),
            ("/cloud/v0.1/tenants", {"id": "matrix", "name": "Matrix", "org_id": "matrix"}, ours),
            ("/pro/v0.1/quotas", {"tenant_id": OTHER, "max_invocations": 1_000_000}, ours),
            (f"/mig/v0.1/publish/{TOPIC}", {"payload": {"text": "planted-event"}}, theirs),
            (f"/mig/v0.1/publish/{TOPIC}", {"payload": {"text": "an event of our own"}}, ours),
            (f"/mig/v0.1/invoke/{HIDDEN}", {"header": {"message_id": THEIR_MESSAGE}}, theirs),
        ):
            answer = await migd.post(path, body, **who)
            assert answer.status in (200, 201), answer.raw
        query, authorization = "?consumer_id=planted-consumer", theirs["authorization"]
        async with subscribed(migd.http, TOPIC, query, OTHER, authorization=authorization):
            yield migd


def leaked(place: Place, answer: bytes, tenant: str, refusal: str) -> str:
    """What of the other tenant is in an answer to somebody else; "" where there is nothing.

    An administrator sees all, and so does open mode's everybody; and metrics name capabilities, for which
    SECURITY.md says to keep them from others.
    """
    if tenant == OTHER or (place.rights == "admin" and not refusal):
        return ""
    if place.name == "CANCEL" and b"completed" in answer:
        return "that their invocation is over"
    told = answer.replace(HIDDEN.encode(), b"") if place.name == "METRICS" else answer
    at = told.find(MARK.encode())
    return "" if at < 0 else told[at : at + 60].decode(errors="replace")
