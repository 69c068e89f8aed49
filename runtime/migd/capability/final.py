"""The item that ends a stream."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Final(Generic[T]):
    """The last item of a streamed answer: `payload` goes out in the terminal frame.

    A stream that ends without one has an empty object there. Nothing may follow it.
    """

    payload: T
