"""How large a protobuf message may be as JSON, which is what the limit of a payload counts [MIG-INV-004]."""

from __future__ import annotations

from typing import Final

# The worst that a byte can become: a control character is one byte in protobuf and \u0000 in JSON.
_JSON_PER_PROTOBUF: Final = 6


def most_json_bytes(protobuf_bytes: int) -> int:
    """No message of this size has a longer JSON text."""
    return protobuf_bytes * _JSON_PER_PROTOBUF
