"""`python tests/fuzz/decoders/coverage_guided.py TARGET FOLDER|INPUT [OPTION...]`: one target under atheris.

FOLDER is where inputs that reached something new are kept; a file in its place is one input, and all that is
tried. The options are libFuzzer's. It ends with status 0 when the time or the runs that they allow are over,
and with another one at the first finding, whose input is written where -artifact_prefix says.
"""

from __future__ import annotations

import sys
from pathlib import Path

import atheris

_TESTS = Path(__file__).parents[2]


def main(name: str, place: Path, options: list[str]) -> None:
    """Does not return: libFuzzer ends the process."""
    sys.path[:0] = [str(_TESTS)]
    with atheris.instrument_imports(include=["mig_protocol", "migd", "fuzz"]):
        from fuzz.decoders.targets import target_of

        target = target_of(name)
    for number, seed in enumerate(target.seeds() if place.is_dir() else ()):
        (place / f"seed-{number}").write_bytes(seed)
    atheris.Setup([sys.argv[0], str(place), *options], target.decode)
    atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), sys.argv[3:])
