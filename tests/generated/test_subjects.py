"""NATS subjects are built and parsed without ever meaning something else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mig_protocol import subjects
from mig_protocol.errors import MigFault
from mig_protocol.messages import MigErrorCode
from mig_protocol.operations import OPERATIONS
from mig_protocol.subjects import SUBSCRIPTIONS, ParsedSubject, parse

TOKEN = st.from_regex(r"[A-Za-z0-9_-]{1,12}", fullmatch=True)
DOTTED = st.lists(TOKEN, min_size=2, max_size=4).map(".".join)
NAMES = st.lists(st.from_regex(r"[!-)+-\-0-=?-~]{1,8}", fullmatch=True), min_size=1, max_size=4).map(".".join)


@given(TOKEN, DOTTED, NAMES)
def test_a_subject_is_parsed_into_what_it_was_built_from(tenant: str, dotted: str, name: str) -> None:
    built = {
        subjects.hello(tenant): ParsedSubject("HELLO", tenant, {}),
        subjects.discover(tenant): ParsedSubject("DISCOVER", tenant, {}),
        subjects.invoke(tenant, dotted): ParsedSubject("INVOKE", tenant, {"capability": dotted}),
        subjects.events(tenant, dotted): ParsedSubject("PUBLISH", tenant, {"topic": dotted}),
        subjects.stream(tenant, name): ParsedSubject("STREAM", tenant, {"stream_id": name}),
        subjects.cancel(tenant, name): ParsedSubject("CANCEL", tenant, {"message_id": name}),
        subjects.heartbeat(tenant): ParsedSubject("HEARTBEAT", tenant, {}),
    }
    for subject, parsed in built.items():
        assert parse(subject) == parsed


def test_a_subject_is_the_address_of_its_operation() -> None:
    filled = {"tenant": "acme", "capability": "a.b", "topic": "a.b", "message_id": "m-1", "stream_id": "s.1"}
    builders: dict[str, Callable[..., str]] = {
        "HELLO": subjects.hello,
        "DISCOVER": subjects.discover,
        "INVOKE": subjects.invoke,
        "STREAM": subjects.stream,
        "PUBLISH": subjects.events,
        "SUBSCRIBE": subjects.events,
        "CANCEL": subjects.cancel,
        "HEARTBEAT": subjects.heartbeat,
    }
    for operation in OPERATIONS:
        if operation.nats is None:
            continue
        parts = [filled[part.strip("{}")] for part in operation.nats.split(".") if part.startswith("{")]
        assert builders.pop(operation.id)(*parts) == operation.nats.format(**filled)
    assert not builders


HOSTILE = [
    "*",
    ">",
    "a.*",
    "a.>",
    "",
    ".",
    "a.",
    ".a",
    "a..b",
    "a b",
    "a\tb",
    "a\nb",
    "a.b\n",
    "a\0b",
    "caf\u00e9.b",
]


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize(
    "build",
    [
        lambda text: subjects.invoke("acme", text),
        lambda text: subjects.events("acme", text),
        lambda text: subjects.cancel("acme", text),
        lambda text: subjects.stream("acme", text),
        lambda text: subjects.hello(text),
        lambda text: subjects.invoke(text, "a.b"),
    ],
    ids=["capability", "topic", "message_id", "stream_id", "tenant", "tenant of an invoke"],
)
def test_what_would_change_the_meaning_of_a_subject_is_refused(
    build: Callable[[str], Any], text: str
) -> None:
    with pytest.raises(MigFault) as raised:
        build(text)
    assert raised.value.code is MigErrorCode.MIG_INVALID_REQUEST
    assert "in a subject" in raised.value.message


def test_a_tenant_is_one_token() -> None:
    with pytest.raises(MigFault):
        subjects.hello("acme.emea")


@pytest.mark.parametrize(
    "subject",
    [
        "",
        "mig.v0_1",
        "mig.v0_1.acme",
        "mig.v0_1.acme.",
        "mig.v0_1..hello",
        "mig.v0_1.*.hello",
        "mig.v0_1.acme.hello.x",
        "mig.v0_1.acme.invoke",
        "mig.v0_1.acme.invoke.",
        "mig.v0_1.acme.invoke.>",
        "mig.v0_1.acme.events.one",
        "mig.v0_1.acme.control",
        "mig.v0_1.acme.control.cancel",
        "mig.v0_1.acme.control.cancel.a..b",
        "mig.v0_2.acme.hello",
        "xmig.v0_1.acme.hello",
        "acme.hello",
        " mig.v0_1.acme.hello",
        "mig.v0_1.acme.hello\n",
    ],
)
def test_any_other_subject_is_refused(subject: str) -> None:
    with pytest.raises(MigFault) as raised:
        parse(subject)
    assert raised.value.code is MigErrorCode.MIG_INVALID_REQUEST


@given(st.text(max_size=40))
def test_no_text_makes_parsing_fail_otherwise(subject: str) -> None:
    with pytest.raises(MigFault):
        parse(f"mig.v0_1.{subject}*")


def test_subscriptions_match_what_is_asked_of_a_server_and_not_its_streams() -> None:
    assert SUBSCRIPTIONS["INVOKE"] == "mig.v0_1.*.invoke.>"
    assert SUBSCRIPTIONS["HEARTBEAT"] == "mig.v0_1.*.control.heartbeat"
    assert "STREAM" not in SUBSCRIPTIONS
