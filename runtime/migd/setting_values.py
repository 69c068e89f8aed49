"""What the value of a setting may look like, and what it means."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

_TRUE = frozenset({"true", "t", "1", "yes", "on"})
_FALSE = frozenset({"false", "f", "0", "no", "off"})
_NATS_PORT = 4222
_ADDRESS = re.compile(r"(?:\[(?P<six>[0-9A-Fa-f:.%a-z]+)\]|(?P<host>[^\s:\[\]]*)):(?P<port>[0-9]{1,5})")


class Address(NamedTuple):
    """Where to listen. An empty host means every interface, port 0 means one that the system chooses."""

    host: str
    port: int

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine reaches it; a host's name other than localhost is not looked up."""
        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Kind:
    """How the text of a value is read. `parse` raises ValueError for whatever is not `allowed`; `absent` is
    what no text at all means.
    """

    allowed: str
    parse: Callable[[str], Any]
    unit: str = ""
    absent: Any = ""
    # Where a value may hold a secret: the value with that left out.
    shown: Callable[[str], str] | None = None
    # Whether a YAML list says the same as its items with commas between them.
    listed: bool = False
    # The text as it means the same anywhere, when it was written in a file of this folder.
    placed: Callable[[Path, str], str] | None = None


def integer(least: int, most: int, unit: str = "") -> Kind:
    """A whole number within bounds, both included."""

    def parse(text: str) -> int:
        if not (text.isascii() and text.isdigit() and least <= int(text) <= most):
            raise ValueError(text)
        return int(text)

    return Kind(f"a whole number from {least} to {most}", parse, unit)


def number(least: float, most: float, unit: str) -> Kind:
    """A decimal number within bounds, both included."""

    def parse(text: str) -> float:
        value = float(text)
        if not (math.isfinite(value) and least <= value <= most):
            raise ValueError(text)
        return value

    return Kind(f"a number from {least:g} to {most:.15g}", parse, unit)


def choice(*names: str) -> Kind:
    """One of a few words, in any case."""

    def parse(text: str) -> str:
        if text.lower() not in names:
            raise ValueError(text)
        return text.lower()

    return Kind(f"{', '.join(names[:-1])} or {names[-1]}", parse)


def matching(pattern: str, allowed: str) -> Kind:
    """Text that matches a regular expression as a whole."""

    def parse(text: str) -> str:
        if not re.fullmatch(pattern, text):
            raise ValueError(text)
        return text

    return Kind(allowed, parse)


def several(pattern: str, allowed: str, check: Callable[[str], object] = str) -> Kind:
    """Words with commas between them, in lower case; each matches a regular expression, and `check` raises
    ValueError for none.
    """

    def parse(text: str) -> tuple[str, ...]:
        words = tuple(word.strip().lower() for word in text.split(","))
        if not all(re.fullmatch(pattern, word) for word in words):
            raise ValueError(text)
        for word in words:
            check(word)
        return words

    return Kind(allowed, parse, absent=(), listed=True)


def network(text: str) -> None:
    """Raises ValueError for `address/length` where that is no network."""
    if "/" in text:
        ip_network(text, strict=False)


def _parse_flag(text: str) -> bool:
    lowered = text.lower()
    if lowered not in _TRUE | _FALSE:
        raise ValueError(text)
    return lowered in _TRUE


def _parse_address(text: str) -> Address:
    match = _ADDRESS.fullmatch(text)
    if match is None or int(match["port"]) > 65535:
        raise ValueError(text)
    return Address(match["six"] or match["host"] or "", int(match["port"]))


def key_set_location(text: str) -> str:
    """The path of a file, or a URL: over plain HTTP only from this machine. Raises ValueError.

    Whoever can change the keys on their way can be anybody.
    """
    if "://" not in text:
        return text
    url = urlsplit(text)
    plain = url.scheme == "http" and url.hostname in ("localhost", "127.0.0.1", "::1")
    if not (url.scheme == "https" or plain) or not url.hostname or url.fragment or "@" in url.netloc:
        raise ValueError(f"is not {KEY_SET.allowed}")
    return text


def placed_key_set(folder: Path, location: str) -> str:
    """A path that a file of `folder` names is relative to that folder."""
    return location if "://" in location else placed_path(folder, location)


def placed_path(folder: Path, path: str) -> str:
    """A path that a file of `folder` names is relative to that folder."""
    return str(folder / path)


def _parse_names(names: Sequence[str]) -> Callable[[str], frozenset[str]]:
    def parse(text: str) -> frozenset[str]:
        chosen = frozenset(name.strip() for name in text.split(","))
        if not chosen <= set(names):
            raise ValueError(text)
        return chosen

    return parse


def subset(*names: str) -> Kind:
    """Some of a few words, with commas between them."""
    allowed = f"some of {', '.join(names)}, with commas between them"
    return Kind(allowed, _parse_names(names), absent=frozenset(), listed=True)


def _parse_nats_urls(text: str) -> str:
    urls = [part.strip() for part in text.split(",")]
    return ",".join(_nats_url(url) for url in urls)


def _nats_url(text: str) -> str:
    url = urlsplit(text if "://" in text else f"nats://{text}")
    if url.scheme not in ("nats", "tls") or not url.hostname or url.path.strip("/") or url.query:
        raise ValueError(text)
    host = f"[{url.hostname}]" if ":" in url.hostname else url.hostname
    user, at, _ = url.netloc.rpartition("@")
    return f"{url.scheme}://{user}{at}{host}:{url.port or _NATS_PORT}"


def without_credentials(urls: str) -> str:
    """NATS URLs, and of their credentials only that there are some."""
    return re.sub(r"://[^,]*@", "://(secret)@", urls)


FLAG = Kind("true or false", _parse_flag)
ADDRESS = Kind(
    "host:port, such as 127.0.0.1:8080, [::1]:8080 or :8080 for every interface", _parse_address, absent=None
)
FILE = Kind("the path of a file", Path, absent=None, placed=placed_path)
FOLDER = Kind("the path of a folder", Path, absent=None, placed=placed_path)
KEY_SET = Kind(
    "the path of a JWK Set file, or its https:// URL (http:// on this machine only)",
    key_set_location,
    placed=placed_key_set,
)
TEXT = Kind("text", str)
NATS_URLS = Kind(
    "NATS URLs with commas between them, such as nats://localhost:4222 or tls://user:password@host",
    _parse_nats_urls,
    shown=without_credentials,
    listed=True,
)
