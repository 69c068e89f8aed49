"""The one list of what a transport can not say or show, with the reason. Everything else is compared."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

HTTP: Final = "http"
WEBSOCKET: Final = "websocket"
GRPC: Final = "grpc"
NATS: Final = "nats"

BLIND: Final[Mapping[str, Mapping[str, str]]] = {
    HTTP: {
        "error_header": "its streams are a WebSocket's, whose refused handshake never saw the frame",
    },
    WEBSOCKET: {
        "beside": "StreamFrame has no result_schema_uri and no target_message_id",
        "retry_after": "a frame has no header fields of a transport's",
        "error_header": "a refused handshake never saw the frame",
    },
    GRPC: {
        "error_header": "a refused StreamInvoke never saw the frame",
    },
    NATS: {
        "retry_after": "a NATS answer has no field for it",
        "frames": "a stream that is refused is refused in the reply, before there is a stream",
    },
}
"""What an outcome over a binding does not show: binding -> field of Outcome -> why."""

SILENT: Final[Mapping[str, Mapping[str, str]]] = {
    WEBSOCKET: {
        "disagreeing path": "a frame names its capability once",
    },
    GRPC: {
        "wrong JSON type": "a protobuf field has one type",
        "disagreeing path": "an RPC has no path parameters: what is called is said once, in the message",
    },
    NATS: {
        "no tenant": "every subject names one",
    },
}
"""What can not be asked over a binding: binding -> what -> why."""

NEVER_ASKED: Final[Mapping[str, str]] = {
    "an optional field that is an empty string": "JSON refuses it; proto3 can not tell it from an absent one",
    "1.0 where 1 is meant": "one number in JSON Schema and in protobuf, two spellings in JSON text",
    "integers beyond 2^53": "a protobuf Struct holds doubles",
    "a deadline that runs out by itself": "when exactly is the machine's business, not the binding's",
}
"""What is not generated, since the transports really differ in it."""
