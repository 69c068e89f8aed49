"""The judge of histories lets a good one pass, and none that breaks a guarantee."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from support.history import Answered, Event, History, Published, Run, Streamed
from support.history_judge import judge

ORDERS = ("acme", "shop.orders")
Spoil = Callable[[History], None]


def good() -> History:
    """Three events, of which one was never acknowledged, and one sent twice under a key."""
    values = ["acme/p/1", "acme/p/2", "acme/q/1"]
    events = [Event("acme", place, f"e{place}", value) for place, value in enumerate(values, 1)]
    return History(
        published=[
            Published(ORDERS, "p", "acme/p/1", sequence=1, event_id="e1"),
            Published(ORDERS, "p", "acme/p/2"),
            Published(ORDERS, "q", "acme/q/1", key="k"),
            Published(ORDERS, "q", "acme/q/1", key="k", sequence=3, event_id="e3"),
            Published(ORDERS, "p", "acme/p/3"),
        ],
        replays={ORDERS: list(events)},
        deliveries={(ORDERS, "s"): list(events)},
        answered=[Answered("acme", "k", "acme/1", "r1"), Answered("acme", "k", "acme/1", "r1")],
        runs=[Run("acme/1", "r1"), Run("acme/2", "r2")],
        quotas={"acme": 2},
        streams=[
            Streamed("acme", [("acme", False), ("acme", True)]),
            Streamed("acme", [("acme", False)], broken=True),
        ],
    )


def hole(history: History) -> None:
    del history.replays[ORDERS][1]


def swapped_sending_order(history: History) -> None:
    first, second, _ = history.published[:3]
    history.published[:2] = [second, first]


def twice_in_the_log(history: History) -> None:
    history.replays[ORDERS].append(Event("acme", 4, "e4", "acme/q/1"))


def one_id_twice(history: History) -> None:
    history.replays[ORDERS].append(Event("acme", 4, "e3", "acme/p/3"))


def one_sequence_for_two(history: History) -> None:
    history.published.append(Published(ORDERS, "p", "acme/p/4", sequence=1, event_id="e1"))


def lost(history: History) -> None:
    history.published.append(Published(ORDERS, "q", "acme/q/2", sequence=4, event_id="e4"))


def invented(history: History) -> None:
    history.replays[ORDERS].append(Event("acme", 4, "e4", "acme/p/9"))


def changed_answer(history: History) -> None:
    history.answered.append(Answered("acme", "k", "acme/2", "r2"))


def answer_of_no_run(history: History) -> None:
    history.answered.append(Answered("acme", "", "acme/3", "r3"))


def overspent(history: History) -> None:
    history.runs.append(Run("acme/3", "r3"))


def broken_trail(history: History) -> None:
    history.broken_trails.append("audit.jsonl:3: a line was removed before it")


def skipped(history: History) -> None:
    del history.deliveries[ORDERS, "s"][1]


def repeated(history: History) -> None:
    given = history.deliveries[ORDERS, "s"]
    given.insert(1, given[0])


def not_to_the_end(history: History) -> None:
    history.deliveries[ORDERS, "s"].pop()


def another_event(history: History) -> None:
    given = history.deliveries[ORDERS, "s"]
    given[1] = replace(given[1], event_id="other")


def anothers_event(history: History) -> None:
    given = history.deliveries[ORDERS, "s"]
    given[1] = replace(given[1], tenant="umbrella")


def anothers_answer(history: History) -> None:
    history.runs.append(Run("umbrella/1", "r9"))
    history.answered.append(Answered("acme", "", "umbrella/1", "r9"))


def anothers_frame(history: History) -> None:
    history.streams[0].frames[0] = ("umbrella", False)


def two_ends(history: History) -> None:
    history.streams[0].frames.append(("acme", True))


def a_frame_after_the_end(history: History) -> None:
    history.streams[0].frames.append(("acme", False))


def no_end(history: History) -> None:
    history.streams[1].broken = False


def test_a_good_history_passes() -> None:
    assert judge(good()) == []


@pytest.mark.parametrize(
    ("guarantee", "spoil"),
    [
        ("Ordered", hole),
        ("Ordered", swapped_sending_order),
        ("Unique", twice_in_the_log),
        ("Unique", one_id_twice),
        ("Unique", one_sequence_for_two),
        ("Durable", lost),
        ("Durable", invented),
        ("Durable", changed_answer),
        ("Durable", answer_of_no_run),
        ("Durable", overspent),
        ("Durable", broken_trail),
        ("Resumable", skipped),
        ("Resumable", repeated),
        ("Resumable", not_to_the_end),
        ("Resumable", another_event),
        ("Tenant-isolated", anothers_event),
        ("Tenant-isolated", anothers_answer),
        ("Tenant-isolated", anothers_frame),
        ("Terminal-once", two_ends),
        ("Terminal-once", a_frame_after_the_end),
        ("Terminal-once", no_end),
    ],
)
def test_a_history_that_breaks_a_guarantee_is_told(guarantee: str, spoil: Spoil) -> None:
    history = good()
    spoil(history)
    assert guarantee in {violation.partition(":")[0] for violation in judge(history)}
