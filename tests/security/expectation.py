"""What the protocol says of a request: who may, and what the others are told.

Written from spec/registry (rights, error codes) and sections 2 and 8, and from nothing in the gateway: where
the two disagree, the gateway is wrong.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mig_protocol.operations import OPERATIONS, Operation, Rights
from support.tokens import JWT_MODE, bearer

OWN, OTHER = "acme", "globex"
TOPIC = "matrix.events.placed"
THEIR_MESSAGE = "theirs-1"
"""The id of an invocation of the other tenant that is over."""
REFERENCE, REFERENCE_SCOPE = "observatory.models.infer", "capability:infer"
_UNAUTHORIZED, _FORBIDDEN, _INVALID = "MIG_UNAUTHORIZED", "MIG_FORBIDDEN", "MIG_INVALID_REQUEST"
SUCCESS = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mode:
    """One way to run a gateway."""

    environ: Mapping[str, str]
    authenticated: bool = True
    topic_scopes: bool = False


MODES = {
    "open": Mode(environ={}, authenticated=False),
    "jwt": Mode(environ=JWT_MODE),
    "jwt with topic scopes": Mode(environ={**JWT_MODE, "MIGD_TOPIC_SCOPES": "on"}, topic_scopes=True),
}


@dataclass(frozen=True, slots=True)
class Credential:
    """The value of an Authorization field, None for no such field; `refused` is what it gets in jwt mode."""

    name: str
    value: str | None
    refused: str = SUCCESS
    scopes: frozenset[str] = frozenset()


def _granting(name: str, *scopes: str) -> Credential:
    return Credential(name, bearer(OWN, " ".join(scopes)), scopes=frozenset(scopes))


CREDENTIALS = (
    Credential("none", None, _UNAUTHORIZED),
    Credential("garbage", "Bearer not.a.token", _UNAUTHORIZED),
    Credential("expired", bearer(OWN, "mig:admin", exp=int(time.time()) - 60), _UNAUTHORIZED),
    Credential(
        "wrong key", bearer(OWN, "mig:admin", secret="of another, and long enough too"), _UNAUTHORIZED
    ),
    Credential("no tenant", bearer(None, "mig:admin"), _FORBIDDEN),
    _granting("no scope"),
    _granting("the capability's scope", REFERENCE_SCOPE),
    _granting("administrator", "mig:admin"),
    _granting("publisher", "mig:publish:matrix.>"),
    _granting("subscriber", "mig:subscribe:matrix.*.placed"),
    _granting("other topics", "mig:publish:matrix.*", "mig:subscribe:other.>"),
)
# The scopes above that open TOPIC, by the action that they open it for.
_OPENING = {"publish": "mig:publish:matrix.>", "subscribe": "mig:subscribe:matrix.*.placed"}


@dataclass(frozen=True, slots=True)
class Place:
    """Something that can be asked for. `action` says what is done to the REFERENCE capability or to TOPIC."""

    name: str
    rights: Rights
    action: str = ""


def place_of(operation: Operation) -> Place:
    """An operation of a caller acts on a capability or a topic where its request names one."""
    fields = operation.request.__struct_fields__ if operation.request else ()
    if operation.rights != "caller" or not {"capability", "topic"} & set(fields):
        return Place(operation.id, operation.rights)
    return Place(operation.id, "caller", "invoke" if "capability" in fields else operation.id.lower())


BY_ID = {operation.id: operation for operation in OPERATIONS}
CALLERS = {operation.id for operation in OPERATIONS if operation.rights == "caller"}


def expected(mode: Mode, place: Place, credential: Credential, named: Sequence[str]) -> str:
    """The code of the refusal, or SUCCESS. `named` are the tenants that the request names, wherever."""
    if place.rights == "public":
        return SUCCESS
    if not mode.authenticated:
        if place.rights == "admin":
            return SUCCESS
        return _INVALID if not named else SUCCESS if len(set(named)) == 1 else _FORBIDDEN
    if credential.refused:
        return credential.refused
    if set(named) - {OWN} or not _has_scope(mode, place, credential):
        return _FORBIDDEN
    return SUCCESS


def _has_scope(mode: Mode, place: Place, credential: Credential) -> bool:
    if place.rights == "admin":
        return "mig:admin" in credential.scopes
    if place.action == "invoke":
        return REFERENCE_SCOPE in credential.scopes
    return (
        place.action not in _OPENING or not mode.topic_scopes or _OPENING[place.action] in credential.scopes
    )


def acting(mode: Mode, named: Sequence[str]) -> str:
    """The tenant that a request is for, if it is let in."""
    return named[0] if named and not mode.authenticated else OWN
