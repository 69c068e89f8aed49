"""The golden messages against a running gateway."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from aiohttp import ClientSession

from mig_conformance.http_server import in_order, judge_http
from mig_conformance.vectors import Vectors, load_vectors
from mig_conformance.verdict import failed
from mig_conformance.websocket import judge_websocket
from support.running_migd import local_migd, running_migd

FOLDER = Path(__file__).parents[2] / "spec" / "vectors"
VECTORS = load_vectors(FOLDER)
OVER_HTTP = in_order(VECTORS)
DIRECTORY = [
    vectors for vectors in OVER_HTTP if vectors.operation and vectors.operation.startswith("CREATE_")
]
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


def test_the_command_says_when_nobody_answers() -> None:
    done = run_command("http://127.0.0.1:9")
    assert done.returncode == 2
    assert "127.0.0.1:9" in done.stderr


def run_command(url: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "mig_conformance", url, "--vectors", str(FOLDER)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
