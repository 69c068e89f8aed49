"""`python -m mig_conformance URL`: hold a running server to the golden messages."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import click
from aiohttp import ClientError, ClientSession

from mig_conformance.http_server import in_order, judge_http
from mig_conformance.vectors import Vectors, load_vectors
from mig_conformance.verdict import Verdict, failed
from mig_conformance.websocket import judge_websocket

_FRAMES = "RequestFrame"


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("url")
@click.option(
    "--vectors",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=Path("spec/vectors"),
    show_default=True,
    help="The folder with the golden messages.",
)
def main(url: str, vectors: Path) -> None:
    """Send the golden messages to the server at URL, such as http://localhost:8080, and judge its answers.

    The server must not authenticate its callers, must offer the reference capability, and must have just been
    started: some of the messages create what others refer to. The exit status is 1 when a message failed.
    """
    try:
        verdicts = asyncio.run(judge_server(load_vectors(vectors), url))
    except (ValueError, ClientError) as error:
        raise click.UsageError(str(error)) from error
    wrong = failed(verdicts)
    for verdict in wrong:
        click.echo(str(verdict))
    skipped = sum(bool(verdict.skipped) for verdict in verdicts)
    passed = len(verdicts) - skipped - len(wrong)
    click.echo(f"{passed} passed, {len(wrong)} failed, {skipped} can not be said over HTTP")
    sys.exit(1 if wrong else 0)


async def judge_server(all_vectors: tuple[Vectors, ...], url: str) -> list[Verdict]:
    """Every vector that can be sent, over the WebSocket and over HTTP. Raises aiohttp.ClientError."""
    verdicts: list[Verdict] = []
    async with ClientSession(url) as session:
        for vectors in all_vectors:
            if vectors.message == _FRAMES:
                verdicts += await judge_websocket(vectors, session)
        for vectors in in_order(all_vectors):
            verdicts += await judge_http(vectors, session)
    return verdicts


if __name__ == "__main__":
    main(prog_name="python -m mig_conformance")
