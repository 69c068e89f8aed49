"""`mig-nats-smoke -url nats://localhost:4222 -tenant acme [-token T]`: is a MIG server right over NATS?"""

from __future__ import annotations

import asyncio
import sys
import uuid
from collections.abc import Callable, Sequence

from mig_conformance.flaws import UnreachableError
from mig_conformance.smoke.arguments import Arguments, read_arguments
from mig_conformance.smoke.report import UNUSABLE, ServerGoneError, run_checks
from mig_protocol.messages import BindingType

_CONNECT_S = 2


def main(argv: Sequence[str] | None = None) -> None:
    """Run every check and print a line about each; the exit status is that of `report`."""
    arguments = nats_arguments(sys.argv[1:] if argv is None else argv)
    try:
        status = asyncio.run(smoke(arguments, _say))
    except ServerGoneError as gone:
        print(f"mig-nats-smoke: {gone}", file=sys.stderr)  # noqa: T201
        status = UNUSABLE
    except KeyboardInterrupt:
        status = 130
    sys.exit(status)


def nats_arguments(argv: Sequence[str]) -> Arguments:
    """The command line of this tool."""
    return read_arguments(
        argv,
        prog="mig-nats-smoke",
        server_option="url",
        default="nats://localhost:4222",
        about="URL of the NATS server that the MIG server is connected to",
    )


async def smoke(arguments: Arguments, write: Callable[[str], object]) -> int:
    """Run every check and write a line about each; the exit status. Raises ServerGoneError."""
    # nats-py is imported here, so that -h and a mistyped option need not wait for it.
    from mig_conformance.drivers.nats_connection import connect
    from mig_conformance.smoke.nats_calls import NatsCalls
    from mig_conformance.smoke.nats_checks import NatsChecks
    from mig_conformance.smoke.unary import UnaryChecks

    try:
        client = await connect(arguments.server)
    except UnreachableError as gone:
        raise ServerGoneError(str(gone)) from None
    try:
        calls = NatsCalls(client, arguments.tenant, arguments.token, arguments.timeout_s)
        checks = [*UnaryChecks(calls, BindingType.nats, _new_id).all(), *NatsChecks(calls, _new_id).all()]
        return await run_checks(checks, write, timeout_s=arguments.timeout_s * 2)
    finally:
        await client.close()


def _new_id() -> str:
    return str(uuid.uuid4())


def _say(line: str) -> None:
    print(line, flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
