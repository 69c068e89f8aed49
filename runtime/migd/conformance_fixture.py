"""Whether the conformance fixture is served, beside what the gateway serves anyway."""

from __future__ import annotations

from collections.abc import Iterable

from migd.config import ConfigError, Settings
from migd.core.catalog import Capability

WARNING = (
    "MIGD_CONFORMANCE_FIXTURE=true: whoever calls mig.conformance.script says what it does and for how long, "
    "which is for testing only and must not be on in production"
)


def with_fixture(settings: Settings, capabilities: Iterable[Capability]) -> tuple[Capability, ...]:
    """`capabilities`, and the fixture where MIGD_CONFORMANCE_FIXTURE is on.

    Raises ConfigError when there is one of that name already: the fixture would take its place.
    """
    declared = tuple(capabilities)
    if not settings.conformance_fixture:
        return declared
    # Nobody else needs the modules of a Python capability that is not theirs.
    from migd.providers.script import SCRIPT_ID, script_capability

    if any(capability.descriptor.id == SCRIPT_ID for capability in declared):
        raise ConfigError(
            f"MIGD_CONFORMANCE_FIXTURE=true serves {SCRIPT_ID}, which is declared already: "
            "take it out of the migd.yaml, or set MIGD_CONFORMANCE_FIXTURE=false"
        )
    return (*declared, script_capability())
