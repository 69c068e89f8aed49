"""What a mutant does to one message: no socket, no server."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import jwt
import pytest

from mig_conformance import reference
from mig_conformance.drivers.port import BINDINGS
from mig_conformance.selfproof.answers import Means
from mig_conformance.selfproof.mutant import At, Change
from mig_conformance.selfproof.mutation import Mutation
from mig_conformance.selfproof.passage import Passage
from mig_conformance.subject.callers import Callers
from mig_conformance.subject.subject import Auth, Subject

SECRET = "a secret that is long enough for a test"
SUBJECT = Subject(auth=Auth(mode="jwt", hs256_secret=SECRET))
HEADER = {"message_id": "m-1", "tenant_id": "acme", "deadline_ms": 50, "meta": {"idg.x": 1, "mine": 2}}


def mutation(*edits: tuple[str, Any], at: At = "request", **change: Any) -> Mutation:
    means = Means(
        callers=Callers(SUBJECT), now=lambda: datetime(2026, 1, 2, tzinfo=UTC), new_id=lambda: "new"
    )
    return Mutation([Change(at=at, do=edits, **change)], BINDINGS, means)


def passing(message: Any, *at: At, **further: Any) -> Passage:
    return Passage(
        at=frozenset(at or ("request",)),
        binding="http",
        operations=frozenset({"INVOKE", "/mig/v0.1/invoke/x"}),
        message=message,
        raw=json.dumps(message).encode(),
        **further,
    )


def after(message: Any, *edits: tuple[str, Any], **further: Any) -> Any:
    passage = passing(message, **further)
    assert mutation(*edits).through(passage) == [passage]
    return json.loads(passage.json())


@pytest.mark.parametrize(
    ("edit", "before", "expected"),
    [
        (("remove", "/a/b"), {"a": {"b": 1, "c": 2}}, {"a": {"c": 2}}),
        (("remove", "/a/*/b"), {"a": [{"b": 1}, {"c": 2}]}, {"a": [{}, {"c": 2}]}),
        (("remove", "/a/*"), {"a": [1, 2, 3]}, {"a": []}),
        (("set", {"/a/b": 1}), {}, {"a": {"b": 1}}),
        (("set", {"/a/1": "last"}), {"a": ["first"]}, {"a": ["first", "last"]}),
        (
            ("set", {"/a": "${message./b/0}", "/c": "<${message./b/0}>"}),
            {"b": [7]},
            {"a": 7, "b": [7], "c": "<7>"},
        ),
        (("add", {"/a": -1}), {"a": 3}, {"a": 2}),
        (("rename", {"/a/b": "c"}), {"a": {"b": 1}}, {"a": {"c": 1}}),
        (("text", "/a"), {"a": 12}, {"a": "12"}),
        (("respell", {"/a/*": {"unary": "UNARY"}}), {"a": ["unary", "bidi"]}, {"a": ["UNARY", "bidi"]}),
        (("reverse", "/a"), {"a": [1, 2]}, {"a": [2, 1]}),
        (("replace", {'"a": 1': '"a": 1.5'}), {"a": 1}, {"a": 1.5}),
        (("body", "[]"), {"a": 1}, []),
    ],
)
def test_an_edit_changes_what_it_says_and_nothing_else(
    edit: tuple[str, Any], before: Any, expected: Any
) -> None:
    assert after(before, edit) == expected


@pytest.mark.parametrize(
    "edit", [("remove", "/x/y"), ("text", "/x"), ("hide", "/header/x"), ("rename", {"/x": "y"})]
)
def test_bytes_pass_untouched_where_there_is_nothing_to_change(edit: tuple[str, Any]) -> None:
    passage = Passage(
        at=frozenset({"request"}), binding="http", operations=frozenset(), message={"a": 1}, raw=b'{ "a":1 }'
    )
    mutation(edit).through(passage)
    assert passage.json() == b'{ "a":1 }'


def test_what_is_hidden_from_the_server_is_in_the_header_of_its_answer() -> None:
    hiding = mutation(("hide", "/header/deadline_ms"))
    asked = passing({"header": dict(HEADER)})
    hiding.through(asked)
    assert "deadline_ms" not in asked.message["header"]
    answer = passing({"header": {"deadline_ms": 30000}}, "answer", request=asked)
    hiding.through(answer)
    assert answer.message == {"header": {"deadline_ms": 50}}


def test_a_request_in_the_name_of_another_tenant_is_answered_in_the_name_of_the_own() -> None:
    swapping = mutation(("tenant", "other"))
    asked = passing({"header": {"tenant_id": "acme"}}, tenant="acme")
    swapping.through(asked)
    assert (asked.new_tenant, asked.message["header"]["tenant_id"]) == ("other", "other")
    answer = passing({"header": {"tenant_id": "other"}}, "answer", request=asked)
    swapping.through(answer)
    assert answer.message["header"]["tenant_id"] == "acme"


def sent(over: Mutation, numbers: Sequence[int], **further: Any) -> list[int]:
    return [
        each.message["n"] for n in numbers for each in over.through(passing({"n": n}, "event", **further))
    ]


def test_the_flow_of_messages_can_lose_repeat_and_swap_one() -> None:
    assert sent(mutation(("drop", True), at="event", nth=2), [1, 2, 3]) == [1, 3]
    assert sent(mutation(("twice", True), at="event", nth=2), [1, 2, 3]) == [1, 2, 2, 3]
    assert sent(mutation(("swap", True), at="event", nth=1), [1, 2, 3]) == [2, 1, 3]


def test_what_is_held_back_to_the_end_of_its_connection_is_not_lost() -> None:
    swapping = mutation(("swap", True), at="event", nth=2)
    assert sent(swapping, [1, 2], scope="a") == [1]
    assert not swapping.left("b")
    assert [each.message["n"] for each in swapping.left("a")] == [2]


def test_the_nth_is_counted_on_each_connection_and_among_what_matches() -> None:
    dropping = mutation(("drop", True), at="event", nth=1, when={"/n": 2})
    assert sent(dropping, [1, 2, 2], scope="a") == [1, 2]
    assert sent(dropping, [1, 2, 2], scope="b") == [1, 2]
    assert dropping.hits == 2


@pytest.mark.parametrize(
    ("change", "hit"),
    [
        ({"of": ("INVOKE",)}, True),
        ({"of": ("/mig/v0.1/*",)}, True),
        ({"of": ("HELLO",)}, False),
        ({"at": "answer"}, False),
        ({"when": {"/a": 1, "status": 200, "fields.x": "y", "request./b": 2}}, True),
        ({"when": {"/a": 2}}, False),
        ({"when": {"/list/*": 3}}, True),
        ({"when": {"status": 404}}, False),
        ({"when": {"fields.other": "y"}}, False),
        ({"when": {"request./b": 3}}, False),
    ],
)
def test_only_what_a_change_is_about_is_changed(change: dict[str, Any], hit: bool) -> None:
    over = mutation(("delay_ms", 1), **change)
    request = passing({"b": 2})
    over.through(passing({"a": 1, "list": [2, 3]}, status=200, fields={"x": "y"}, request=request))
    assert over.hits == hit


def test_other_bindings_than_the_mutants_are_left_alone() -> None:
    means = Means(callers=Callers(SUBJECT), now=lambda: datetime.now(UTC), new_id=lambda: "new")
    over = Mutation([Change(at="request", do=(("drop", True),))], ["grpc"], means)
    assert len(over.through(passing({}))) == 1
    assert over.hits == 0


@pytest.mark.parametrize(
    ("given", "schema"),
    [
        (
            {
                "message": {
                    "accepted": True,
                    "status": "cancelled",
                    "target_message_id": "${message./header/message_id}",
                }
            },
            "CancelAck",
        ),
        ({"error": {"code": "MIG_TIMEOUT", "message": "late", "retryable": True}}, "ErrorEnvelope"),
    ],
)
def test_an_answer_in_the_servers_place_is_wrong_in_nothing_but_what_it_says(given: Any, schema: str) -> None:
    passage = passing({"header": dict(HEADER)})
    mutation(("answer", given)).through(passage)
    assert passage.answer is not None
    assert not reference.violations(schema, passage.answer)
    header = passage.answer["header"]
    assert (header["message_id"], header["tenant_id"], header["deadline_ms"]) == ("m-1", "acme", 50)
    assert header["meta"]["mine"] == 2
    assert "idg.x" not in header["meta"]


def test_a_frame_is_answered_with_a_frame_of_its_stream() -> None:
    ack = {"message": {"accepted": True, "status": "cancelled"}}
    cancel = passing(
        {"kind": "control", "stream_id": "s", "payload": {"action": "cancel"}}, "frame_in", "request"
    )
    mutation(("answer", ack)).through(cancel)
    assert cancel.answer is not None
    assert not reference.violations("StreamFrame", cancel.answer)
    assert cancel.answer["kind"] == "control"
    assert cancel.answer["payload"] == {"accepted": True, "status": "cancelled"}


def test_a_token_is_believed_whoever_signed_it_and_however_old_it_is() -> None:
    forged = jwt.encode({"tenant_id": "acme", "exp": 1}, "not the secret", algorithm="HS256")
    passage = passing({}, fields={"authorization": f"Bearer {forged}"})
    mutation(("believe", {"scope": "mig:admin"})).through(passage)
    token = str(passage.new_fields["authorization"]).removeprefix("Bearer ")
    claims = jwt.decode(token, SECRET, algorithms=["HS256"])
    assert (claims["tenant_id"], claims["scope"]) == ("acme", "mig:admin")


def test_an_edit_that_can_not_be_made_is_a_fault_of_the_mutant() -> None:
    over = mutation(("add", {"/a": 1}))
    passage = passing({"a": "text"})
    over.through(passage)
    assert "add" in over.faults[0]
    assert json.loads(passage.json()) == {"a": "text"}
