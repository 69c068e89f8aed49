"""The `auth` of a migd.yaml: issuers of tokens, and clients with certificates."""

from __future__ import annotations

from pathlib import Path

import pytest

from migd.auth_config import CertificateConfig
from migd.manifest import ManifestError, load_manifest

GOOD = """
migd: 1
auth:
  issuers:
    - issuer: https://one.example
      jwks: keys.json
      audience: [gateway, other]
      algorithms: [RS256]
      tenant_claim: org
      tenants: [acme, globex]
    - issuer: https://two.example
      hs256_secret: ${SECRET}
      hs256_secret_previous: ${OLD}
      tenant: initech
      admin: true
  certificates:
    - subject: spiffe://mesh/billing
      tenant: acme
      scopes: [capability:infer, "mig:admin"]
"""


def write(folder: Path, text: str) -> Path:
    file = folder / "migd.yaml"
    file.write_text(text)
    return file


def test_issuers_and_certificates_are_read(tmp_path: Path) -> None:
    auth = load_manifest(write(tmp_path, GOOD), {"SECRET": "new one", "OLD": "old one"}).auth
    one, two = auth.issuers

    assert (one.issuer, one.jwks) == ("https://one.example", str(tmp_path / "keys.json"))
    assert one.audiences == {"gateway", "other"}
    assert one.algorithms == {"RS256"}
    assert (one.tenant, one.tenant_claim) == (None, "org")
    assert one.tenants == frozenset({"acme", "globex"})
    assert (two.secrets, two.tenant, two.admin) == (("new one", "old one"), "initech", True)
    assert "new one" not in repr(auth)
    assert auth.certificates == (
        CertificateConfig(
            subject="spiffe://mesh/billing",
            tenant="acme",
            scopes=frozenset({"capability:infer", "mig:admin"}),
        ),
    )


ISSUER = "issuer: https://one.example, "


@pytest.mark.parametrize(
    ("entry", "why"),
    [
        ("jwks: k.json, tenants: [acme]", "lacks `issuer`"),
        (ISSUER + "tenants: [acme]", "lacks its keys"),
        (ISSUER + "jwks: k.json", "one of `tenant` and `tenants`"),
        (ISSUER + "jwks: k.json, tenant: acme, tenants: [acme]", "one of `tenant` and `tenants`"),
        (ISSUER + "jwks: k.json, tenants: []", "is empty"),
        (ISSUER + "jwks: k.json, tenant: a.b", "tenant"),
        (ISSUER + "jwks: 'http://example.com/k', tenant: acme", "is not the path of a JWK Set file"),
        (ISSUER + "jwks: k.json, tenant: acme, algorithms: [none]", '"none" is not one of HS256'),
        (ISSUER + "jwks: k.json, tenant: acme, algorithms: [HS256]", "takes HS256 and has no key for it"),
        (ISSUER + "hs256_secret: s, tenant: acme, algorithms: [RS256]", "takes RS256 and has no key for it"),
        (ISSUER + "hs256_secret: '', tenant: acme", "is empty"),
        (ISSUER + "jwks: k.json, tenant: acme, admins: true", 'did you mean "admin"?'),
    ],
)
def test_an_issuer_that_could_not_do_what_it_says_is_refused(tmp_path: Path, entry: str, why: str) -> None:
    file = write(tmp_path, f"migd: 1\nauth:\n  issuers:\n    - {{{entry}}}\n")

    with pytest.raises(ManifestError) as refused:
        load_manifest(file, {})
    assert str(refused.value).startswith(f"{file}:4: auth.issuers[0]")
    assert why in str(refused.value)


def test_nobody_is_declared_twice(tmp_path: Path) -> None:
    issuer = "    - {issuer: one, jwks: k.json, tenant: acme}\n"
    client = "    - {subject: one, tenant: acme}\n"
    for kind, entry in (("issuers", issuer), ("certificates", client)):
        with pytest.raises(ManifestError, match=r'migd.yaml:5: .*"one" is declared already'):
            load_manifest(write(tmp_path, f"migd: 1\nauth:\n  {kind}:\n{entry}{entry}"), {})
