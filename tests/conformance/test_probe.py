"""What the conformance suite finds out by itself about a server whose manifest does not say it."""

from __future__ import annotations

import pytest

from mig_conformance.running.links import Links
from mig_conformance.running.probe import completed
from mig_conformance.subject.subject import Auth, Declaration, Endpoints, Subject
from support.running_migd import local_migd
from support.tokens import JWT_MODE, SECRET


async def features(auth: Auth, **environ: str) -> frozenset[str]:
    async with local_migd(**environ) as migd:
        subject = Subject(endpoints=Endpoints(http=str(migd.url)), auth=auth)
        async with Links(subject) as links:
            return (await completed(Declaration(subject=subject), links)).features


@pytest.mark.parametrize(("setting", "found"), [("true", {"topic-scopes"}), ("false", set())])
async def test_topics_that_take_a_scope_are_found_out(setting: str, found: set[str]) -> None:
    auth = Auth(mode="jwt", hs256_secret=SECRET)
    assert await features(auth, **JWT_MODE, MIGD_TOPIC_SCOPES=setting) & {"topic-scopes"} == found


async def test_a_server_that_does_not_authenticate_has_no_scopes_of_topics() -> None:
    assert "topic-scopes" not in await features(Auth(), MIGD_TOPIC_SCOPES="true")
