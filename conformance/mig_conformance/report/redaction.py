"""No credential leaves the suite in a report."""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import urlsplit, urlunsplit

_HIDDEN = "[credential]"
# A JSON Web Token, and whatever follows the word that announces one.
_TOKENS = re.compile(r"eyJ[\w-]{5,}(?:\.[\w-]*){1,2}|(?<=Bearer )[^\s\"']+")
# Shorter ones would take words out of every text.
_SHORTEST = 6


class Redaction:
    """Takes the given secrets, and whatever looks like a token, out of texts."""

    def __init__(self, secrets: Iterable[str | None]) -> None:
        self._secrets = sorted(
            {each for each in secrets if each and len(each) >= _SHORTEST}, key=len, reverse=True
        )

    def __call__(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret, _HIDDEN)
        return _TOKENS.sub(_HIDDEN, text)


def without_credentials(address: str) -> str:
    """A URL without user and password; HOST:PORT as it is."""
    if "://" not in address:
        return address
    split = urlsplit(address)
    return urlunsplit(split._replace(netloc=split.netloc.rpartition("@")[2]))
