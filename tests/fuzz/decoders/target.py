"""What a fuzzer needs of a decoder."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass


class FindingError(AssertionError):
    """The decoder did what it must not do; the text says what."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """`decode` takes any bytes. It returns for what is accepted and for what is refused with a MigFault, and
    raises whatever else the decoder raises, or FindingError. `seeds` are inputs that get far.
    """

    name: str
    decode: Callable[[bytes], None]
    seeds: Callable[[], Iterable[bytes]]
