"""The profile core of MIG 0.1 over HTTP: HELLO, DISCOVER, unary INVOKE, errors; and CANCEL beside it."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from urllib.parse import unquote_to_bytes

from core_server import messages
from core_server.callers import Caller, caller_of
from core_server.capabilities import Capability
from core_server.http1 import Request, Response
from core_server.messages import HEADER, JsonObject, RefusedError, Shape, refuse_if
from core_server.work import Work

LOG = logging.getLogger("core_server")
_FEATURES = frozenset({"cancel", "idempotency", "deadlines", "tracing"})
_CARRIERS = {
    "x-tenant-id": "tenant_id",
    "traceparent": "traceparent",
    "idempotency-key": "idempotency_key",
    "mig-message-id": "message_id",
    "mig-session-id": "session_id",
    "mig-deadline-ms": "deadline_ms",
}


@dataclass(slots=True, kw_only=True)
class _Exchange:
    """A request as far as it was read: `named` by its path, `given` the valid part of its header."""

    request: Request
    named: str = ""
    message: JsonObject = field(default_factory=dict)
    given: JsonObject = field(default_factory=dict)
    caller: Caller = field(default_factory=Caller)
    tenant: str = "unknown"

    def header(self) -> JsonObject:
        """That of the answer."""
        scopes = sorted(self.caller.scopes or ())
        return messages.answer_header(self.given, self.tenant, self.caller.subject, scopes)


class _Route(NamedTuple):
    path: re.Pattern[str]
    shape: Shape
    field: str
    operation: Callable[[_Exchange], Awaitable[JsonObject]]


class CoreServer:
    """Answers requests. With a `secret` every caller needs a token that it has signed."""

    def __init__(self, capabilities: Iterable[Capability], *, server_id: str, secret: bytes | None) -> None:
        self._capabilities = {each.descriptor["id"]: each for each in capabilities}
        self._server_id = server_id
        self._secret = secret
        self._work = Work()
        self._routes = (
            _Route(re.compile("/mig/v0.1/hello"), messages.HELLO, "", self._hello),
            _Route(re.compile("/mig/v0.1/discover"), messages.DISCOVER, "", self._discover),
            _Route(re.compile("/mig/v0.1/invoke/([^/]+)"), messages.INVOKE, "capability", self._invoke),
            _Route(
                re.compile("/mig/v0.1/cancel/([^/]+)"), messages.CANCEL, "target_message_id", self._cancel
            ),
        )

    async def answer(self, request: Request) -> Response:
        """An answer or an ErrorEnvelope, whatever happens [MIG-ERR-003]."""
        exchange = _Exchange(request=request)
        try:
            return _response(200, await self._answer(exchange))
        except RefusedError as refused:
            return _refusal(exchange.header(), refused)
        except Exception:
            # The log has the cause, the caller has not [MIG-ERR-010, MIG-ERR-011].
            header = exchange.header()
            LOG.exception("message %s failed", header["message_id"])
            return _refusal(header, RefusedError("MIG_INTERNAL", "the server failed; its log says why"))

    async def _answer(self, exchange: _Exchange) -> JsonObject:
        """Route, method, size, message, credential, version, tenant; then what the operation checks."""
        carried = _carried(exchange.request.fields)
        exchange.given = _valid(carried)
        route = self._route(exchange)
        if exchange.request.body is None:
            raise RefusedError("MIG_INVALID_REQUEST", "the body is too large", status=413)
        body = messages.read(exchange.request.body)
        said = body.get("header", {}) if isinstance(body, dict) else {}
        exchange.given |= _valid(said) if isinstance(said, dict) else {}
        refuse_if(route.shape(body, ""), "the message is not valid")
        refuse_if(messages.members(HEADER)(carried, "/header"), "a header field of HTTP is not valid")
        exchange.message = _agreed(route, exchange.named, body)
        exchange.caller = caller_of(exchange.request.fields.get("authorization", []), self._secret)
        exchange.tenant = exchange.caller.tenant or "unknown"
        if exchange.given.get("mig_version", messages.VERSION) != messages.VERSION:
            raise RefusedError("MIG_VERSION_MISMATCH", f"this server speaks {messages.VERSION} only")
        exchange.tenant = _tenant(exchange.caller.tenant, carried.get("tenant_id"), said.get("tenant_id"))
        return {"header": exchange.header(), **await route.operation(exchange)}

    def _route(self, exchange: _Exchange) -> _Route:
        path = exchange.request.target.partition("?")[0]
        for route in self._routes:
            if found := route.path.fullmatch(path):
                if exchange.request.method != "POST":
                    raise RefusedError("MIG_INVALID_REQUEST", f"{path} takes POST only", status=405)
                exchange.named = found[1] if found.re.groups else ""
                return route
        raise RefusedError("MIG_NOT_FOUND", f"there is no {path[:200]}")

    async def _hello(self, exchange: _Exchange) -> JsonObject:
        asked = exchange.message
        if messages.VERSION not in (asked.get("supported_versions") or [messages.VERSION]):
            raise RefusedError("MIG_VERSION_MISMATCH", f"this server speaks {messages.VERSION} only")
        header = exchange.header()
        header["meta"]["mig.profiles"] = ["core"]
        return {
            "header": header,
            "selected_version": messages.VERSION,
            "selected_binding": "http",
            "enabled_features": sorted(_FEATURES.intersection(asked.get("requested_features", ()))),
            "server_id": self._server_id,
        }

    async def _discover(self, exchange: _Exchange) -> JsonObject:
        query = exchange.message.get("query", "").lower()
        hidden = set()
        if not exchange.message.get("include_schema_refs", True):
            hidden |= {"input_schema_uri", "output_schema_uri"}
        if not exchange.message.get("include_qos", True):
            hidden.add("qos")
        return {
            "capabilities": [
                {name: value for name, value in each.descriptor.items() if name not in hidden}
                for id, each in sorted(self._capabilities.items())
                if query in id.lower() and exchange.caller.may(each.descriptor["auth_scopes"])
            ]
        }

    async def _invoke(self, exchange: _Exchange) -> JsonObject:
        """The checks in the order of MIG-INV-001."""
        id, payload = exchange.message["capability"], exchange.message.get("payload", {})
        capability = self._capabilities.get(id)
        if capability is None:
            raise RefusedError(
                "MIG_UNSUPPORTED_CAPABILITY", f"there is no capability {id}; DISCOVER lists them"
            )
        if not exchange.caller.may(capability.descriptor["auth_scopes"]):
            needed = " or ".join(capability.descriptor["auth_scopes"])
            raise RefusedError("MIG_FORBIDDEN", f"{id} needs a token with the scope {needed}")
        most = capability.descriptor["qos"]["max_payload_bytes"]
        if len(_json(payload)) > most:
            raise RefusedError("MIG_INVALID_REQUEST", f"the payload is over {most} bytes", status=413)
        refuse_if(capability.input(payload, ""), "the payload is not valid")
        header = exchange.header()
        invocation = (exchange.tenant, header["message_id"])
        self._work.refuse_cancelled(invocation)
        until = exchange.request.arrived + header["deadline_ms"] / 1000
        work = self._run(capability, payload, header)
        answer, again = await self._work.run(invocation, work, until, header["deadline_ms"])
        if again:
            header["meta"]["mig.idempotent_replay"] = True
        uri = capability.descriptor["output_schema_uri"]
        return {"header": header, "capability": id, "payload": answer, "result_schema_uri": uri}

    async def _run(
        self, capability: Capability, payload: JsonObject, header: JsonObject
    ) -> tuple[JsonObject, bool]:
        if "idempotency_key" not in header:
            return await capability.provider(payload, header), False
        key = (header["tenant_id"], capability.descriptor["id"], header["idempotency_key"])
        return await self._work.once(key, payload, lambda: capability.provider(payload, header))

    async def _cancel(self, exchange: _Exchange) -> JsonObject:
        target = exchange.message["target_message_id"]
        status = await self._work.cancel((exchange.tenant, target), exchange.message.get("reason"))
        return {"target_message_id": target, "accepted": status != "completed", "status": status}


def _carried(fields: Mapping[str, list[str]]) -> JsonObject:
    """The header as HTTP's header fields have it; one that comes twice is none of the two [MIG-HDR-014]."""
    found: JsonObject = {}
    for name in fields.keys() & _CARRIERS.keys():
        value: Any = fields[name][0] if len(fields[name]) == 1 else fields[name]
        if name == "mig-deadline-ms" and isinstance(value, str) and re.fullmatch("[0-9]{1,20}", value):
            value = int(value)
        found[_CARRIERS[name]] = value
    return found


def _valid(header: Mapping[str, Any]) -> JsonObject:
    return {
        name: value
        for name, value in header.items()
        if name in HEADER and next(iter(HEADER[name](value, "")), None) is None
    }


def _agreed(route: _Route, named: str, body: JsonObject) -> JsonObject:
    """The message with what the path names in it [MIG-PTH-002, MIG-PTH-003]."""
    if not route.field:
        return body
    value = unquote_to_bytes(named).decode("utf-8", "replace")
    refuse_if(route.shape({route.field: value}, ""), "the path is not valid")
    if body.get(route.field, value) != value:
        raise RefusedError("MIG_INVALID_REQUEST", f"the path and the message name another {route.field}")
    return {**body, route.field: value}


def _tenant(own: str | None, carried: str | None, said: str | None) -> str:
    named = {each for each in (own, carried, said) if each is not None}
    if len(named) > 1:
        raise RefusedError("MIG_FORBIDDEN", "the tenants of token, X-Tenant-ID and message are not the same")
    if not named:
        raise RefusedError("MIG_INVALID_REQUEST", "tenant_id is required")
    return named.pop()


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")


def _response(status: int, message: JsonObject, **fields: str) -> Response:
    # In ASCII, so that half of a surrogate pair in a text stays what it was.
    return Response(status=status, body=json.dumps(message).encode("ascii"), fields=fields)


def _refusal(header: JsonObject, refused: RefusedError) -> Response:
    fields = {
        "MIG_RATE_LIMITED": {"Retry-After": "1"},
        "MIG_BACKPRESSURE": {"Retry-After": "1"},
        "MIG_UNAUTHORIZED": {"WWW-Authenticate": "Bearer"},
    }.get(refused.code, {"Allow": "POST"} if refused.status == 405 else {})
    return _response(refused.status, messages.envelope(header, refused), **fields)
