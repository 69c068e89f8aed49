"""`python3 -m core_server`: see README.md."""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import signal
import uuid

from core_server.capabilities import INFER, script
from core_server.core import CoreServer
from core_server.http1 import listen


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="core_server", description="A MIG 0.1 server, profile core, over HTTP."
    )
    parser.add_argument("--host", default="127.0.0.1", help="where it listens (%(default)s)")
    parser.add_argument("--port", type=int, default=8080, help="0 takes a free one (%(default)s)")
    parser.add_argument(
        "--fixture", action="store_true", help="serve mig.conformance.script, for testing only"
    )
    parser.epilog = "JWT_SECRET in the environment: every caller needs a token that it has signed with HS256."
    return parser.parse_args()


async def _serve(options: argparse.Namespace) -> None:
    secret = os.environ.get("JWT_SECRET", "").encode() or None
    capabilities = [INFER, *([script()] if options.fixture else [])]
    core = CoreServer(capabilities, server_id=f"core-server-{uuid.uuid4()}", secret=secret)
    ended = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    server = await listen(core.answer, options.host, options.port)
    port = server.sockets[0].getsockname()[1]
    print(f"ready on http://{options.host}:{port}", flush=True)
    await ended.wait()
    server.close()


def main() -> None:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    options = _options()
    try:
        asyncio.run(_serve(options))
    except OSError as error:
        raise SystemExit(
            f"core_server: can not listen on {options.host}:{options.port}: {error.strerror}"
        ) from None


main()
