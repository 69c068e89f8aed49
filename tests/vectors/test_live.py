"""The golden messages against a running gateway."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest
from aiohttp import ClientSession

from mig_conformance import suite
from mig_conformance.grpc_server import over_grpc
from mig_conformance.http_server import in_order, judge_http
from mig_conformance.nats_server import over_nats
from mig_conformance.vectors import Vectors, load_vectors, packaged_vectors
from mig_conformance.verdict import failed
from mig_conformance.websocket import judge_websocket
from mig_protocol.grpc_service import RPCS
from mig_protocol.operations import OPERATIONS
from support.nats_servers import running_nats
from support.running_migd import local_migd, running_migd
from support.until import until

VECTORS = load_vectors(packaged_vectors())
OVER_HTTP = in_order(VECTORS)
DIRECTORY = [
    vectors for vectors in OVER_HTTP if vectors.operation and vectors.operation.startswith("CREATE_")
]
REQUESTS_OVER_NATS = [op for op in OPERATIONS if op.nats is not None and op.shape == "unary"]
[FRAMES] = [vectors for vectors in VECTORS if vectors.message == "RequestFrame"]


@pytest.mark.parametrize(
    "vectors",
    [vectors for vectors in OVER_HTTP if vectors not in DIRECTORY],
    ids=lambda vectors: vectors.message,
)
async def test_the_gateway_takes_and_refuses_what_the_vectors_say(vectors: Vectors) -> None:
    async with local_migd() as migd, ClientSession(migd.url) as session:
        verdicts = await judge_http(vectors, session)
    assert not failed(verdicts)
    assert [verdict for verdict in verdicts if not verdict.skipped]


async def test_orgs_tenants_and_gateways_refer_to_each_other() -> None:
    async with local_migd() as migd, ClientSession(migd.url) as session:
        for vectors in DIRECTORY:
            assert not failed(await judge_http(vectors, session))
    assert len(DIRECTORY) == 3


async def test_frames_are_taken_and_refused_over_one_websocket() -> None:
    async with local_migd() as migd, ClientSession(migd.url) as session:
        verdicts = await judge_websocket(FRAMES, session)
    assert len(verdicts) == len(FRAMES.valid) + len(FRAMES.malformed)
    assert not failed(verdicts)


async def test_every_rpc_takes_and_refuses_what_the_vectors_say() -> None:
    async with local_migd(MIGD_GRPC_ADDR="127.0.0.1:0") as migd:
        assert migd.grpc is not None
        verdicts = await suite.judge_over_grpc(VECTORS, str(migd.grpc.address))
    assert not failed(verdicts)
    tried = {verdict.message for verdict in verdicts if not verdict.skipped}
    assert tried == {vectors.message for vectors in over_grpc(VECTORS)} | {"RequestFrame", "SubscribeRequest"}
    assert len(tried) == len(RPCS)


async def test_every_nats_request_is_taken_or_refused_as_the_vectors_say(tmp_path: Path) -> None:
    with running_nats(tmp_path) as nats:
        async with local_migd(MIGD_NATS_URL=nats.url) as migd:
            await until(lambda: migd.gateway.readiness().status == "ok")
            verdicts = await suite.judge_over_nats(VECTORS, nats.url)
    assert not failed(verdicts)
    tried = {verdict.message for verdict in verdicts if not verdict.skipped}
    assert tried == {vectors.message for vectors in over_nats(VECTORS)}
    assert len(tried) == len(REQUESTS_OVER_NATS)


async def test_the_command_judges_every_binding_that_it_is_told_of(tmp_path: Path) -> None:
    with running_nats(tmp_path) as nats:
        async with local_migd(MIGD_NATS_URL=nats.url, MIGD_GRPC_ADDR="127.0.0.1:0") as migd:
            await until(lambda: migd.gateway.readiness().status == "ok")
            assert migd.grpc is not None
            told = ("--grpc", str(migd.grpc.address), "--nats", nats.url)
            done = await asyncio.to_thread(run_command, migd.url, *told)
    assert done.returncode == 0, done.stdout + done.stderr
    judged = [line.partition(":")[0] for line in done.stdout.splitlines()]
    assert judged == ["WebSocket", "gRPC", "NATS", "HTTP"]


def test_a_binding_that_is_not_there_fails_and_is_no_traceback(tmp_path: Path) -> None:
    with running_nats(tmp_path) as nats, running_migd() as migd:
        done = run_command(migd.url, "--grpc", "127.0.0.1:9", "--nats", nats.url)
        nobody = run_command(migd.url, "--nats", "nats://127.0.0.1:9")
    assert done.returncode == 1
    assert "gRPC: 0 passed" in done.stdout
    assert "NATS: 0 passed" in done.stdout
    assert "Traceback" not in done.stderr
    assert nobody.returncode == 2
    assert "Traceback" not in nobody.stderr


def test_every_request_message_is_sent_somewhere() -> None:
    sent = {vectors.message for vectors in (*OVER_HTTP, FRAMES)}
    assert sent == {vectors.message for vectors in VECTORS if vectors.operation is not None}


def test_the_command_judges_a_server_of_which_it_knows_the_url_only() -> None:
    with running_migd() as migd:
        done = run_command(migd.url)
    assert done.returncode == 0, done.stdout + done.stderr
    assert " 0 failed" in done.stdout


def test_the_command_says_what_failed() -> None:
    with running_migd(MIGD_REQUIRE_TENANT_HEADER="true") as migd:
        done = run_command(migd.url)
    assert done.returncode == 1
    assert "FAILED HelloRequest, " in done.stdout


def test_the_command_says_when_a_folder_has_no_messages(tmp_path: Path) -> None:
    done = run_command("http://127.0.0.1:9", "--vectors", str(tmp_path))
    assert done.returncode == 2
    assert done.stderr.endswith(f"Error: {tmp_path} has no vectors (*.json)\n")


def test_the_command_says_when_nobody_answers() -> None:
    done = run_command("http://127.0.0.1:9")
    assert done.returncode == 2
    assert "127.0.0.1:9" in done.stderr


def run_command(url: str, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "mig_conformance.golden", url, *options],
        cwd="/",  # wherever it is started, it has its messages with it
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
