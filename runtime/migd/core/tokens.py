"""The spelling of the identifiers that arrive outside a message body (protocol section 1)."""

from __future__ import annotations

import re
from functools import lru_cache

_TENANT = re.compile(r"[A-Za-z0-9_-]{1,64}")


@lru_cache(maxsize=4096)
def is_tenant_id(text: str) -> bool:
    """One NATS token, never a wildcard."""
    return _TENANT.fullmatch(text) is not None
