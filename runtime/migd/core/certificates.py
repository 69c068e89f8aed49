"""From a client certificate to a principal (MIGD_AUTH_MODE=mtls)."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Mapping

from cryptography import x509
from cryptography.x509.oid import NameOID

from mig_protocol.errors import MigFault
from mig_protocol.messages import MigErrorCode
from migd.core.call import Principal
from migd.core.issuers import unauthorized

_REMEMBERED = 1024
# What the library raises for a certificate that OpenSSL let through and it can make nothing of.
_UNREADABLE = (
    ValueError,
    TypeError,
    x509.InvalidVersion,
    x509.DuplicateExtension,
    x509.UnsupportedGeneralNameType,
)


class CertificateAuthenticator:
    """The certificate was verified by this process' own TLS; here it is only looked up who that is.

    `principals` are by subject: a URI of the subjectAltName (such as a SPIFFE id) or, after those, the common
    name where there is exactly one. Who is not among them is nobody, whichever authority vouches for it. A
    bearer token means nothing in this mode.
    """

    def __init__(self, principals: Mapping[str, Principal]) -> None:
        self._principals = principals
        self._known: OrderedDict[str, Principal] = OrderedDict()

    def authenticate(self, authorization: str | None, certificate: str | None = None) -> Principal:  # noqa: ARG002
        if certificate is None:
            raise unauthorized("a client certificate is required, shown to the gateway itself")
        known = self._known.get(certificate)
        if known is not None:
            return known
        principal = self._find(certificate)
        self._known[certificate] = principal
        if len(self._known) > _REMEMBERED:
            self._known.popitem(last=False)
        return principal

    def obstacle(self) -> str | None:
        return None

    def _find(self, certificate: str) -> Principal:
        try:
            names = list(_names(x509.load_pem_x509_certificate(certificate.encode())))
        except _UNREADABLE:
            raise unauthorized("the client certificate can not be read") from None
        for name in names:
            if name in self._principals:
                return self._principals[name]
        raise MigFault(MigErrorCode.MIG_FORBIDDEN, "the client certificate is of nobody who is known here")


def _names(certificate: x509.Certificate) -> Iterator[str]:
    extensions = certificate.extensions
    try:
        alternative = extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        yield from alternative.get_values_for_type(x509.UniformResourceIdentifier)
    except x509.ExtensionNotFound:
        pass
    common = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    if len(common) == 1:
        yield str(common[0].value)
