"""What a service's refusal means to the caller of the capability in front of it.

| the service                                    | the caller                                             |
|------------------------------------------------|--------------------------------------------------------|
| an ErrorEnvelope with one of MIG's own codes   | the same error                                         |
| 400, 409, 422, other 4xx                       | MIG_INVALID_REQUEST, its JSON in details.upstream      |
| 404, 410                                       | MIG_NOT_FOUND, its JSON in details.upstream            |
| 413                                            | MIG_INVALID_REQUEST (413)                              |
| 408, 504                                       | MIG_TIMEOUT                                            |
| 429                                            | MIG_RATE_LIMITED with its Retry-After                  |
| 502, 503, refused, unreachable, broken off     | MIG_UNAVAILABLE                                        |
| 401, 403, 407                                  | MIG_UNAVAILABLE, not retryable: the gateway's own      |
|                                                | credential was refused, which no caller can mend       |
| 3xx, 405, 406, 415, 5xx, an answer that is not | MIG_INTERNAL: the service is not what migd.yaml says,  |
| a JSON object                                  | or it failed                                           |

No address, header or body of the service is in an error, except JSON that it answered a bad request with.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import aiohttp
import msgspec

from mig_protocol.errors import MigFault
from mig_protocol.messages import MigErrorCode
from migd.core.provider import JsonObject

_GATEWAY_REFUSED = frozenset({401, 403, 407})
_NOT_FOUND = frozenset({404, 410})
_MISCONFIGURED = frozenset({405, 406, 415})
_TIMED_OUT = frozenset({408, 504})
_UNAVAILABLE = frozenset({502, 503})


def refusal(capability: str, status: int, headers: Mapping[str, str], body: bytes) -> MigFault:
    """The fault for an answer whose status is not 2xx. `body` may be cut short: then it is not shown."""
    answer = _decoded(body)
    passed_on = envelope_fault(answer)
    if passed_on is not None:
        return passed_on
    details: JsonObject = {"status": status}
    if status in _TIMED_OUT:
        return MigFault(
            MigErrorCode.MIG_TIMEOUT, f"the service behind {capability} timed out", details=details
        )
    if status in _UNAVAILABLE:
        return unavailable(capability, "can not take calls now", details)
    if status in _GATEWAY_REFUSED:
        return unavailable(capability, "refuses the gateway's credential", details, retryable=False)
    if status == 429:
        return MigFault(
            MigErrorCode.MIG_RATE_LIMITED,
            f"the service behind {capability} has had too many calls",
            details=details,
            retry_after_s=_retry_after(headers.get("Retry-After", "")),
        )
    if not 400 <= status < 500 or status in _MISCONFIGURED:
        return broken(capability, f"answered with status {status}", details)
    return _callers_own(capability, status, details if answer is None else {**details, "upstream": answer})


def _callers_own(capability: str, status: int, details: JsonObject) -> MigFault:
    if status in _NOT_FOUND:
        message = f"the service behind {capability} found nothing for this payload"
        return MigFault(MigErrorCode.MIG_NOT_FOUND, message, details=details)
    return MigFault(
        MigErrorCode.MIG_INVALID_REQUEST,
        f"the service behind {capability} refused the payload",
        details=details,
        variant="too_large" if status == 413 else None,
    )


def transport_fault(capability: str, error: aiohttp.ClientError) -> MigFault:
    """The fault for a call that got no complete answer."""
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return unavailable(capability, "has a name that does not resolve")
    if isinstance(error, (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError)):
        return unavailable(capability, "can not be reached")
    if isinstance(error, (aiohttp.ClientConnectionError, aiohttp.ClientPayloadError)):
        return unavailable(capability, "broke off its answer")
    return broken(capability, "does not speak HTTP as it should")


def timeout(capability: str) -> MigFault:
    return MigFault(MigErrorCode.MIG_TIMEOUT, f"the service behind {capability} did not answer in time")


def unavailable(
    capability: str, reason: str, details: JsonObject | None = None, *, retryable: bool | None = None
) -> MigFault:
    message = f"the service behind {capability} {reason}"
    return MigFault(MigErrorCode.MIG_UNAVAILABLE, message, details=details, retryable=retryable)


def broken(capability: str, reason: str, details: JsonObject | None = None) -> MigFault:
    return MigFault(MigErrorCode.MIG_INTERNAL, f"the service behind {capability} {reason}", details=details)


def envelope_fault(answer: Any) -> MigFault | None:
    """The fault inside an ErrorEnvelope, or None when `answer` is something else."""
    if not (isinstance(answer, dict) and answer.keys() <= {"header", "error"}):
        return None
    error = answer.get("error")
    if not (isinstance(error, dict) and isinstance(error.get("message"), str)):
        return None
    code, retryable, details = error.get("code"), error.get("retryable"), error.get("details")
    if not isinstance(code, str) or code not in MigErrorCode.__members__:
        return None
    return MigFault(
        MigErrorCode[code],
        error["message"],
        details=details if isinstance(details, dict) else None,
        retryable=retryable if isinstance(retryable, bool) else None,
    )


def _decoded(body: bytes) -> Any:
    try:
        return msgspec.json.decode(body)
    except msgspec.DecodeError:
        return None


def _retry_after(value: str) -> float | None:
    """Seconds, from either form of the field (RFC 9110, 10.2.3)."""
    if value.isascii() and value.isdigit():
        return float(value)
    try:
        return max(0.0, (parsedate_to_datetime(value) - datetime.now(UTC)).total_seconds())
    except (TypeError, ValueError):
        return None
