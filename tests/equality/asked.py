"""What is asked of a gateway, said without any transport."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from support.tokens import bearer

JsonObject = dict[str, Any]

SCOPES = "equal:use other:scope"
OWN = "own"
OTHER = "other"


@dataclass(frozen=True, slots=True)
class Who:
    """The tenant of one run over one binding, and a second one that it has no business with."""

    own: str
    other: str

    def tenant(self, name: str) -> str:
        """The tenant that `OWN` and `OTHER` stand for; any other name is itself."""
        return {OWN: self.own, OTHER: self.other}.get(name, name)

    def authorization(self, credential: str) -> str | None:
        """The value of an Authorization field."""
        tokens: dict[str, Callable[[], str]] = {
            OWN: lambda: bearer(self.own, SCOPES),
            "unscoped": lambda: bearer(self.own),
            OTHER: lambda: bearer(self.other, SCOPES),
            "expired": lambda: bearer(self.own, SCOPES, exp=1),
            "forged": lambda: bearer(self.own, SCOPES, secret="another secret, longer than 32 bytes"),
            "tenantless": lambda: bearer(None, SCOPES),
            "basic": lambda: "Basic YWxpY2U6c2VjcmV0",
        }
        return None if credential == "none" else tokens[credential]()


CREDENTIALS = (OWN, "unscoped", OTHER, "expired", "forged", "tenantless", "basic", "none")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One request.

    `body` has the message's own fields, `header` those of its MIG header, in their JSON spelling; tenants are
    OWN and OTHER. `carried`: the header's fields travel in the transport's header fields, where it has such.
    `named`: the transport says which tenant it is. `extra`: the message has a field that nobody knows.
    `elsewhere`: what the path or the subject says in place of what the body says. `needs`: what only some
    bindings can say, of `unsayable.SILENT`.
    """

    operation: str
    body: JsonObject = field(default_factory=dict)
    header: JsonObject | None = None
    credential: str = OWN
    carried: bool = False
    named: bool = True
    extra: bool = False
    elsewhere: str | None = None
    needs: str = ""

    @property
    def message_id(self) -> str:
        """Of a call that has chosen one."""
        return str((self.header or {})["message_id"])

    def with_header(self, **fields: Any) -> Asked:
        """The same call with other fields in its header."""
        return replace(self, header={**(self.header or {}), **fields})

    def header_for(self, who: Who) -> JsonObject | None:
        """The MIG header, with the tenants of this run."""
        if self.header is None or "tenant_id" not in self.header:
            return self.header
        return {**self.header, "tenant_id": who.tenant(self.header["tenant_id"])}
