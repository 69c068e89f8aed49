"""The rules that an authorization is decided by, and what a decision says (protocol sections 2, 7 and 8).

A refusal tells its caller which rule it was, in `details.rule`; `/pro/v0.1/policies/validate` tells an
administrator the same of a call that nobody has made yet. A capability that is hidden from a tenant is
refused exactly as one that does not exist: what would tell them apart is told to administrators only.
"""

from __future__ import annotations

from typing import NamedTuple

from mig_protocol.errors import MigFault
from mig_protocol.messages import MigErrorCode
from migd.core.provider import JsonObject


class Rule(NamedTuple):
    """One rule. Its texts may name {action}, {target}, {tenant} and {needed}.

    `code` is what a refusal by it is. `told` is what the caller is told where `refuses` would give away what
    the caller may not know; a rule with it has no details either.
    """

    id: str
    code: MigErrorCode
    allows: str
    refuses: str
    told: str = ""


_FORBIDDEN = MigErrorCode.MIG_FORBIDDEN
_UNSUPPORTED = MigErrorCode.MIG_UNSUPPORTED_CAPABILITY
_NO_CAPABILITY = "no capability {target}"

NO_RULE = Rule("no-rule", _FORBIDDEN, "", "no rule allows the action {action}")
ONE_TENANT = Rule(
    "one-tenant",
    _FORBIDDEN,
    "every caller of the tenant may {action}",
    "the tenant in the request is not the tenant of its transport or token",
)
CAPABILITY_KNOWN = Rule(
    "capability-known", _UNSUPPORTED, "", "there is no capability {target}", told=_NO_CAPABILITY
)
CAPABILITY_VISIBLE = Rule(
    "capability-visible",
    _UNSUPPORTED,
    "{target} is visible to the tenant and open",
    "tenant {tenant} sees no capability {target}",
    told=_NO_CAPABILITY,
)
CAPABILITY_SCOPE = Rule(
    "capability-scope",
    _FORBIDDEN,
    "{target} is visible to the tenant and open to callers with one of the scopes {needed}",
    "{target} needs one of the scopes {needed}",
)
TOPIC_SCOPE = Rule(
    "topic-scope",
    _FORBIDDEN,
    "{target} is open to callers with a scope that covers {needed}",
    "{target} needs a scope that covers {needed}",
)
ADMIN_SCOPE = Rule(
    "admin-scope",
    _FORBIDDEN,
    "administration is open to callers with the scope {needed}",
    "this route needs the scope {needed}",
)
ALLOWANCE = "allowance"
"""The id by which an explanation names quota, rate and concurrency: admission decides about them, once
every rule allows the call."""


class Decision(NamedTuple):
    """Whether `action` is allowed, and the rule that decided: the first that refuses, else the last one."""

    allowed: bool
    rule: Rule
    action: str
    tenant_id: str
    target: str
    needed: tuple[str, ...] = ()

    @property
    def reason(self) -> str:
        """One line for an administrator."""
        return self._said(self.rule.allows if self.allowed else self.rule.refuses)

    def fault(self) -> MigFault:
        """The refusal as its caller gets it."""
        rule = self.rule
        if rule.told:
            return MigFault(rule.code, self._said(rule.told))
        details: JsonObject = {"rule": rule.id}
        if self.needed:
            details["required_scopes"] = list(self.needed)
        return MigFault(rule.code, self.reason, details=details)

    def _said(self, text: str) -> str:
        return text.format(
            action=self.action, target=self.target, tenant=self.tenant_id, needed=", ".join(self.needed)
        )
