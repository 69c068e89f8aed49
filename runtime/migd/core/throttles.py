"""How many invocations a tenant or a capability may start each second, and have running at a time."""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Container, Mapping, Sequence

from mig_protocol.errors import MigFault
from mig_protocol.messages import MigErrorCode
from migd.core.limits import UNLIMITED, Allowance
from migd.core.rates import TokenBucket

_TENANT = "tenant"
_CAPABILITY = "capability"
_BUSY_RETRY_S = 1.0


class Throttle:
    """One allowance, and what is taken of it."""

    __slots__ = ("_bucket", "_most", "_name", "_running", "_scope", "allowance")

    def __init__(self, allowance: Allowance, scope: str, name: str) -> None:
        self.allowance = UNLIMITED
        self._scope = scope
        self._name = name
        self._bucket: TokenBucket | None = None
        self._most = 0
        self._running = 0
        self.configure(allowance)

    def configure(self, allowance: Allowance) -> None:
        """Another allowance: what runs counts on, and where the rate is another the burst is whole."""
        if (allowance.rate, allowance.tokens) != (self.allowance.rate, self.allowance.tokens):
            self._bucket = TokenBucket(allowance.rate, allowance.tokens) if allowance.rate else None
        self._most = allowance.concurrency or 0
        self.allowance = allowance

    def wait_s(self, now: float) -> float:
        """0.0 when the rate allows one more now, else the seconds until it does."""
        return 0.0 if self._bucket is None else self._bucket.wait_s(now)

    def is_busy(self) -> bool:
        """Whether as many run as may."""
        return 0 < self._most <= self._running

    def take(self, now: float) -> None:
        """One is started."""
        if self._bucket is not None:
            self._bucket.take(now)

    def give_back(self) -> None:
        """The last one was not started after all."""
        if self._bucket is not None:
            self._bucket.give_back()

    def enter(self) -> None:
        """One runs, until it has `left`."""
        self._running += 1

    def left(self) -> None:
        self._running -= 1

    def is_untouched(self, now: float) -> bool:
        """Whether a new one would decide the same."""
        return not self._running and (self._bucket is None or self._bucket.is_full(now))

    @property
    def is_running(self) -> bool:
        return self._running > 0

    def too_fast(self, wait_s: float) -> MigFault:
        """The refusal of one that came `wait_s` seconds too early."""
        rate = self.allowance.rate
        return MigFault(
            MigErrorCode.MIG_RATE_LIMITED,
            f"{self._scope} {self._name} may start {rate:g} invocations per second",
            details=self._details(rate, wait_s),
            retry_after_s=wait_s,
        )

    def too_many(self) -> MigFault:
        """The refusal of one for which there is no place."""
        return MigFault(
            MigErrorCode.MIG_BACKPRESSURE,
            f"{self._scope} {self._name} may run {self._most} invocations at a time",
            details=self._details(self._most, _BUSY_RETRY_S),
            retry_after_s=_BUSY_RETRY_S,
        )

    def _details(self, limit: float, wait_s: float) -> dict[str, object]:
        return {"limit": limit, "scope": self._scope, "retry_after_ms": max(1, math.ceil(wait_s * 1000))}


class Throttles:
    """Every throttle that there is reason to keep, and none for what is not limited.

    Tenants without an allowance of their own have `default` each. At most `remembered` of them are kept: in
    open mode a caller can make tenants up. One that nothing is taken of is forgotten first, else the one
    that was used the longest ago.
    """

    def __init__(self, default: Allowance, tenants: Mapping[str, Allowance], remembered: int) -> None:
        self._remembered = remembered
        self._named: dict[str, Throttle] = {}
        self._met: OrderedDict[str, Throttle] = OrderedDict()
        self._capabilities: dict[str, Throttle] = {}
        self.configure(default, tenants)

    def configure(self, default: Allowance, tenants: Mapping[str, Allowance]) -> None:
        """Other allowances, from the next invocation on. What was taken of a rate that stays is taken, and
        what runs counts on, where it was counted at all.
        """
        own = {name: allowance.over(default) for name, allowance in tenants.items()}
        limits = (default, *own.values())
        self.by_tenant = any(allowance.is_limit for allowance in limits)
        self.counts_tenants = any(allowance.concurrency for allowance in limits)
        self._default = default
        known = {**self._met, **self._named}
        for name, throttle in known.items():
            throttle.configure(own.get(name, default))
        self._named = {
            name: known.get(name) or Throttle(allowance, _TENANT, name) for name, allowance in own.items()
        }
        self._met = OrderedDict((name, throttle) for name, throttle in known.items() if name not in own)

    def forget_capabilities(self, known: Container[str]) -> None:
        """Keep nothing of those that are not `known` any more, so that names can come and go."""
        for name in [name for name in self._capabilities if name not in known]:
            del self._capabilities[name]

    def of(
        self, tenant_id: str, capability: str, allowance: Allowance | None, now: float
    ) -> Sequence[Throttle]:
        """Those that an invocation has to pass; `allowance` is the capability's."""
        throttles = []
        if self.by_tenant:
            throttles.append(self._named.get(tenant_id) or self._tenant(tenant_id, now))
        if allowance is not None:
            throttles.append(self._capability(capability, allowance))
        return throttles

    def __len__(self) -> int:
        """How many tenants are remembered that have no allowance of their own."""
        return len(self._met)

    def _tenant(self, tenant_id: str, now: float) -> Throttle:
        throttle = self._met.get(tenant_id)
        if throttle is None:
            self._forget(now)
            throttle = self._met[tenant_id] = Throttle(self._default, _TENANT, tenant_id)
        else:
            self._met.move_to_end(tenant_id)
        return throttle

    def _forget(self, now: float) -> None:
        """Look at the two oldest for each that is new: what is untouched is gone before it can pile up."""
        for name in [name for name, _ in zip(self._met, range(2), strict=False)]:
            full = len(self._met) >= self._remembered
            throttle = self._met[name]
            if throttle.is_untouched(now) or (full and not throttle.is_running):
                del self._met[name]
            elif throttle.is_running:
                self._met.move_to_end(name)

    def _capability(self, capability: str, allowance: Allowance) -> Throttle:
        throttle = self._capabilities.get(capability)
        if throttle is None:
            throttle = self._capabilities[capability] = Throttle(allowance, _CAPABILITY, capability)
        elif throttle.allowance is not allowance:
            throttle.configure(allowance)
        return throttle
