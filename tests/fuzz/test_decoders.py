"""Only a MigFault comes out of what reads bytes from outside, whatever the bytes are."""

from __future__ import annotations

import platform
import random
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fuzz.decoders.seeded import HANGS, RAISES
from fuzz.decoders.target import Target
from fuzz.decoders.targets import TARGETS, target_of

_HERE = Path(__file__).parent
_CORPUS = _HERE / "corpus"
_PROGRAM = _HERE / "decoders" / "coverage_guided.py"
_FEW, _MANY = 60, 1000
_SECONDS_EACH = 4
_LONGEST_INPUT = 4096
# Where atheris has a wheel, it is in the lock and has to be there (pyproject.toml, extra dev).
_HAS_ATHERIS = sys.platform == "linux" and platform.machine() == "x86_64" and sys.version_info < (3, 14)


def mutated(target: Target) -> st.SearchStrategy[bytes]:
    """Inputs that get far, changed in a few places; and any bytes."""
    seeds = sorted(target.seeds())

    @st.composite
    def one(draw: st.DrawFn) -> bytes:
        data = bytearray(draw(st.sampled_from(seeds)))
        for _ in range(draw(st.integers(0, 4))):
            place = draw(st.integers(0, len(data)))
            length = draw(st.integers(0, 8))
            data[place : place + length] = draw(st.binary(max_size=8) | st.sampled_from(_AWKWARD))
        return bytes(data)

    return one() | st.binary(max_size=200)


_AWKWARD = [
    *(b"null", b"-1", b"1e999", b"9" * 25, b"\xff\xfe", b"\xed\xa0\x80", b"\\ud800", b"\x00"),
    *(b"{" * 200, b"[" * 200, b'"', b"%", b"%2", b"%ff", b"..", b"*", b">", b"\r\n"),
]


@pytest.mark.parametrize("name", TARGETS)
def test_only_a_refusal_comes_out_of_a_decoder(name: str, request: pytest.FixtureRequest) -> None:
    target = target_of(name)
    most = _MANY if request.config.getoption("--fuzz", default=False) else _FEW

    @settings(max_examples=most, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(mutated(target))
    def decode(data: bytes) -> None:
        target.decode(data)

    decode()


@pytest.mark.parametrize("name", TARGETS)
def test_what_was_found_once_is_not_found_again(name: str) -> None:
    for path in sorted((_CORPUS / name).glob("*")):
        target_of(name).decode(path.read_bytes())


@pytest.mark.long
@pytest.mark.parametrize("name", TARGETS)
def test_the_way_to_something_new_in_a_decoder_meets_nothing_but_refusals(name: str, tmp_path: Path) -> None:
    done = fuzzed(name, tmp_path, f"-max_total_time={_SECONDS_EACH}", "-timeout=10")
    assert done.returncode == 0, done.stderr[-4000:]
    assert "\tDONE " in done.stderr


@pytest.mark.parametrize(("target", "sign"), [(RAISES, "UnicodeDecodeError"), (HANGS, "timeout")])
def test_a_decoder_that_is_wrong_is_found(target: Target, sign: str, tmp_path: Path) -> None:
    done = fuzzed(target.name, tmp_path, "-runs=2000000", "-max_total_time=60", "-timeout=2")
    assert done.returncode != 0
    assert sign in done.stderr + done.stdout, done.stderr[-2000:]
    assert list(tmp_path.glob("crash-*")) + list(tmp_path.glob("timeout-*"))


def fuzzed(name: str, folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """A target under atheris, in a process of its own, for as long as the options say."""
    if not _HAS_ATHERIS:
        pytest.skip("atheris has no wheel for this system")
    reached = folder / "reached"
    reached.mkdir()
    fixed = (
        f"-seed={random.randrange(1, 1 << 31)}",
        f"-max_len={_LONGEST_INPUT}",
        "-rss_limit_mb=2048",
    )
    return subprocess.run(
        [sys.executable, str(_PROGRAM), name, str(reached), f"-artifact_prefix={folder}/", *fixed, *options],
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
