"""What an audit trail is: records, each a line with the hash of the line before it, in one or more homes.

Every home has a chain of its own, so that one that loses its last moments in a crash still verifies. The text
of a record is made once, and is in all of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import NamedTuple, Protocol

import msgspec

from mig_protocol.codec import encode
from mig_protocol.messages import AuditQuery, AuditRecord

_encode = msgspec.json.Encoder().encode


class AuditEntry(msgspec.Struct, gc=False):
    """A record as its homes keep it: the time in it, and its JSON, which has no place in a chain yet."""

    at: datetime
    text: bytes


def entry_of(record: AuditRecord) -> AuditEntry:
    """The record for every home. Never raises."""
    try:
        return AuditEntry(record.timestamp, _encode(record))
    except UnicodeEncodeError:
        # A token's subject may hold what UTF-8 can not carry.
        return AuditEntry(record.timestamp, encode(record))


class Head(NamedTuple):
    """The end of a chain: the sequence of its last line, and the hash of its bytes, in hexadecimal."""

    sequence: int
    hash: str


NO_LINE = Head(0, "0" * 64)


class Chain:
    """Turns the texts of records into lines, one after another [MIG-AUD-005]."""

    __slots__ = ("head",)

    def __init__(self, head: Head = NO_LINE) -> None:
        self.head = head

    def rewind(self, head: Head) -> None:
        """Go on from there: what was sealed since did not get where it should."""
        self.head = head

    def seal(self, text: bytes) -> bytes:
        """The text as the next line, without its newline."""
        return self._sealed((text,))[0]

    def seal_all(self, texts: Iterable[bytes]) -> bytes:
        """The texts as the next lines, each with its newline."""
        return b"\n".join([*self._sealed(texts), b""])

    def _sealed(self, texts: Iterable[bytes]) -> list[bytes]:
        sequence, previous_hash = self.head
        lines = []
        for text in texts:
            sequence += 1
            line = b'%b,"sequence":%d,"previous_hash":"%b"}' % (text[:-1], sequence, previous_hash.encode())
            previous_hash = sha256(line).hexdigest()
            lines.append(line)
        self.head = Head(sequence, previous_hash)
        return lines


def hash_of(line: bytes) -> str:
    """What the next line says of this one."""
    return sha256(line).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditPage:
    """Lines as they were sealed, oldest first; `last` is the sequence up to which records were looked at.

    Where `more` is true there are further records: read on after `last`, even when `lines` is empty.
    """

    lines: Sequence[bytes]
    last: int
    more: bool


class AuditHome(Protocol):
    """A place where the trail is kept. What can not be written is held, up to a bound, and tried again."""

    @property
    def failure(self) -> str | None:
        """Why records can not be written now; None when they can, as far as is known."""

    @property
    def lost(self) -> int:
        """How many records have been given up since the start."""

    def append(self, entry: AuditEntry) -> None:
        """Never raises, and never waits."""


class AuditStore(AuditHome, Protocol):
    """The home that can be asked: the newest records, up to a bound."""

    async def read(self, query: AuditQuery, after: int, limit: int) -> AuditPage:
        """At most `limit` records after that sequence for which the query's filters hold.

        A page costs a bounded amount of time and memory, so it may come with fewer, or none, and say `more`.
        """

    async def head(self) -> Head:
        """The end of the trail, with everything in it that was appended before."""


class AuditSink(AuditHome, Protocol):
    """A further home, such as a file."""

    def reopen(self) -> None:
        """Let go of a file that was moved away, and go on in a new one at its path."""

    async def close(self) -> None:
        """Write what is held."""
