"""`python -m mig_conformance.golden URL`: hold a running server to the golden messages."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path

import click
from aiohttp import ClientError
from nats.errors import Error as NatsError

from mig_conformance import suite
from mig_conformance.vectors import load_vectors, packaged_vectors
from mig_conformance.verdict import Verdict, failed

Judge = Callable[[], Awaitable[list[Verdict]]]


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("url")
@click.option("--grpc", metavar="HOST:PORT", help="Judge the server's gRPC binding there as well.")
@click.option("--nats", metavar="URL", help="Judge the server's NATS binding, too, through that NATS server.")
@click.option(
    "--vectors",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=packaged_vectors,
    show_default="those that came with it",
    help="The folder with the golden messages.",
)
def main(url: str, grpc: str | None, nats: str | None, vectors: Path) -> None:
    """Send the golden messages to the server at URL, such as http://localhost:8080, and judge its answers.

    The server must not authenticate its callers, must offer the reference capability, and must have just been
    started: some of the messages create what others refer to. The exit status is 1 when a message failed.
    """
    try:
        loaded = load_vectors(vectors)
        judges: dict[str, Judge] = {"WebSocket": partial(suite.judge_over_websocket, loaded, url)}
        if grpc is not None:
            judges["gRPC"] = partial(suite.judge_over_grpc, loaded, grpc)
        if nats is not None:
            judges["NATS"] = partial(suite.judge_over_nats, loaded, nats)
        # Last: it sets a quota that leaves nothing for the others.
        judges["HTTP"] = partial(suite.judge_over_http, loaded, url)
        passed = asyncio.run(_all_pass(judges))
    except (ValueError, OSError, ClientError, NatsError) as error:
        raise click.UsageError(str(error)) from error
    sys.exit(0 if passed else 1)


async def _all_pass(judges: dict[str, Judge]) -> bool:
    """Says what failed, and one line for each binding."""
    passed = True
    for binding, judge in judges.items():
        verdicts = await judge()
        wrong = failed(verdicts)
        for verdict in wrong:
            click.echo(f"{binding}: {verdict}")
        skipped = sum(bool(verdict.skipped) for verdict in verdicts)
        right = len(verdicts) - skipped - len(wrong)
        click.echo(f"{binding}: {right} passed, {len(wrong)} failed, {skipped} can not be said over it")
        passed = passed and not wrong
    return passed


if __name__ == "__main__":
    main(prog_name="python -m mig_conformance.golden")
