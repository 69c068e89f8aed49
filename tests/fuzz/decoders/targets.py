"""Every decoder that bytes from outside reach first, by the name of its target."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module

from fuzz.decoders.target import Target

_MODULES: Mapping[str, tuple[str, ...]] = {
    "messages": ("json", "protobuf"),
    "requests": ("http", "nats", "subject"),
    "calls": ("grpc",),
    "fields": ("text", "mirrored", "peer"),
    "credentials": ("token", "claims"),
    "identities": ("key_set", "certificate"),
    "listener": ("listener",),
    "frames": ("frames",),
    "seeded": ("raises", "hangs"),
}
TARGETS = tuple(name for module, names in _MODULES.items() for name in names if module != "seeded")


def target_of(name: str) -> Target:
    """It is the constant of that name in its module. Nothing but that is imported: instrumenting the whole
    gateway takes seconds, and only two of the targets need it.
    """
    module = next(module for module, names in _MODULES.items() if name in names)
    target: Target = getattr(import_module(f"fuzz.decoders.{module}"), name.upper())
    return target
