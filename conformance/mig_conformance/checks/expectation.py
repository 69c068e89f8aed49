"""Is an answer the expected one, its status included?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mig_conformance.checks.load import CaseError
from mig_conformance.checks.matching import differences
from mig_conformance.drivers.json_text import read_json
from mig_conformance.drivers.port import Answer, BindingName, JsonObject
from mig_conformance.flaws import FlawError
from mig_protocol.errors import ERRORS
from mig_protocol.messages import MigErrorCode

_MEMBERS = {"answer", "error", "status", "fields", "header"}


def compare(expected: Any, found: Any, what: str) -> None:
    """Raises FlawError with every difference in one line."""
    if isinstance(expected, str) and isinstance(found, dict) and "code" in found:
        expected = {"code": expected}
    flaws = list(differences(expected, found))
    if flaws:
        raise FlawError(f"{what}: {'; '.join(flaws)}")


def answered(answer: Answer, expected: JsonObject, binding: BindingName) -> None:
    """`expected` has `answer` (a message), or `error` (a code, or an error in part), and perhaps `header`
    (the MessageHeader of either), `status` and `fields`. Without an error the request must have been
    accepted; with one, the status must be that of the code [MIG-ERR-001] and retryable, where it is not
    said, too [MIG-ERR-002].
    """
    if unknown := expected.keys() - _MEMBERS:
        raise CaseError(f"no member of expect: {', '.join(sorted(unknown))}")
    if "error" in expected:
        _refused(answer, expected["error"], binding, status=expected.get("status"))
    else:
        compare(expected.get("answer", {}), answer.accepted(), "the answer")
        if "status" in expected:
            compare(expected["status"], answer.status, "the status")
    if "header" in expected:
        compare(expected["header"], answer.header, "the header")
    compare(expected.get("fields", {}), dict(answer.fields), "the header fields")


def http_answered(answer: Answer, expected: JsonObject) -> Any:
    """A plain HTTP answer: `status`, `fields`, `json` or `text` (a pattern) of the body. The body, read."""
    if "status" in expected:
        compare(expected["status"], answer.status, "the status")
    compare(expected.get("fields", {}), dict(answer.fields), "the header fields")
    if "text" in expected:
        compare(expected["text"], answer.body.decode(errors="replace"), "the body")
    if "json" not in expected:
        return answer.body.decode(errors="replace")
    try:
        read = read_json(answer.body)
    except ValueError:
        raise FlawError(f"the body is no JSON: {answer.body[:300]!r}") from None
    compare(expected["json"], read, "the body")
    return read


def pointed_at(value: Any, pointer: str) -> Any:
    """What a JSON Pointer names. Raises FlawError where there is nothing."""
    for part in pointer.split("/")[1:]:
        try:
            value = value[int(part)] if isinstance(value, list) else value[part]
        except (KeyError, IndexError, TypeError, ValueError):
            raise FlawError(f"the answer has nothing at {pointer}") from None
    return value


def status_of(code: str, binding: BindingName) -> int | str | None:
    """What the table has for the code on the binding."""
    row = ERRORS[MigErrorCode(code)]
    statuses: Mapping[str, int | str] = {
        "http": row.http_status,
        "sse": row.http_status,
        "grpc": row.grpc_name,
    }
    return statuses.get(binding)


def _refused(answer: Answer, expected: Any, binding: BindingName, *, status: int | str | None) -> None:
    wanted = {"code": expected} if isinstance(expected, str) else dict(expected)
    error = answer.refused(wanted["code"])
    cancelled = (error.get("details") or {}).get("cancelled") is True
    retryable = ERRORS[MigErrorCode(wanted["code"])].retryable and not cancelled
    compare({"retryable": retryable, **wanted}, error, "the error")
    should = status if status is not None else status_of(wanted["code"], binding)
    if should is not None:
        compare(should, answer.status, "the status")
