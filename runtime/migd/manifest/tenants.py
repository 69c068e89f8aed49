"""The tenants that an entry is for."""

from __future__ import annotations

from migd.capability.descriptor import check_tenant
from migd.manifest.document import Place


def read_tenants(place: Place | None) -> frozenset[str] | None:
    """The tenants that see the capability; None, for all of them, when the file does not say.

    Raises ManifestError for an empty list, which would hide the capability from everybody.
    """
    if place is None:
        return None
    tenants = place.items()
    if not tenants:
        raise place.wrong(
            "names no tenant, so nobody could see the capability; leave the key out to show it to all"
        )
    return frozenset(tenant.checked(check_tenant) for tenant in tenants)
