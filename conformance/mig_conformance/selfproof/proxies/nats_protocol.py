"""NATS' client protocol, as far as messages go: read from a connection, and written again."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Self

_VERSION = "NATS/1.0"
_SPELT = {"authorization": "Authorization"}
_WITH_HEADERS = {"PUB": "HPUB", "MSG": "HMSG"}
_CARRIES = {"PUB", "HPUB", "MSG", "HMSG"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """A message that a client publishes (`sid` is empty) or gets (of its subscription `sid`). `version` is
    the first line of the header fields, with a status where the server has one to tell.
    """

    subject: str
    sid: str = ""
    reply: str = ""
    version: str = _VERSION
    headers: tuple[tuple[str, str], ...] = ()
    payload: bytes = b""

    @property
    def fields(self) -> dict[str, str]:
        """The header fields, their names in lower case."""
        return {name.lower(): value for name, value in self.headers}

    def with_fields(self, new: Mapping[str, str | None]) -> Self:
        """The same with some header fields set, or removed where they are None. NATS tells names of another
        spelling apart: each has the one that it had.
        """
        kept = [(name, value) for name, value in self.headers if name.lower() not in new]
        spelt = {**_SPELT, **{name.lower(): name for name, _ in self.headers}}
        added = [(spelt.get(name, name), value) for name, value in new.items() if value is not None]
        return replace(self, headers=(*kept, *added))

    def written(self) -> bytes:
        """As it goes over the wire."""
        verb = "MSG" if self.sid else "PUB"
        block = b""
        if self.headers or self.version != _VERSION:
            lines = "".join(f"{name}: {value}\r\n" for name, value in self.headers)
            block, verb = f"{self.version}\r\n{lines}\r\n".encode(), _WITH_HEADERS[verb]
        words = [verb, self.subject, self.sid, self.reply, str(len(block)) if block else ""]
        line = " ".join(word for word in (*words, str(len(block) + len(self.payload))) if word)
        return f"{line}\r\n".encode() + block + self.payload + b"\r\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """One operation of the protocol, byte for byte, and the message that it carries, if it does."""

    raw: bytes
    words: tuple[str, ...]
    delivery: Delivery | None = None


async def receive(reader: asyncio.StreamReader) -> Received | None:
    """The next one; None at the end of the connection."""
    line = await reader.readline()
    if not line.endswith(b"\n"):
        return None
    words = tuple(line.decode().split())
    if not words or words[0].upper() not in _CARRIES:
        return Received(raw=line, words=words)
    content = await reader.readexactly(int(words[-1]) + 2)
    return Received(raw=line + content, words=words, delivery=_delivery(words, content[:-2]))


def _delivery(words: tuple[str, ...], content: bytes) -> Delivery:
    verb, subject, *rest = words
    sizes = 2 if verb.upper().startswith("H") else 1
    names, size = rest[:-sizes], int(rest[-2]) if sizes == 2 else 0
    sid = names.pop(0) if verb.upper().endswith("MSG") else ""
    version, headers = _headers(content[:size])
    return Delivery(
        subject=subject,
        sid=sid,
        reply=names[0] if names else "",
        version=version,
        headers=headers,
        payload=content[size:],
    )


def _headers(block: bytes) -> tuple[str, tuple[tuple[str, str], ...]]:
    version, *lines = block.decode().split("\r\n") if block else [_VERSION]
    split = (line.partition(":") for line in lines if line)
    return version, tuple((name, value.strip()) for name, _, value in split)


def subscribed(pattern: str, subject: str) -> bool:
    """Whether a subscription to the pattern gets messages of that subject."""
    parts = [re.escape(part) for part in pattern.split(".")]
    expression = r"\.".join({r"\*": r"[^.]+", ">": r".+"}.get(part, part) for part in parts)
    return re.fullmatch(expression, subject) is not None
