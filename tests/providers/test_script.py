"""The conformance fixture over HTTP and gRPC: every step of docs/CONFORMANCE-FIXTURE.md, for one answer."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest

from mig_protocol.errors import ERRORS
from mig_protocol.messages import MigErrorCode
from migd.core.schemas import PayloadSchema
from migd.providers.script import script_capability
from migd.providers.script.counters import Counters
from support.grpc_client import grpc_migd, plain
from support.running_migd import local_migd
from support.scripts import FIXTURE, HELD, SCRIPT, Scripts

TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


async def test_the_fixture_is_there_only_when_migd_is_told_to_serve_it(fixture: Scripts) -> None:
    discovered = await fixture.migd.post("/mig/v0.1/discover", {"header": {"tenant_id": "acme"}})
    assert [found for found in discovered.json["capabilities"] if found["id"] == SCRIPT] == [
        {
            "id": "mig.conformance.script",
            "version": "1.0.0",
            "modes": ["unary", "server_stream", "client_stream", "bidi_stream"],
            "input_schema_uri": "schema://mig/conformance/script-input/v1",
            "output_schema_uri": "schema://mig/conformance/script-output/v1",
            "event_topics": [],
            "auth_scopes": ["capability:infer"],
            "qos": {
                "max_payload_bytes": 65536,
                "supports_replay": False,
                "delivery_semantics": "at_least_once",
                "supports_ordering": True,
            },
        }
    ]
    async with local_migd() as migd:
        assert (await migd.invoke(SCRIPT)).code == "MIG_UNSUPPORTED_CAPABILITY"


async def test_an_empty_script_answers_with_what_reached_the_provider(fixture: Scripts) -> None:
    answer = await fixture.migd.invoke(SCRIPT, message_id="m-1")
    assert answer.json["result_schema_uri"] == "schema://mig/conformance/script-output/v1"
    assert answer.json["payload"] == {
        "result": {},
        "counters": {},
        "header": {"message_id": "m-1", "tenant_id": "acme", "deadline_ms": 30000, "meta": {}},
        "runs": 1,
        "emitted": 0,
        "taken": 0,
    }
    schema = script_capability().output_schema
    assert schema is not None
    assert PayloadSchema(schema).violations(answer.json["payload"], 1) == []


async def test_the_answer_echoes_the_header_without_what_is_the_gateways_own(fixture: Scripts) -> None:
    header = {
        "message_id": "m-1",
        "session_id": "s-1",
        "traceparent": TRACEPARENT,
        "idempotency_key": "k-1",
        "deadline_ms": 4321,
    }
    answer = await fixture.run(**header, meta={"shelf": [1, {"b": "c"}], "idg.principal_subject": "mallory"})
    assert answer.json["payload"]["header"] == {
        **header,
        "tenant_id": "acme",
        "meta": {"shelf": [1, {"b": "c"}]},
    }


async def test_the_result_is_given_back(fixture: Scripts) -> None:
    answer = await fixture.migd.invoke(SCRIPT, {"result": {"n": 1, "deep": {"er": [None, True]}}})
    assert answer.json["payload"]["result"] == {"n": 1, "deep": {"er": [None, True]}}


@pytest.mark.parametrize("code", MigErrorCode, ids=str)
async def test_fail_fails_with_the_code_message_and_details_that_it_says(
    fixture: Scripts, code: MigErrorCode
) -> None:
    failure = {"code": code.value, "message": "as scripted", "details": {"shelf": 7}}
    answer = await fixture.run({"mark": "before"}, {"fail": failure}, {"mark": "after"})
    assert answer.status == ERRORS[code].http_status
    assert answer.json["error"] == {**failure, "retryable": ERRORS[code].retryable}
    assert (await fixture.read("before"), await fixture.read("after")) == (1, 0)


async def test_the_text_of_a_crash_is_in_the_log_and_never_reaches_the_caller(
    fixture: Scripts, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR):
        answer = await fixture.run({"crash": "a password of the provider"})
    assert (answer.status, answer.code) == (500, "MIG_INTERNAL")
    assert "password" not in f"{answer.raw!r} {answer.headers}"
    assert "a password of the provider" in caplog.text


async def test_emit_and_pieces_are_counted_where_there_is_only_one_answer(fixture: Scripts) -> None:
    answer = await fixture.run({"emit": {"times": 3}}, {"pieces": {"bytes": 9, "times": 2}}, {"take": 5})
    assert (answer.json["payload"]["emitted"], answer.json["payload"]["taken"]) == (5, 0)


async def test_a_mark_lets_another_run_go_on_that_waits_for_it(fixture: Scripts) -> None:
    held = asyncio.create_task(
        fixture.run({"mark": "held"}, {"await_mark": {"key": "go", "count": 2}}, {"mark": "went"})
    )
    await fixture.run({"await_mark": {"key": "held"}}, {"mark": "go"})
    assert await fixture.read("went") == 0
    await fixture.run({"mark": "go"})
    assert (await held).json["payload"]["counters"] == {"held": 1, "go": 2, "went": 1}


async def test_what_the_deadline_stops_marks_that_it_was_stopped(fixture: Scripts) -> None:
    answer = await fixture.run({"mark_on_stop": "stopped"}, HELD, {"mark": "went on"}, deadline_ms=50)
    assert answer.code == "MIG_TIMEOUT"
    assert await fixture.reached("stopped") == 1
    assert await fixture.read("went on") == 0


@pytest.mark.parametrize("waiting", [HELD, {"await_mark": {"key": "never"}}])
async def test_what_cancel_stops_marks_that_it_was_stopped(fixture: Scripts, waiting: Any) -> None:
    steps = {"mark": "begun"}, {"mark_on_stop": "stopped"}, waiting, {"mark_on_stop": "stopped later"}
    run = asyncio.create_task(fixture.run(*steps, message_id="m-1"))
    await fixture.reached("begun")
    await fixture.cancel("m-1")
    assert (await run).json["error"]["details"]["cancelled"] is True
    assert await fixture.reached("stopped") == 1
    assert await fixture.read("stopped later") == 0


async def test_a_caller_that_goes_away_stops_the_run(fixture: Scripts) -> None:
    run = asyncio.create_task(fixture.run({"mark_on_stop": "stopped"}, {"mark": "begun"}, HELD))
    await fixture.reached("begun")
    run.cancel()
    assert await fixture.reached("stopped") == 1


async def test_what_ends_by_itself_was_not_stopped(fixture: Scripts) -> None:
    stop, ends = {"mark_on_stop": "stopped"}, ({"mark": "x"}, {"crash": "x"})
    failure = {"fail": {"code": "MIG_TIMEOUT", "message": "by itself"}}
    for end in (*ends, failure):
        await fixture.run(stop, end)
    assert await fixture.read("stopped") == 0


async def test_a_long_script_without_a_pause_can_be_stopped(fixture: Scripts) -> None:
    endless = [{"emit": {"times": 10_000}}] * 97
    run = asyncio.create_task(
        fixture.run({"mark_on_stop": "stopped"}, {"mark": "begun"}, *endless, message_id="m-1")
    )
    await fixture.reached("begun")
    await fixture.cancel("m-1")
    assert (await run).code == "MIG_TIMEOUT"
    assert await fixture.reached("stopped") == 1


async def test_tenants_do_not_see_each_others_counters_and_runs(fixture: Scripts) -> None:
    await fixture.run({"mark": "k"}, message_id="m-1")
    other = await fixture.run({"mark": "k"}, {"mark": "k"}, message_id="m-1", tenant="globex")
    assert (other.json["payload"]["counters"], other.json["payload"]["runs"]) == ({"k": 2}, 1)
    assert await fixture.read("k") == 1


async def test_runs_counts_those_with_the_same_message_id(fixture: Scripts) -> None:
    runs = [(await fixture.run(message_id=id)).json["payload"]["runs"] for id in ("m-1", "m-2", "m-1")]
    assert runs == [1, 1, 2]


async def test_what_is_given_again_for_an_idempotency_key_did_not_run_again(fixture: Scripts) -> None:
    first, again = [await fixture.run({"mark": "ran"}, idempotency_key="k-1") for _ in range(2)]
    assert again.json["header"]["meta"]["mig.idempotent_replay"] is True
    assert again.json["payload"] == first.json["payload"]
    assert await fixture.read("ran") == 1


@pytest.mark.parametrize(
    ("payload", "pointer"),
    [
        ({"step": []}, ""),
        ({"steps": [{}]}, "/steps/0"),
        ({"steps": [{"jump": 1}]}, "/steps/0"),
        ({"steps": [{"mark": "a", "read": "a"}]}, "/steps/0"),
        ({"steps": [{"mark": "a"}] * 101}, "/steps"),
        ({"steps": [{"emit": {"times": 0}}]}, "/steps/0/emit/times"),
        ({"steps": [{"emit": {"times": 10_001}}]}, "/steps/0/emit/times"),
        ({"steps": [{"emit": {"time": 1}}]}, "/steps/0/emit"),
        ({"steps": [{"wait_ms": 60_001}]}, "/steps/0/wait_ms"),
        ({"steps": [{"wait_ms": -1}]}, "/steps/0/wait_ms"),
        ({"steps": [{"pieces": {"bytes": 262_145}}]}, "/steps/0/pieces/bytes"),
        ({"steps": [{"pieces": {"times": 1}}]}, "/steps/0/pieces"),
        ({"steps": [{"fail": {"code": "MIG_ODD", "message": "m"}}]}, "/steps/0/fail/code"),
        ({"steps": [{"fail": {"code": "MIG_TIMEOUT", "message": ""}}]}, "/steps/0/fail/message"),
        ({"steps": [{"crash": "x" * 1001}]}, "/steps/0/crash"),
        ({"steps": [{"mark": "k" * 129}]}, "/steps/0/mark"),
        ({"steps": [{"mark_on_stop": ""}]}, "/steps/0/mark_on_stop"),
        ({"steps": [{"await_mark": {"key": "k", "count": 1_000_001}}]}, "/steps/0/await_mark/count"),
        ({"steps": [{"take": 10_001}]}, "/steps/0/take"),
        ({"steps": [{"take": "all"}]}, "/steps/0/take"),
        ({"result": {str(n): n for n in range(101)}}, "/result"),
    ],
)
async def test_what_the_input_schema_does_not_know_or_bound_is_refused(
    fixture: Scripts, payload: Any, pointer: str
) -> None:
    answer = await fixture.migd.invoke(SCRIPT, payload)
    assert answer.code == "MIG_INVALID_REQUEST"
    assert [found["pointer"] for found in answer.json["error"]["details"]["violations"]] == [pointer]


async def test_a_script_of_more_than_64_kib_is_too_large(fixture: Scripts) -> None:
    answer = await fixture.migd.invoke(SCRIPT, {"result": {"text": "x" * 65536}})
    assert (answer.status, answer.code) == (413, "MIG_INVALID_REQUEST")


async def test_of_more_counters_than_there_is_room_for_the_one_that_rested_longest_is_forgotten() -> None:
    counters = Counters(limit=2)
    for key in ("a", "b", "a", "c"):
        counters.add("acme", key)
    assert [counters.of("acme", key) for key in ("a", "b", "c")] == [2, 0, 1]


async def test_over_grpc_a_script_is_the_same_script() -> None:
    async with grpc_migd(**FIXTURE) as (_, client):
        script = {"steps": [{"emit": {"times": 2}}, {"mark": "k"}, {"wait_ms": 1}]}
        answer = await client.invoke(SCRIPT, script, message_id="m-1")
        assert plain(answer.payload) == {
            "result": {},
            "counters": {"k": 1},
            "header": {"message_id": "m-1", "tenant_id": "acme", "deadline_ms": 30000, "meta": {}},
            "runs": 1,
            "emitted": 2,
            "taken": 0,
        }
