"""`python -m tools.bench [NAME ...] [--quick]`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator

from tools.bench import catch_up, fan_out, grpc_unary, memory, nats_unary, publishing, starting, unary
from tools.bench.processes import take_load_core
from tools.bench.report import Figure, heading, line

Measure = Callable[..., Iterator[Figure]]
BENCHES: dict[str, Measure] = {
    "invoke": unary.measure,
    "grpc": grpc_unary.measure,
    "nats": nats_unary.measure,
    "fan-out": fan_out.measure,
    "publish": publishing.measure,
    "catch-up": catch_up.measure,
    "memory": memory.measure,
    "start": starting.measure_start,
    "generate": starting.measure_generate,
}


def main() -> int:
    """Measure and print. The status is 1 when a budget was missed."""
    options = _options()
    take_load_core()
    print(heading())
    missed = 0
    for name in options.names or BENCHES:
        for figure in BENCHES[name](quick=options.quick):
            print(line(figure), flush=True)
            missed += not figure.within
    return 1 if missed else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tools.bench", description="Measure migd against bare floors."
    )
    parser.add_argument("names", nargs="*", metavar="name", help=f"what to measure: {', '.join(BENCHES)}")
    parser.add_argument("--quick", action="store_true", help="a tenth of the time, for a first look")
    options = parser.parse_args()
    if unknown := set(options.names) - set(BENCHES):
        parser.error(f"no bench {', '.join(sorted(unknown))}; there are {', '.join(BENCHES)}")
    return options


if __name__ == "__main__":
    sys.exit(main())
