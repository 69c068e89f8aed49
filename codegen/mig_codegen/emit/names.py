"""Names of the spec as names of Python."""

from __future__ import annotations

import re

_WORDS = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z0-9]+|[A-Z]+")


def snake(name: str) -> str:
    """ "InvokeRequest" -> "invoke_request", "QoSProfile" -> "qos_profile" as in the schema's file name."""
    return "_".join(word.lower() for word in _WORDS.findall(name.replace("QoS", "Qos")))
