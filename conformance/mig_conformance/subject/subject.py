"""What is known of the server under test before the first check."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal

from mig_conformance.drivers.port import BINDINGS, BindingName

AuthMode = Literal["none", "jwt"]

# They are where HTTP is, on servers that have what they carry.
_CARRY: Mapping[BindingName, str] = MappingProxyType({"sse": "events", "websocket": "streaming"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoints:
    """`http` and `nats` are URLs, `grpc` is HOST:PORT; None where the server has no such binding."""

    http: str | None = None
    grpc: str | None = None
    nats: str | None = None

    def of(self, binding: BindingName) -> str | None:
        """Where that binding is; sse and websocket are where http is."""
        return {"grpc": self.grpc, "nats": self.nats}.get(binding, self.http)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What the server is set to; None where it is not said, and then not judged.

    A topic keeps its last `retained_events`, and no more for long. An idle SSE stream has a comment every
    `keepalive_s` seconds.
    """

    retained_events: int | None = None
    keepalive_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Auth:
    """`tokens` are bearer tokens by the name of the caller (subject.callers); with `hs256_secret` the suite
    makes its own, and can judge forged and expired ones.
    """

    mode: AuthMode = "none"
    tokens: Mapping[str, str] = field(default_factory=dict, repr=False)
    hs256_secret: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """`run` is a line for the shell, with `env` added to the environment. It is done when `ready`, a URL,
    answers with status 2xx, or without one when every endpoint takes connections; within `within_s` seconds.
    """

    run: str
    env: Mapping[str, str] = field(default_factory=dict, repr=False)
    ready: str | None = None
    within_s: float = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Commands:
    """What starts, stops and restarts the server; None where the suite can not."""

    start: Command | None = None
    stop: Command | None = None
    restart: Command | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """The manifest. `profiles` and `features` are what the server declares; a feature is one of HELLO's, or
    one of the suite's own (checks.features). Only `bindings` are judged, as far as they have an endpoint.
    `peers` are further gateways that are one with this one through NATS, for checks of just that.
    """

    implementation: str = "unknown"
    version: str = "unknown"
    contact: str = ""
    endpoints: Endpoints = field(default_factory=Endpoints)
    peers: tuple[Endpoints, ...] = ()
    tenant: str = "acme"
    other_tenant: str = "other"
    auth: Auth = field(default_factory=Auth)
    limits: Limits = field(default_factory=Limits)
    profiles: frozenset[str] = frozenset()
    features: frozenset[str] = frozenset()
    bindings: tuple[BindingName, ...] = BINDINGS
    commands: Commands = field(default_factory=Commands)
    patience_s: float = 10.0

    def why_not(self, binding: BindingName) -> str:
        """Why the binding is not judged; "" where it is."""
        if binding not in self.bindings:
            return f"--binding does not name {binding}"
        if self.endpoints.of(binding) is None:
            return f"no endpoint for {binding}"
        carried = _CARRY.get(binding)
        if carried is not None and carried not in self.features:
            return f"the server does not declare {carried}, which {binding} is for"
        return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Declaration:
    """A subject as its manifest has it. `profiles` and `features` are None where it does not say them: then
    the server is asked (running.probe), and those of the subject mean nothing yet.
    """

    subject: Subject
    profiles: frozenset[str] | None = None
    features: frozenset[str] | None = None
