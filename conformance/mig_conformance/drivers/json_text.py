"""JSON as RFC 8259 has it, and nothing else that Python would take for it."""

from __future__ import annotations

import json
from typing import Any


def read_json(text: str | bytes) -> Any:
    """Bytes are UTF-8 (section 8.1). Raises ValueError also for NaN and the infinities (section 6), and for
    what is nested deeper than this suite follows.
    """
    try:
        return json.loads(text if isinstance(text, str) else text.decode(), parse_constant=_no_number)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def _no_number(said: str) -> Any:
    raise ValueError(f"{said} is no number of JSON")
