"""What a row leaves to the transport (spec/vectors/README.md, "Against a running server")."""

from __future__ import annotations

from mig_conformance.vectors import Malformed, Valid
from mig_protocol.operations import Operation

_TENANT = "/header/tenant_id"


class NotExpressibleError(Exception):
    """The message can not be put like this over the binding. Its text says why."""


def path_values(operation: Operation, row: Valid | Malformed, new_id: str) -> dict[str, str]:
    """The parameters of the path or subject: what the message says, unless that is the fault, which shows
    only when the path is well formed.
    """
    defaults = {
        "message_id": new_id,
        "capability": "observatory.models.infer",
        "topic": "observatory.inference.completed",
    }
    return {
        name: _said(row, field) or defaults[name]
        for name, field in operation.path_fields.items()
        if name in defaults
    }


def tenant_of(row: Valid | Malformed) -> str | None:
    """The tenant that the message's header names; None where it names none, or the name is the fault."""
    header = row.json.get("header") if isinstance(row.json, dict) else None
    said = header.get("tenant_id") if isinstance(header, dict) else None
    faulty = isinstance(row, Malformed) and row.pointer == _TENANT
    return said if isinstance(said, str) and not faulty else None


def _said(row: Valid | Malformed, field: str) -> str | None:
    said = row.json.get(field) if isinstance(row.json, dict) else None
    faulty = isinstance(row, Malformed) and row.pointer == f"/{field}"
    return said if isinstance(said, str) and not faulty else None
