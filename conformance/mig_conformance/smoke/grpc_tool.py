"""`mig-grpc-smoke -addr localhost:9090 -tenant acme [-token T]`: is a MIG server right over gRPC?"""

from __future__ import annotations

import asyncio
import os
import sys
import uuid
from collections.abc import Sequence
from typing import Any

from mig_conformance.smoke.arguments import Arguments, read_arguments
from mig_conformance.smoke.report import UNUSABLE, ServerGoneError, run_checks
from mig_protocol.messages import BindingType


def main(argv: Sequence[str] | None = None) -> None:
    """Run every check and print a line about each; the exit status is that of `report`."""
    arguments = read_arguments(
        sys.argv[1:] if argv is None else argv,
        prog="mig-grpc-smoke",
        server_option="addr",
        default="localhost:9090",
        about="host:port of the gRPC listener",
    )
    # What gRPC itself would write to standard error is said here in a line of ours.
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    try:
        status = asyncio.run(_smoke(arguments))
    except ServerGoneError as gone:
        print(f"mig-grpc-smoke: {gone}", file=sys.stderr)  # noqa: T201
        status = UNUSABLE
    except KeyboardInterrupt:
        status = 130
    sys.exit(status)


async def _smoke(arguments: Arguments) -> int:
    # grpc is imported here, so that -h and a mistyped option need not wait for it.
    from grpc import aio
    from mig_conformance.smoke.grpc_calls import GrpcCalls
    from mig_conformance.smoke.grpc_checks import GrpcChecks
    from mig_conformance.smoke.unary import UnaryChecks

    async with aio.insecure_channel(arguments.server) as channel:
        await _connect(channel, arguments)
        calls = GrpcCalls(channel, arguments.tenant, arguments.token)
        open_mode = arguments.token is None
        checks = [
            *UnaryChecks(calls, BindingType.grpc, _new_id).all(),
            *GrpcChecks(
                calls,
                nobody=GrpcCalls(channel, None, None) if open_mode else None,
                other=GrpcCalls(channel, f"{arguments.tenant[:58]}-other", None) if open_mode else None,
                new_id=_new_id,
            ).all(),
        ]
        return await run_checks(checks, _say, timeout_s=arguments.timeout_s)


async def _connect(channel: Any, arguments: Arguments) -> None:
    """Raises ServerGoneError when the first attempt fails."""
    from grpc import ChannelConnectivity

    failed = (ChannelConnectivity.TRANSIENT_FAILURE, ChannelConnectivity.SHUTDOWN)
    state = channel.get_state(try_to_connect=True)
    try:
        async with asyncio.timeout(arguments.timeout_s):
            while state is not ChannelConnectivity.READY and state not in failed:
                await channel.wait_for_state_change(state)
                state = channel.get_state(try_to_connect=True)
    except TimeoutError:
        state = ChannelConnectivity.SHUTDOWN
    if state in failed:
        raise ServerGoneError(
            f"no gRPC server answers at {arguments.server}; is it running, and is -addr right?"
        )


def _new_id() -> str:
    return str(uuid.uuid4())


def _say(line: str) -> None:
    print(line, flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
