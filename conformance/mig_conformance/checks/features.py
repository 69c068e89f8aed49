"""What a check can need of a server, and of whoever runs the suite against it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final

from mig_protocol.operations import FEATURES, PROFILES

SETTINGS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "open": "Callers are not authenticated (auth.mode none).",
        "jwt": "Callers show bearer tokens (auth.mode jwt).",
        "durable": "Events that were accepted are there after a restart.",
        "mirror": "Published events are mirrored to NATS.",
        "topic-scopes": "PUBLISH and SUBSCRIBE need a scope that covers the topic (auth.mode jwt).",
    }
)
"""How a server is set up. Without one, a check that needs it is about something that is not there."""

MEANS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "hidden": "A capability is there that one of the two tenants sees, and the other does not.",
        "script": "The fixture capability mig.conformance.script is served.",
        "tokens": "The suite can make tokens: auth.hs256_secret is known.",
        "admin": "The admin, pro and cloud routes are served, and the caller admin may call them.",
        "metrics": "GET /metrics is served.",
        "restart": "The suite can restart the server: commands.restart or commands.start is there.",
        "ui": "GET /ui is served.",
        "docs": "GET /docs is served.",
        "peers": "Further gateways on the same NATS are in the manifest: peers.",
    }
)
"""What the suite judges with. Without one, a check that needs it leaves its requirement unjudged."""

KNOWN: Final = frozenset({*FEATURES, *SETTINGS, *MEANS})

_ORDER = {profile.id: place for place, profile in enumerate(PROFILES)}


def required_by(profiles: Iterable[str]) -> frozenset[str]:
    """The features of HELLO that a server supports which declares these profiles."""
    declared = set(profiles)
    return frozenset(need for profile in PROFILES if profile.id in declared for need in profile.requires)


def with_included(profiles: Iterable[str]) -> frozenset[str]:
    """The profiles, and those that they contain: core is in all, and all are in full."""
    declared = frozenset(profiles)
    return frozenset(_ORDER) if "full" in declared else declared | {"core"}


def in_order(profiles: Iterable[str]) -> list[str]:
    """Weakest first."""
    return sorted(profiles, key=_ORDER.__getitem__)
