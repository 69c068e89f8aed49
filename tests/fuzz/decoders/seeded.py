"""Decoders that are wrong on purpose, which fuzzing has to find."""

from __future__ import annotations

from fuzz.decoders.target import Target
from mig_protocol import subjects
from mig_protocol.errors import MigFault


def _raises(data: bytes) -> None:
    """Forgets that a subject may be no UTF-8."""
    try:
        subjects.parse(data.decode())
    except MigFault:
        return


def _hangs(data: bytes) -> None:
    """Waits for an end that some inputs do not have."""
    while data.startswith(b"mig.v0_1") and b"hello" not in data:
        pass


RAISES = Target(name="raises", decode=_raises, seeds=lambda: [b"mig.v0_1.acme.hello"])
HANGS = Target(name="hangs", decode=_hangs, seeds=lambda: [b"mig.v0_1.acme.hello"])
