"""What the conformance suite finds out by itself about a server whose manifest does not say it."""

from __future__ import annotations

import pytest

from mig_conformance.running.links import Links
from mig_conformance.running.probe import completed
from mig_conformance.subject.subject import Auth, Declaration, Endpoints, Subject
from mig_protocol.messages import CapabilityDescriptor, InvocationMode
from migd.core.catalog import Capability
from support.running_migd import local_migd
from support.tokens import JWT_MODE, SECRET

OPEN, TOKENS = Auth(), Auth(mode="jwt", hs256_secret=SECRET)


def of_other() -> Capability:
    """One that only the second of the suite's tenants sees."""
    descriptor = CapabilityDescriptor(id="of.other", version="1.0.0", modes=[InvocationMode.unary])
    return Capability(descriptor=descriptor, provider=None, tenants=frozenset({"other"}))


async def features(auth: Auth, *capabilities: Capability, **environ: str) -> frozenset[str]:
    async with local_migd(*capabilities, **environ) as migd:
        subject = Subject(endpoints=Endpoints(http=str(migd.url)), auth=auth)
        async with Links(subject) as links:
            return (await completed(Declaration(subject=subject), links)).features


@pytest.mark.parametrize(("setting", "found"), [("true", {"topic-scopes"}), ("false", set())])
async def test_topics_that_take_a_scope_are_found_out(setting: str, found: set[str]) -> None:
    assert await features(TOKENS, **JWT_MODE, MIGD_TOPIC_SCOPES=setting) & {"topic-scopes"} == found


async def test_a_server_that_does_not_authenticate_has_no_scopes_of_topics() -> None:
    assert "topic-scopes" not in await features(OPEN, MIGD_TOPIC_SCOPES="true")


async def test_a_capability_that_one_tenant_sees_and_the_other_does_not_is_found_out() -> None:
    assert "hidden" in await features(OPEN, of_other())
    assert "hidden" not in await features(OPEN)


async def test_two_tenants_of_which_one_can_not_ask_tell_nothing() -> None:
    tokens = Auth(mode="jwt", tokens={"own": "of.no.use"}, hs256_secret=SECRET)
    assert "hidden" not in await features(tokens, of_other(), **JWT_MODE)
