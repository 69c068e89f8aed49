"""Records on their way: which are kept when there are too many, and what is said of the others."""

from __future__ import annotations

import json

import pytest

from migd.stores.audit_backlog import AuditBacklog
from support.audit_trail import record


def held(backlog: AuditBacklog) -> list[str]:
    return [json.loads(each.text)["message_id"] for each in backlog.take()]


def test_what_comes_while_a_batch_is_on_its_way_makes_room_for_it_when_it_comes_back(
    caplog: pytest.LogCaptureFixture,
) -> None:
    backlog = AuditBacklog("here", most=3)
    for number in range(2):
        backlog.add(record(f"first-{number}"))
    batch = backlog.take()
    for number in range(3):
        backlog.add(record(f"second-{number}"))
    backlog.give_back(batch, "no room")

    assert (backlog.lost, backlog.failure) == (2, "no room")
    assert held(backlog) == ["first-0", "first-1", "second-0"]
    backlog.written()
    assert caplog.messages == [
        "audit records can not be written and are held",
        "as many audit records are held as may be: newer ones are lost",
        "audit records are written again; 2 were lost",
    ]


def test_each_trouble_tells_what_it_has_cost() -> None:
    backlog = AuditBacklog("here", most=1)
    for _ in range(2):
        backlog.add(record("kept"))
        backlog.add(record("lost"))
        backlog.give_back(backlog.take(), "no room")
        assert held(backlog) == ["kept"]
        backlog.written()
    assert (backlog.lost, backlog.failure) == (2, None)
