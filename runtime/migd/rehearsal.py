"""A start that stops before anything is started: what `migd config check` finds, a start would."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from mig_protocol.errors import MigFault
from mig_protocol.messages import CapabilityDescriptor
from migd.authentication import Authentication
from migd.config import ConfigError, Settings
from migd.configuration import Configuration
from migd.conformance_fixture import with_fixture
from migd.core.catalog import Capability, Catalog
from migd.core.clock import SystemClock
from migd.core.limits import Limits
from migd.core.schemas import SchemaCatalog
from migd.limiting import limits_of
from migd.tls import tls_of


def rehearse(configuration: Configuration) -> Sequence[CapabilityDescriptor]:
    """The capabilities that would be served, in the order of the file.

    Raises ConfigError for whatever would keep a gateway from starting, but for what only a start can find: a
    port in use, a file that can not be written, a store.
    """
    settings = configuration.settings
    manifest = configuration.manifest()
    capabilities = with_fixture(settings, manifest.capabilities)
    _check_catalog(capabilities, limits_of(settings, manifest.tenants))
    tls_of(settings)
    authentication = Authentication(settings, manifest.auth, SystemClock())
    asyncio.run(authentication.check_files())
    _check_nats(settings)
    return [capability.descriptor for capability in capabilities]


def _check_catalog(capabilities: Sequence[Capability], limits: Limits) -> None:
    catalog = Catalog(SchemaCatalog(limits.max_schemas, limits.schema), limits.max_capabilities)
    for capability in capabilities:
        try:
            catalog.add(capability)
        except MigFault as fault:
            raise ConfigError(f"{capability.descriptor.id}: {fault.message}") from fault


def _check_nats(settings: Settings) -> None:
    if settings.nats_url:
        # Its library is imported only where it is used.
        from migd.nats_side import nats_config

        nats_config(settings)
