"""What vouches for others: an issuer's key set, and a client's certificate once TLS has let it through."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from fuzz.decoders.target import FindingError, Target
from mig_protocol.errors import MigFault
from mig_protocol.messages import MigErrorCode
from migd.core.call import Principal
from migd.core.certificates import CertificateAuthenticator
from migd.keys import KeySetError
from migd.keys.jwk_set import read_key_set
from support.certificates import Authority
from support.signing_keys import ec_key, ed_key, key_set, rsa_key

_ALLOWED = {MigErrorCode.MIG_UNAUTHORIZED, MigErrorCode.MIG_FORBIDDEN}
_KNOWN = "spiffe://garden/alice"


def _key_set(data: bytes) -> None:
    """Keys that have signed nothing of what was made up here, or why there are none."""
    try:
        keys = read_key_set(data)
    except KeySetError:
        return
    if any(key.verifies(b"header.claims", bytes(64)) for key in keys):
        raise FindingError("a signature of nobody's is taken for one of the key")


@cache
def _authenticator() -> CertificateAuthenticator:
    alice = Principal(subject="alice", tenant_id="acme", scopes=frozenset(), authenticated=True)
    return CertificateAuthenticator({_KNOWN: alice})


def _certificate(data: bytes) -> None:
    """A certificate in DER."""
    try:
        _authenticator().authenticate(None, ssl.DER_cert_to_PEM_cert(data))
    except MigFault as fault:
        if fault.code not in _ALLOWED:
            raise FindingError(f"a certificate was refused with {fault}") from fault


def _key_set_seeds() -> Iterator[bytes]:
    for key in (rsa_key(), ec_key(), ed_key()):
        yield key_set([key])
    yield key_set([ed_key(), ec_key(None)], {"kty": "oct", "k": "c2VjcmV0"}, ec_key().private_jwk)


def _certificate_seeds() -> Iterator[bytes]:
    with TemporaryDirectory() as folder:
        authority = Authority(Path(folder))
        for name, uri in (("alice", _KNOWN), ("bob", None)):
            yield ssl.PEM_cert_to_DER_cert(authority.issue(name, uri=uri)[0].read_text())


KEY_SET = Target(name="key_set", decode=_key_set, seeds=_key_set_seeds)
CERTIFICATE = Target(name="certificate", decode=_certificate, seeds=_certificate_seeds)
