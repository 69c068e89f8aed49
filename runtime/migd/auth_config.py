"""What a migd.yaml says about who may call, beside what the settings say."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuerConfig:
    """One issuer of tokens. `where` is the place in the file, for messages; "" is the settings.

    `jwks` is a path or a URL, "" for none; `secrets` are those of HS256. `algorithms`: empty means all that
    there are keys for. `tenant`, `tenant_claim` and `tenants` are as in `migd.core.issuers.Tenancy`.
    """

    where: str
    issuer: str
    jwks: str = ""
    secrets: tuple[str, ...] = field(default=(), repr=False)
    audiences: frozenset[str] = frozenset()
    algorithms: frozenset[str] = frozenset()
    tenant: str | None = None
    tenant_claim: str | None = None
    tenants: frozenset[str] | None = None
    admin: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateConfig:
    """Who the client certificate of `subject` is: a URI of its subjectAltName, or its common name."""

    subject: str
    tenant: str
    scopes: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthConfig:
    """The file's `auth`. Issuers and subjects are distinct."""

    issuers: tuple[IssuerConfig, ...] = ()
    certificates: tuple[CertificateConfig, ...] = ()
