"""MIGD_MAX_DEPTH: what can be read over one binding can be read over all of them."""

from __future__ import annotations

from typing import Any

import pytest

from mig_protocol.pb import mig_pb2 as pb
from support.grpc_client import connected, error_in, plain, refused
from support.running_migd import Answer, local_migd

GRPC = {"MIGD_GRPC_ADDR": "127.0.0.1:0"}


def level(number: int) -> dict[str, Any]:
    """An object with objects and lists within each other, so many with itself."""
    inner: dict[str, Any] = {"input": "x"}
    for below in range(number - 1):
        # A list counts as much as an object, and is what is innermost where there are two more levels.
        inner = {"input": "x", "in": inner} if below else {"input": "x", "in": ["y"]}
    return inner


def is_refused(answer: Answer, pointer: str) -> bool:
    assert (answer.status, answer.code) == (400, "MIG_INVALID_REQUEST")
    details = answer.json["error"]["details"]
    return bool(details["violations"][0]["pointer"] == pointer and details["max_depth"] == 5)


@pytest.mark.parametrize("path", ["/mig/v0.1/invoke/observatory.models.infer", "/mig/v0.1/publish/a.b"])
async def test_a_payload_and_a_meta_are_taken_up_to_the_bound_and_no_further(path: str) -> None:
    async with local_migd(MIGD_MAX_DEPTH="5") as migd:

        async def ask(levels: int, meta: int) -> Answer:
            header = {"tenant_id": "acme", "meta": level(meta)}
            return await migd.post(path, {"header": header, "payload": level(levels)})

        assert (await ask(5, 5)).status == 200
        assert is_refused(await ask(6, 1), "/payload")
        assert is_refused(await ask(1, 6), "/header/meta")


async def test_what_is_published_over_one_binding_can_be_read_over_another() -> None:
    async with local_migd(**GRPC) as migd, connected(migd) as client:
        events = await client.subscribe("a.b")
        header = {"tenant_id": "acme", "meta": level(32)}
        answer = await migd.post("/mig/v0.1/publish/a.b", {"header": header, "payload": level(32)})
        assert answer.status == 200
        assert plain((await events.read()).payload) == level(32)
        too_deep = await migd.post("/mig/v0.1/publish/a.b", {"header": header, "payload": level(33)})
        assert too_deep.code == "MIG_INVALID_REQUEST"


async def test_an_answer_to_the_deepest_payload_can_be_read_over_grpc() -> None:
    async with local_migd(**GRPC) as migd, connected(migd) as client:
        answer = await client.invoke(payload=level(32))
        assert plain(answer.payload)["echo"] == level(32)
        status, _ = await refused(client.invoke(payload=level(33)))
        assert error_in(status).code == pb.MIG_INVALID_REQUEST
