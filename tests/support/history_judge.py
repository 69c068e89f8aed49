"""Whether a history keeps every guarantee of docs/GUARANTEES.md."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator

from support.history import Event, History, Published, Topic


def judge(history: History) -> list[str]:
    """Every violation, as "Guarantee: what is wrong". None: the history is good."""
    rules = (_ordered, _unique, _durable, _answers, _quotas, _audited, _resumable, _isolated, _terminal_once)
    return [violation for rule in rules for violation in rule(history)]


def _ordered(history: History) -> Iterator[str]:
    for topic, events in history.replays.items():
        sequences = [event.sequence for event in events]
        if sequences != list(range(1, len(sequences) + 1)):
            yield f"Ordered: the sequences of {topic} are not 1, 2, 3…: {sequences}"
        place = {event.value: event.sequence for event in events}
        for publisher, values in _sent(history, topic).items():
            places = [place[value] for value in values if value in place]
            if places != sorted(places):
                yield f"Ordered: what {publisher} sent to {topic} one after another lies at {places}"


def _unique(history: History) -> Iterator[str]:
    for topic, events in history.replays.items():
        for kind, names in (("value", [e.value for e in events]), ("id", [e.event_id for e in events])):
            for name, count in Counter(names).items():
                if count > 1:
                    yield f"Unique: the {kind} {name} is {count} times in {topic}"
    for topic, acks in _acknowledged(history).items():
        owners = defaultdict(set)
        for ack in acks:
            owners[ack.sequence].add(ack.value)
        for sequence, values in owners.items():
            if len(values) > 1:
                yield f"Unique: {sequence} of {topic} was given to {sorted(values)}"


def _durable(history: History) -> Iterator[str]:
    sent = {(attempt.topic, attempt.value) for attempt in history.published}
    for topic, events in history.replays.items():
        for event in events:
            if (topic, event.value) not in sent:
                yield f"Durable: {event.value} in {topic} was never sent"
    for topic, acks in _acknowledged(history).items():
        kept = {(e.sequence, e.event_id, e.value) for e in history.replays.get(topic, [])}
        for ack in acks:
            if (ack.sequence, ack.event_id, ack.value) not in kept:
                yield f"Durable: {ack.value} was acknowledged as {ack.sequence} of {topic} and is not there"


def _answers(history: History) -> Iterator[str]:
    by_key: dict[tuple[str, str], set[str]] = defaultdict(set)
    ran = {(run.name, run.run) for run in history.runs}
    for answer in history.answered:
        if (answer.name, answer.run) not in ran:
            yield f"Durable: the answer {answer.run} to {answer.name} is of no run"
        if answer.key:
            by_key[answer.tenant, answer.key].add(answer.run)
    for key, runs in by_key.items():
        if len(runs) > 1:
            yield f"Durable: the answer under {key} has changed: {sorted(runs)}"


def _quotas(history: History) -> Iterator[str]:
    ran = Counter(run.tenant for run in history.runs)
    for tenant, most in history.quotas.items():
        if ran[tenant] > most:
            yield f"Durable: {tenant} has run {ran[tenant]} times on a quota of {most}"


def _audited(history: History) -> Iterator[str]:
    for fault in history.broken_trails:
        yield f"Durable: the audit trail is broken: {fault}"


def _resumable(history: History) -> Iterator[str]:
    for (topic, subscriber), given in history.deliveries.items():
        kept = history.replays.get(topic, [])
        if _places(given) != list(range(1, len(kept) + 1)):
            yield f"Resumable: {subscriber} was given {_places(given)} of the {len(kept)} of {topic}"
        elif [(e.event_id, e.value) for e in given] != [(e.event_id, e.value) for e in kept]:
            yield f"Resumable: {subscriber} was given other events of {topic} than are there"


def _isolated(history: History) -> Iterator[str]:
    seen = [(topic[0], e.tenant, e.value) for topic, events in history.replays.items() for e in events]
    seen += [(topic[0], e.tenant, e.value) for (topic, _), given in history.deliveries.items() for e in given]
    seen += [(answer.tenant, answer.tenant, answer.name) for answer in history.answered]
    seen += [(stream.tenant, tenant, tenant) for stream in history.streams for tenant, _ in stream.frames]
    for reader, tenant, name in seen:
        if {tenant, name.partition("/")[0]} != {reader}:
            yield f"Tenant-isolated: {reader} was shown {name} of {tenant}"


def _terminal_once(history: History) -> Iterator[str]:
    for stream in history.streams:
        ends = [terminal for _, terminal in stream.frames]
        if ends.count(True) > 1 or True in ends[:-1]:
            yield f"Terminal-once: a stream of {stream.tenant} went on after its end: {ends}"
        elif not stream.broken and True not in ends:
            yield f"Terminal-once: a stream of {stream.tenant} has no end though its connection held: {ends}"


def _sent(history: History, topic: Topic) -> dict[str, list[str]]:
    """What each publisher sent, each value once, in the order of the first attempts."""
    sent: dict[str, dict[str, None]] = defaultdict(dict)
    for attempt in history.published:
        if attempt.topic == topic:
            sent[attempt.publisher][attempt.value] = None
    return {publisher: list(values) for publisher, values in sent.items()}


def _acknowledged(history: History) -> dict[Topic, list[Published]]:
    acks = defaultdict(list)
    for attempt in history.published:
        if attempt.sequence:
            acks[attempt.topic].append(attempt)
    return acks


def _places(events: list[Event]) -> list[int]:
    return [event.sequence for event in events]
