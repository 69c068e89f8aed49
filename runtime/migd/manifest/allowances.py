"""What a tenant, or a capability, may take of the gateway: the `limits` of a migd.yaml."""

from __future__ import annotations

from collections.abc import Mapping

from migd.capability.descriptor import check_tenant
from migd.core.limits import UNLIMITED, Allowance
from migd.manifest.document import Place

_KEYS = ("rate_per_s", "burst", "concurrency")
_MOST = 1_000_000


def read_allowance(place: Place | None) -> Allowance:
    """Rate and concurrency. Raises ManifestError for a burst without a rate, which would mean nothing."""
    if place is None:
        return UNLIMITED
    keys = place.only(_KEYS)
    rate = keys["rate_per_s"].number(0, _MOST) if "rate_per_s" in keys else None
    if "burst" in keys and not rate:
        raise keys["burst"].wrong("a burst needs a rate_per_s beside it, the rate at which it comes back")
    return Allowance(
        rate_per_s=rate,
        burst=keys["burst"].integer(1, _MOST) if "burst" in keys else None,
        concurrency=keys["concurrency"].integer(0, _MOST) if "concurrency" in keys else None,
    )


def read_tenant_allowances(place: Place | None) -> Mapping[str, Allowance]:
    """Those of the top-level `limits`, by tenant."""
    if place is None:
        return {}
    keys = place.only(("tenants",))
    tenants = keys["tenants"].entries() if "tenants" in keys else {}
    return {_tenant(name, below): read_allowance(below) for name, below in tenants.items()}


def _tenant(name: str, place: Place) -> str:
    try:
        return check_tenant(name)
    except ValueError as error:
        raise place.wrong(str(error)) from error
