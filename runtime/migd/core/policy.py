"""Who may do what: the one place where an authorization is decided (protocol sections 2, 7 and 8).

Rules, in the order in which they decide; see `rules` for what each says:
1. no-rule: an action that is not in ACTIONS is refused.
2. admin-scope: "admin" needs mig:admin, and no tenant is looked at.
3. one-tenant: whatever else there is, a caller does for the tenant of its credential only.
4. capability-known, capability-visible, capability-scope: "invoke" and "discover".
5. topic-scope: "publish" and "subscribe", where the gateway is set to look at their scopes.
Scopes are looked at where the caller is authenticated, and nowhere else.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

from migd.core import call, topic_scopes
from migd.core.call import Principal
from migd.core.catalog import Catalog, Entry
from migd.core.rules import (
    ADMIN_SCOPE,
    CAPABILITY_KNOWN,
    CAPABILITY_SCOPE,
    CAPABILITY_VISIBLE,
    NO_RULE,
    ONE_TENANT,
    TOPIC_SCOPE,
    Decision,
    Rule,
)

Target = Literal["capability", "topic", "tenant", "gateway"]

ACTIONS: Mapping[str, Target] = MappingProxyType(
    {
        "hello": "tenant",
        "discover": "capability",
        "invoke": "capability",
        "publish": "topic",
        "subscribe": "topic",
        "cancel": "tenant",
        "heartbeat": "tenant",
        "admin": "gateway",
    }
)
"""Every action that a rule can allow, and what it is done to."""

_ADMINISTRATOR = (call.ADMIN_SCOPE,)
_Verdict = tuple[Rule, bool, tuple[str, ...], Entry | None]
"""The rule that decided, whether it allows, the scopes that it looks for, and the capability it is about."""


class Policy:
    """Decides from the caller, the catalog and the settings alone; asking changes nothing."""

    def __init__(self, catalog: Catalog, *, topic_scopes: bool = False) -> None:
        self._catalog = catalog
        self._topic_scopes = topic_scopes

    def decide(self, caller: Principal, tenant_id: str, action: str, target: str = "") -> Decision:
        """Whether `caller` may do `action` for the tenant to `target`: a capability, a topic, or nothing."""
        rule, allowed, needed, _ = self._verdict(caller, tenant_id, action, target)
        return Decision(allowed, rule, action, tenant_id, target, needed)

    def open(self, caller: Principal, tenant_id: str, action: str, capability: str) -> Entry:
        """The capability, where `caller` may do `action` to it; raises MigFault as `require` does.

        For invocations: nothing is looked up twice, and only a refusal is put into words.
        """
        rule, allowed, needed, entry = self._verdict(caller, tenant_id, action, capability)
        if entry is None or not allowed:
            raise Decision(False, rule, action, tenant_id, capability, needed).fault()
        return entry

    def require(self, caller: Principal, tenant_id: str, action: str, target: str = "") -> None:
        """Raises MigFault, as the rule that refuses has it."""
        decision = self.decide(caller, tenant_id, action, target)
        if not decision.allowed:
            raise decision.fault()

    def _verdict(self, caller: Principal, tenant_id: str, action: str, target: str) -> _Verdict:
        kind = ACTIONS.get(action)
        if kind is None:
            return NO_RULE, False, (), None
        if kind == "gateway":
            return ADMIN_SCOPE, _holds_one(caller, _ADMINISTRATOR), _ADMINISTRATOR, None
        if caller.tenant_id is not None and caller.tenant_id != tenant_id:
            return ONE_TENANT, False, (), None
        if kind == "capability":
            return self._capability(caller, tenant_id, target)
        if kind == "topic" and self._topic_scopes:
            return _topic(caller, action, target)
        return ONE_TENANT, True, (), None

    def _capability(self, caller: Principal, tenant_id: str, capability: str) -> _Verdict:
        entry = self._catalog.find(capability)
        if entry is None:
            return CAPABILITY_KNOWN, False, (), None
        if not entry.visible_to_tenant(tenant_id):
            return CAPABILITY_VISIBLE, False, (), entry
        if not entry.scopes:
            return CAPABILITY_VISIBLE, True, (), entry
        return CAPABILITY_SCOPE, _holds_one(caller, entry.scopes), entry.scopes, entry


def _topic(caller: Principal, action: str, topic: str) -> _Verdict:
    allowed = not caller.authenticated or topic_scopes.opens(caller.scopes, action, topic)
    return TOPIC_SCOPE, allowed, (topic_scopes.needed(action, topic),), None


def _holds_one(caller: Principal, scopes: tuple[str, ...]) -> bool:
    return not caller.authenticated or not caller.scopes.isdisjoint(scopes)
