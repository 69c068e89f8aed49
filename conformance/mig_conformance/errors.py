"""Is a refusal the one that the vector asks for, fault and all?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from mig_conformance import reference
from mig_conformance.vectors import Malformed


def error_flaws(row: Malformed, error: Mapping[str, Any]) -> Iterator[str]:
    """What is wrong with a MigError."""
    if error["code"] != row.code:
        yield f"refused with {error['code']}, not with {row.code}"
    details = error.get("details")
    violations = details.get("violations", []) if isinstance(details, dict) else []
    pointers = [violation["pointer"] for violation in violations]
    if row.pointer is not None and row.pointer not in pointers:
        yield f"the fault is said to be at {pointers}, not at {row.pointer!r}: {error['message']}"


def envelope_flaws(row: Malformed, envelope: Any) -> Iterator[str]:
    """What is wrong with an ErrorEnvelope, or with what was sent in its place."""
    if reference.accepts("ErrorEnvelope", envelope):
        yield from error_flaws(row, envelope["error"])
    else:
        yield f"the answer is no ErrorEnvelope: {str(envelope)[:300]}"
