"""An expectation as a person reads it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from mig_conformance.checks.matching import Contains, Exactly, Unordered


def shown(value: Any) -> str:
    """On one line, as the case has it: YAML's flow style, tags included."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{name}: {shown(each)}" for name, each in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(shown, value)) + "]"
    if isinstance(value, Exactly):
        return f"!exactly {shown(value.members)}"
    if isinstance(value, Unordered):
        return f"!unordered {shown(value.items)}"
    if isinstance(value, Contains):
        return f"!contains {shown(value.item)}"
    return json.dumps(value, ensure_ascii=False) if isinstance(value, str | bool | None) else repr(value)
