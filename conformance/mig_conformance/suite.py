"""All that the vectors can be held against on one running server, binding by binding."""

from __future__ import annotations

from collections.abc import Sequence

import nats
from aiohttp import ClientSession
from grpc.aio import insecure_channel

from mig_conformance.grpc_server import judge_grpc, over_grpc
from mig_conformance.grpc_streams import judge_grpc_frames, judge_grpc_subscriptions
from mig_conformance.http_server import in_order, judge_http
from mig_conformance.nats_server import judge_nats, over_nats
from mig_conformance.vectors import Vectors
from mig_conformance.verdict import Verdict
from mig_conformance.websocket import judge_websocket

_FRAMES = "RequestFrame"
_SUBSCRIPTIONS = "SubscribeRequest"
_CONNECT_S = 5


async def judge_over_http(all_vectors: Sequence[Vectors], url: str) -> list[Verdict]:
    """Every operation, and what follows from a quota that runs out: to be judged last.

    Raises aiohttp.ClientError where no server answers.
    """
    async with ClientSession(url) as session:
        return [
            verdict for vectors in in_order(all_vectors) for verdict in await judge_http(vectors, session)
        ]


async def judge_over_websocket(all_vectors: Sequence[Vectors], url: str) -> list[Verdict]:
    """The stream frames. Raises aiohttp.ClientError where no server answers."""
    async with ClientSession(url) as session:
        return await judge_websocket(_named(_FRAMES, all_vectors), session)


async def judge_over_grpc(all_vectors: Sequence[Vectors], address: str) -> list[Verdict]:
    """Every RPC. Where no server answers, every verdict says so."""
    async with insecure_channel(address) as channel:
        verdicts = [
            verdict for vectors in over_grpc(all_vectors) for verdict in await judge_grpc(vectors, channel)
        ]
        verdicts += await judge_grpc_frames(_named(_FRAMES, all_vectors), channel)
        verdicts += await judge_grpc_subscriptions(_named(_SUBSCRIPTIONS, all_vectors), channel)
    return verdicts


async def judge_over_nats(all_vectors: Sequence[Vectors], url: str) -> list[Verdict]:
    """Every request. Raises nats.errors.Error or OSError where there is no NATS server at `url`."""
    client = await nats.connect(
        url,
        allow_reconnect=False,
        max_reconnect_attempts=1,
        reconnect_time_wait=0,
        connect_timeout=_CONNECT_S,
        error_cb=_told_by_the_exception,
    )
    try:
        return [
            verdict for vectors in over_nats(all_vectors) for verdict in await judge_nats(vectors, client)
        ]
    finally:
        await client.close()


async def _told_by_the_exception(error: Exception) -> None:
    """nats-py would print a traceback of what it raises as well."""


def _named(message: str, all_vectors: Sequence[Vectors]) -> Vectors:
    return next(vectors for vectors in all_vectors if vectors.message == message)
