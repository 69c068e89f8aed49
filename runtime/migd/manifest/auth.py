"""Issuers of tokens and clients with certificates: the `auth` of a migd.yaml."""

from __future__ import annotations

from migd.auth_config import AuthConfig, CertificateConfig, IssuerConfig
from migd.capability.descriptor import check_tenant
from migd.core.verification import ALGORITHMS, ASYMMETRIC, HS256
from migd.manifest.document import Place
from migd.setting_values import key_set_location, placed_key_set

_ISSUER = (
    "issuer",
    "jwks",
    "hs256_secret",
    "hs256_secret_previous",
    "audience",
    "algorithms",
    "tenant",
    "tenant_claim",
    "tenants",
    "admin",
)
_TENANCIES = ("tenant", "tenants")


def read_auth(place: Place | None) -> AuthConfig:
    """Raises ManifestError for an entry that could not do what it says."""
    keys = place.only(("issuers", "certificates")) if place is not None else {}
    issuers: dict[str, IssuerConfig] = {}
    for entry in keys["issuers"].items() if "issuers" in keys else []:
        issuer = _issuer(entry)
        if issuer.issuer in issuers:
            raise entry.wrong(f'"{issuer.issuer}" is declared already, at {issuers[issuer.issuer].where}')
        issuers[issuer.issuer] = issuer
    certificates: dict[str, CertificateConfig] = {}
    for entry in keys["certificates"].items() if "certificates" in keys else []:
        certificate = _certificate(entry)
        if certificate.subject in certificates:
            raise entry.wrong(f'"{certificate.subject}" is declared already')
        certificates[certificate.subject] = certificate
    return AuthConfig(issuers=tuple(issuers.values()), certificates=tuple(certificates.values()))


def _issuer(entry: Place) -> IssuerConfig:
    keys = entry.only(_ISSUER)
    if "issuer" not in keys:
        raise entry.wrong("lacks `issuer`, what the claim iss of its tokens is")
    if not {"jwks", "hs256_secret"} & keys.keys():
        raise entry.wrong("lacks its keys: `jwks`, a file or an https:// URL, or `hs256_secret`")
    if len(set(_TENANCIES) & keys.keys()) != 1:
        raise entry.wrong("says which tenants it speaks for with one of `tenant` and `tenants`")
    issuer = IssuerConfig(
        where=f"{entry.file}:{entry.line}",
        issuer=_filled(keys["issuer"]),
        jwks=_jwks(keys["jwks"]) if "jwks" in keys else "",
        secrets=tuple(_filled(keys[key]) for key in ("hs256_secret", "hs256_secret_previous") if key in keys),
        audiences=_texts(keys.get("audience")),
        algorithms=frozenset(each.one_of(ALGORITHMS) for each in _listed(keys.get("algorithms"))),
        tenant=keys["tenant"].checked(check_tenant) if "tenant" in keys else None,
        tenant_claim=_filled(keys["tenant_claim"]) if "tenant_claim" in keys else None,
        tenants=frozenset(each.checked(check_tenant) for each in _listed(keys.get("tenants"))) or None,
        admin=keys["admin"].flag() if "admin" in keys else False,
    )
    _check_keys(entry, issuer)
    return issuer


def _check_keys(entry: Place, issuer: IssuerConfig) -> None:
    for algorithm in issuer.algorithms:
        if not (issuer.secrets if algorithm == HS256 else issuer.jwks):
            raise entry.wrong(f"takes {algorithm} and has no key for it")
    if issuer.secrets and issuer.algorithms and HS256 not in issuer.algorithms:
        raise entry.wrong("has a secret, and HS256, which it is for, is not one of its algorithms")
    if issuer.jwks and issuer.algorithms and not issuer.algorithms & set(ASYMMETRIC):
        raise entry.wrong(f"has a key set, and none of its algorithms is one of {', '.join(ASYMMETRIC)}")


def _certificate(entry: Place) -> CertificateConfig:
    keys = entry.only(("subject", "tenant", "scopes"))
    for key in ("subject", "tenant"):
        if key not in keys:
            raise entry.wrong(f"lacks `{key}`")
    return CertificateConfig(
        subject=_filled(keys["subject"]),
        tenant=keys["tenant"].checked(check_tenant),
        scopes=_texts(keys.get("scopes")),
    )


def _jwks(place: Place) -> str:
    return placed_key_set(place.file.parent, place.checked(key_set_location))


def _listed(place: Place | None) -> list[Place]:
    if place is None:
        return []
    items = place.items()
    if not items:
        raise place.wrong("is empty; leave the key out, or say which")
    return items


def _texts(place: Place | None) -> frozenset[str]:
    """A string, or a list of strings."""
    if place is None:
        return frozenset()
    return frozenset({_filled(place)} if place.kind == "a string" else map(_filled, _listed(place)))


def _filled(place: Place) -> str:
    text = place.text()
    if not text:
        raise place.wrong("is empty")
    return text
