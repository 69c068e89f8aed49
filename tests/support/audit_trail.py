"""Audit records for tests, and what of them a home has."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from mig_protocol.messages import AuditQuery, AuditRecord
from migd.core.audit import AuditEntry, AuditStore, entry_of
from migd.core.audit_verification import Verification
from support.manual_clock import EPOCH


def record(message_id: str, *, at: datetime = EPOCH, **fields: Any) -> AuditEntry:
    """A success of acme's, unless `fields` say otherwise."""
    known = {"actor": "alice", "tenant_id": "acme", "capability": "a.b", "outcome": "success"}
    return entry_of(AuditRecord(**known | fields, timestamp=at, message_id=message_id))


async def lines_of(audit: AuditStore, after: int = 0, **filters: Any) -> list[bytes]:
    """All that the store gives, page by page."""
    found: list[bytes] = []
    more = True
    while more:
        page = await audit.read(AuditQuery(**filters), after, 7)
        found += page.lines
        after, more = page.last, page.more
    return found


async def ids_of(audit: AuditStore, after: int = 0, **filters: Any) -> list[str]:
    """The message ids of the records that the filters want."""
    return [json.loads(line)["message_id"] for line in await lines_of(audit, after, **filters)]


def verified(lines: Iterable[bytes], **options: Any) -> str:
    """The summary of these lines, each without its newline. Raises BrokenTrailError."""
    verification = Verification(**options)
    for number, line in enumerate(lines, 1):
        verification.feed(f"lines:{number}", line + b"\n")
    return verification.summary()
