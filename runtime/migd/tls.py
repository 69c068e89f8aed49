"""The certificate that every listener shows, and the authorities whose clients it takes.

TLS 1.2 or newer. Other certificates are for new handshakes; connections go on as they are.
"""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field
from pathlib import Path

from migd.config import ConfigError, Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsFiles:
    """All PEM. With `client_ca`, every client must show a certificate that one of these vouches for."""

    certificate: Path
    key: Path
    client_ca: Path | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Pem:
    """What the files hold."""

    certificate: bytes
    key: bytes = field(repr=False)
    client_ca: bytes | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificates:
    """What was in the files at one moment."""

    pem: Pem
    context: ssl.SSLContext


def tls_of(settings: Settings) -> ServerTls | None:
    """None where the gateway speaks plain HTTP. Raises ConfigError for files that can not be used."""
    if settings.tls_cert is None or settings.tls_key is None:
        return None
    return ServerTls(
        TlsFiles(certificate=settings.tls_cert, key=settings.tls_key, client_ca=settings.tls_client_ca)
    )


class ServerTls:
    """Made from files that are good now. Raises ConfigError, which names the setting of one that is not."""

    def __init__(self, files: TlsFiles) -> None:
        self._files = files
        self.pem = self._read()
        """For listeners that do not take a context; another object after `use`."""
        self._current = self._loaded()
        # Listeners keep the context that they began with, so that one stays and passes each handshake on to
        # the newest: a context can take other certificates, but can not forget an authority.
        self.context = self._loaded()
        self.context.sni_callback = self._pass_on

    @property
    def asks_clients(self) -> bool:
        """Whether only clients with a certificate come in."""
        return self._files.client_ca is not None

    def read(self) -> Certificates:
        """What the files hold now. Raises ConfigError for those that can not be used."""
        return Certificates(pem=self._read(), context=self._loaded())

    def use(self, certificates: Certificates) -> bool:
        """For new handshakes, from now on. Whether they are others than before."""
        before, self.pem, self._current = self.pem, certificates.pem, certificates.context
        return before != certificates.pem

    def _pass_on(self, connection: ssl.SSLObject, _name: str | None, _context: ssl.SSLContext) -> None:
        connection.context = self._current

    def _read(self) -> Pem:
        files = self._files
        return Pem(
            certificate=_bytes("MIGD_TLS_CERT", files.certificate),
            key=_bytes("MIGD_TLS_KEY", files.key),
            client_ca=_bytes("MIGD_TLS_CLIENT_CA", files.client_ca) if files.client_ca else None,
        )

    def _loaded(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.set_alpn_protocols(["http/1.1"])
        if self._files.client_ca is not None:
            context.verify_mode = ssl.CERT_REQUIRED
            # A session that is taken up again is not verified again, by whichever authorities there are then.
            context.options |= ssl.OP_NO_TICKET
            context.num_tickets = 0
        self._load_authorities(context)
        self._load_certificate(context)
        return context

    def _load_authorities(self, context: ssl.SSLContext) -> None:
        if self._files.client_ca is None:
            return
        try:
            context.load_verify_locations(cafile=self._files.client_ca)
        except ssl.SSLError as error:
            raise _unusable("MIGD_TLS_CLIENT_CA", self._files.client_ca, "certificates") from error

    def _load_certificate(self, context: ssl.SSLContext) -> None:
        try:
            # Without a password OpenSSL would ask on the terminal.
            context.load_cert_chain(self._files.certificate, self._files.key, password=lambda: b"")
        except ssl.SSLError as error:
            raise _bad_pair(self._files, error) from error


def _bytes(variable: str, path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ConfigError(f"{variable}={str(path)!r} can not be read: {error.strerror}") from error


def _bad_pair(files: TlsFiles, error: ssl.SSLError) -> ConfigError:
    if error.reason == "KEY_VALUES_MISMATCH":
        return ConfigError(
            f"MIGD_TLS_KEY={str(files.key)!r} is not the key of MIGD_TLS_CERT={str(files.certificate)!r}"
        )
    try:
        ssl.create_default_context(cafile=files.certificate)
    except ssl.SSLError:
        return _unusable("MIGD_TLS_CERT", files.certificate, "certificates")
    return _unusable("MIGD_TLS_KEY", files.key, "private key that is not encrypted")


def _unusable(variable: str, path: Path, wanted: str) -> ConfigError:
    return ConfigError(f"{variable}={str(path)!r} holds no {wanted} in PEM form")
