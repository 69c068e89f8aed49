"""`python -m tools.soak [--operations N] [--quick]`."""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from pathlib import Path

import uvloop
from tools.bench import processes
from tools.bench.processes import Server
from tools.soak.caller import Caller
from tools.soak.verdict import Life, Reading
from tools.soak.work import Crew, Tally

_CALLERS = 32
_WARM_UP = 0.4
_MANIFEST = Path(__file__).parent / "server" / "migd.yaml"
# Rates that nobody meets but the slow tenant: so that every tenant has something to be remembered for.
_SETTINGS = {
    "MIGD_STORE": "sqlite",
    "MIGD_GRPC_ADDR": "127.0.0.1:0",
    "MIGD_TENANT_RATE_PER_S": "1000000",
    "MIGD_TENANT_CONCURRENCY": "1000",
}


def main() -> int:
    """Run, and print. The status is 1 when something is not as it should be."""
    options = _options()
    processes.take_load_core()
    with processes.migd("--config", str(_MANIFEST), **_SETTINGS) as server:
        life = uvloop.run(_live(server, options))
    _print(life)
    faults = list(life.faults())
    for fault in faults:
        print(f"FAULT {fault}")
    print("not as it should be" if faults else "all as it should be")
    return 1 if faults else 0


async def _live(server: Server, options: argparse.Namespace) -> Life:
    """Warm up, work, leave; the server is looked at in between."""
    tally = Tally()
    idle = _reading(server)
    until = asyncio.get_running_loop().time() + options.seconds
    warm_up = int(options.operations * _WARM_UP)
    async with Crew(server, _CALLERS, options.seed, tally) as crew:
        await _timed("warm-up", crew, tally, warm_up, filling=True, until=until)
        warm = _reading(server)
        await _timed("mixed", crew, tally, options.operations - warm_up, filling=False, until=until)
        full = _reading(server)
    usage = await _usage(server)
    return Life(
        tally=tally,
        wanted=options.operations,
        idle=idle,
        warm=warm,
        full=full,
        left=await _left(server, idle),
        usage=usage,
        most_growth_mb=options.most_growth,
    )


async def _timed(
    name: str, crew: Crew, tally: Tally, operations: int, *, filling: bool, until: float
) -> None:
    began, before = time.perf_counter(), tally.operations
    await crew.work(operations, filling=filling, until=until)
    seconds, done = time.perf_counter() - began, tally.operations - before
    print(f"{name}: {done:,} operations in {seconds:.1f} s, {done / seconds:,.0f} a second", flush=True)


async def _usage(server: Server) -> dict[str, int]:
    """The sums that should all be the same."""
    async with Caller(server.port, server.grpc_port) as caller:
        _, usage = await caller.ask("GET", "/cloud/v0.1/usage")
    return {
        "by tenant": sum(usage["tenant_invocations"].values()),
        "by capability": sum(usage["capability_invocations"].values()),
        "total": usage["total_invocations"],
    }


async def _left(server: Server, idle: Reading) -> Reading:
    """The server once it has seen that everyone is gone; if it does not, as it is after some seconds."""
    for _ in range(100):
        reading = _reading(server)
        if reading.files <= idle.files:
            break
        await asyncio.sleep(0.1)
    return reading


def _reading(server: Server) -> Reading:
    return Reading(rss=server.rss, files=server.files, threads=server.threads)


def _print(life: Life) -> None:
    for (kind, outcome), number in sorted(life.tally.outcomes.items()):
        print(f"  {kind:<30} {outcome:<20} {number:>10,}")
    print(f"{life.tally.operations:,} operations, {life.tally.unexpected.total():,} unexpected")
    for name in ("idle", "warm", "full", "left"):
        print(f"{name}: {getattr(life, name)}")
    print(f"memory after the warm-up: {life.growth_mb:+.1f} MB, at most {life.most_growth_mb:g}")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tools.soak", description="A long life in a few minutes.")
    parser.add_argument("--operations", type=int, metavar="N", help="how many in all; 1000000, quick 20000")
    parser.add_argument("--quick", action="store_true", help="too few to meet the bounds, for a first look")
    parser.add_argument("--seconds", type=float, default=1800.0, help="stop after so long in any case")
    parser.add_argument("--most-growth", type=float, default=16.0, metavar="MB", help="after the warm-up")
    parser.add_argument("--seed", type=int, default=1, help="another one chooses other names")
    options = parser.parse_args()
    options.operations = options.operations or (20_000 if options.quick else 1_000_000)
    return options


if __name__ == "__main__":
    sys.exit(main())
