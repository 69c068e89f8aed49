"""Which lines of an audit trail a query asks for."""

from __future__ import annotations

from datetime import datetime

import msgspec
from msgspec import UNSET

from mig_protocol.codec import encode
from mig_protocol.messages import AuditQuery

_TEXTS = ("tenant_id", "capability", "outcome", "actor", "operation")


class _Facts(msgspec.Struct):
    """What filters look at. Not decoded as the message: what was written once is found by a later version."""

    timestamp: datetime
    tenant_id: str
    capability: str
    outcome: str
    actor: str
    operation: str = ""


_decode = msgspec.json.Decoder(_Facts).decode


class AuditFilter:
    """A query's filters; `after` and `limit` are the reader's business.

    `since` is included, `until` is not; both are None where they are not given. Every line that is wanted
    contains all of `needles`, each of which is found faster than a line is decoded.
    """

    def __init__(self, query: AuditQuery) -> None:
        given = ((name, getattr(query, name)) for name in _TEXTS)
        self._texts = [(name, text) for name, text in given if text is not UNSET]
        self.since = None if query.since is UNSET else query.since
        self.until = None if query.until is UNSET else query.until
        self.needles = [encode(name) + b":" + encode(text) for name, text in self._texts]

    def wants(self, line: bytes) -> bool:
        """Whether the record in this line is asked for."""
        if not all(needle in line for needle in self.needles):
            return False
        if not self._texts and self.since is None and self.until is None:
            return True
        facts = _decode(line)
        return self._in_time(facts.timestamp) and all(
            getattr(facts, name) == text for name, text in self._texts
        )

    def _in_time(self, moment: datetime) -> bool:
        return (self.since is None or moment >= self.since) and (self.until is None or moment < self.until)
