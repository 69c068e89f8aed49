"""What is known of the server under test before the first check."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from mig_conformance.drivers.port import BindingName

AuthMode = Literal["none", "jwt"]


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
class Commands:
    """Shell commands that start and stop the server; None where the suite can not."""

    start: str | None = None
    stop: str | None = None
    restart: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """The manifest. `profiles` and `features` are what the server declares; a feature is one of HELLO's, or
    one of the suite's own (checks.features).
    """

    implementation: str = "unknown"
    version: str = "unknown"
    contact: str = ""
    endpoints: Endpoints = field(default_factory=Endpoints)
    tenant: str = "acme"
    other_tenant: str = "other"
    auth: Auth = field(default_factory=Auth)
    limits: Limits = field(default_factory=Limits)
    profiles: frozenset[str] = frozenset()
    features: frozenset[str] = frozenset()
    commands: Commands = field(default_factory=Commands)
    patience_s: float = 10.0
