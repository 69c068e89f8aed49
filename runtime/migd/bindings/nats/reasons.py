"""Why NATS can not be used now, in one line for the log and for readiness. Never a credential."""

from __future__ import annotations

import asyncio
import socket
import ssl
from urllib.parse import urlsplit

from nats import errors

_LONGEST = 300


def plain_url(url: str) -> str:
    """The URL without the credentials that it may hold."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return f"{parts.scheme}://{host}"


def reason_of(error: Exception) -> str:
    """What went wrong, as somebody who runs the gateway would say it."""
    text = str(error).removeprefix("nats: ").strip("'\" ")
    if "authorization violation" in text.lower() or isinstance(error, errors.AuthorizationError):
        return "the server refuses the credentials (Authorization Violation)"
    if isinstance(error, TimeoutError | asyncio.TimeoutError | errors.TimeoutError):
        return "no answer in time"
    if isinstance(error, errors.SlowConsumerError):
        return "messages come in faster than they are taken, and some were dropped"
    if isinstance(error, errors.UnexpectedEOF | errors.StaleConnectionError):
        return "the connection was lost"
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted: {error.verify_message}"
    if isinstance(error, ssl.SSLError):
        return f"TLS failed: {error.reason or text}"
    if isinstance(error, ConnectionRefusedError):
        return "the connection is refused"
    if isinstance(error, socket.gaierror):
        return "no such host"
    return " ".join((text or type(error).__name__).split())[:_LONGEST]
