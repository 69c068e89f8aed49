"""The capabilities and schemas that the gateway knows, and who may see which."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from dataclasses import dataclass

from msgspec.structs import replace

from mig_protocol.errors import MigFault
from mig_protocol.messages import CapabilityDescriptor, DeliverySemantics, MigErrorCode, QoSProfile
from migd.core.limits import UNLIMITED, Allowance
from migd.core.provider import JsonObject, Provider
from migd.core.schema_bounds import SchemaBounds
from migd.core.schemas import PayloadSchema, SchemaCatalog


@dataclass(frozen=True, slots=True, kw_only=True)
class Capability:
    """A descriptor with what runs it.

    `provider` None means registered but with nothing to run it (MIG_UNAVAILABLE). `tenants` None means
    every tenant sees it. `limits` are what all tenants together may take of it. The schemas are registered
    under the descriptor's URIs. `made_from` is what the provider was made from, None where nobody can tell:
    one that is made from an equal thing needs not be made again.
    """

    descriptor: CapabilityDescriptor
    provider: Provider | None = None
    input_schema: JsonObject | None = None
    output_schema: JsonObject | None = None
    tenants: frozenset[str] | None = None
    limits: Allowance = UNLIMITED
    made_from: object | None = None


class Entry:
    """A capability as admission wants it: everything looked up once, when it is registered."""

    __slots__ = (
        "allowance",
        "bidirectional",
        "capability",
        "descriptor",
        "id",
        "input",
        "max_payload_bytes",
        "provider",
        "scopes",
        "streams",
        "unary",
    )

    def __init__(self, capability: Capability, input_schema: PayloadSchema | None) -> None:
        descriptor = capability.descriptor
        modes = {mode.value for mode in descriptor.modes}
        self.allowance = capability.limits if capability.limits.is_limit else None
        self.capability = capability
        self.descriptor = descriptor
        self.id = descriptor.id
        self.provider = capability.provider
        self.input = input_schema
        self.scopes = tuple(sorted(set(descriptor.auth_scopes)))
        self.max_payload_bytes = _qos(descriptor).max_payload_bytes
        self.unary = "unary" in modes
        self.streams = bool(modes & {"server_stream", "client_stream", "bidi_stream"})
        self.bidirectional = bool(modes & {"client_stream", "bidi_stream"})

    def visible_to_tenant(self, tenant_id: str) -> bool:
        return self.capability.tenants is None or tenant_id in self.capability.tenants


class Catalog:
    """The capabilities by id. Registering an id again replaces its descriptor and keeps its provider."""

    def __init__(self, schemas: SchemaCatalog, limit: int) -> None:
        self._schemas = schemas
        self._limit = limit
        self._entries: dict[str, Entry] = {}
        self._described: dict[str, CapabilityDescriptor] = {}
        self._added_schemas: dict[str, JsonObject] = {}

    def add(self, capability: Capability) -> Entry:
        """Register with its schemas. Raises MigFault when there are too many, or a schema is not valid."""
        capability = dataclasses.replace(capability, descriptor=_complete(capability.descriptor))
        descriptor = capability.descriptor
        if descriptor.id not in self._entries and len(self._entries) >= self._limit:
            raise MigFault(
                MigErrorCode.MIG_RATE_LIMITED, f"the gateway holds its limit of {self._limit} capabilities"
            )
        for uri, document in (
            (descriptor.input_schema_uri, capability.input_schema),
            (descriptor.output_schema_uri, capability.output_schema),
        ):
            if uri and document is not None:
                self._schemas.register(uri, document)
        entry = self._entries[descriptor.id] = self._entry(capability)
        return entry

    def describe(self, descriptor: CapabilityDescriptor) -> Entry:
        """Register a bare descriptor, as the admin API does. It outlives a `replace`."""
        entry = self._describe(descriptor)
        self._described[entry.id] = entry.descriptor
        return entry

    def _describe(self, descriptor: CapabilityDescriptor) -> Entry:
        known = self._entries.get(descriptor.id)
        return self.add(
            Capability(
                descriptor=descriptor,
                provider=known.provider if known else None,
                tenants=known.capability.tenants if known else None,
                limits=known.capability.limits if known else UNLIMITED,
                made_from=known.capability.made_from if known else None,
            )
        )

    def add_schema(self, uri: str, document: JsonObject) -> None:
        """Register a schema and let every capability that names its URI follow it from now on. It outlives a
        `replace`.
        """
        self._add_schema(uri, document)
        self._added_schemas[uri] = document

    def _add_schema(self, uri: str, document: JsonObject) -> None:
        self._schemas.register(uri, document)
        for entry in list(self._entries.values()):
            if entry.descriptor.input_schema_uri == uri:
                self._entries[entry.id] = self._entry(entry.capability)

    def replaced(self, capabilities: Iterable[Capability], bounds: SchemaBounds) -> Catalog:
        """Another catalog: of these and, over them, of all that was described and added here, as a gateway
        has them after a restart. Raises MigFault as `add` does.
        """
        other = Catalog(self._schemas.emptied(bounds), self._limit)
        for capability in capabilities:
            other.add(capability)
        for uri, document in self._added_schemas.items():
            other.add_schema(uri, document)
        for descriptor in self._described.values():
            other.describe(descriptor)
        other._schemas.settle()
        return other

    def become(self, other: Catalog) -> None:
        """Hold what `other` holds, from one moment to the next."""
        self._schemas, self._entries = other._schemas, other._entries
        self._described, self._added_schemas = other._described, other._added_schemas

    def find(self, capability_id: str) -> Entry | None:
        return self._entries.get(capability_id)

    def all(self) -> list[Entry]:
        """Every capability, by id."""
        return [self._entries[key] for key in sorted(self._entries)]

    def providers(self) -> Iterable[Provider]:
        """Each provider once, however many capabilities it runs."""
        return {id(e.provider): e.provider for e in self._entries.values() if e.provider is not None}.values()

    def _entry(self, capability: Capability) -> Entry:
        uri = capability.descriptor.input_schema_uri
        return Entry(capability, self._schemas.find(uri or None))


def _qos(descriptor: CapabilityDescriptor) -> QoSProfile:
    return descriptor.qos or QoSProfile()


def _complete(descriptor: CapabilityDescriptor) -> CapabilityDescriptor:
    """With the QoS written out that an unstated one stands for."""
    qos = _qos(descriptor)
    return replace(
        descriptor,
        qos=replace(qos, delivery_semantics=qos.delivery_semantics or DeliverySemantics.best_effort),
    )
