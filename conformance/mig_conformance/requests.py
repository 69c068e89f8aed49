"""What a vector leaves to the transport (spec/vectors/README.md, "Against a running server")."""

from __future__ import annotations

import uuid

from mig_conformance.vectors import Malformed, Valid
from mig_protocol.operations import Operation

TENANT = "acme"


class NotExpressibleError(Exception):
    """The message can not be put like this over the binding. Its text says why."""


def path_value(operation: Operation, row: Valid | Malformed, name: str) -> str:
    """A parameter of the path or subject: what the message says, unless that is the fault, which shows only
    when the path is well formed.
    """
    field = operation.path_fields[name]
    said = row.json.get(field) if isinstance(row.json, dict) else None
    faulty = isinstance(row, Malformed) and row.pointer == f"/{field}"
    return said if isinstance(said, str) and said and not faulty else default_value(name)


def default_value(parameter: str) -> str:
    """The parameter where the message does not say one."""
    if parameter == "message_id":
        return str(uuid.uuid4())
    return {"capability": "observatory.models.infer", "topic": "observatory.inference.completed"}[parameter]


def named_tenant(row: Valid | Malformed) -> object:
    """What the message's header says of the tenant; None where it says nothing."""
    header = row.json.get("header") if isinstance(row.json, dict) else None
    return header.get("tenant_id") if isinstance(header, dict) else None
