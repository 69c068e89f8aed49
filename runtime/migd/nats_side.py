"""What a gateway has of NATS, put together from its settings."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

import nkeys

from migd.bindings.nats.binding import NatsBinding
from migd.bindings.nats.link import NatsConfig, NatsLink
from migd.bindings.nats.mirror import NatsMirror
from migd.bindings.nats.reasons import plain_url
from migd.config import ConfigError, Settings
from migd.core.gateway import Gateway, Parts
from migd.metrics import MirrorState, NatsState
from migd.version import __version__

# Beside invocations, which the core bounds, as many requests may wait for a store or for a first answer.
_WAITING_PER_INVOCATION = 2


class NatsSide:
    """The connection, the mirror on it, and the binding where it is enabled.

    Raises ConfigError for unusable settings.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.link = NatsLink(nats_config(settings))
        self._binding: NatsBinding | None = None
        self._mirror: NatsMirror | None = None

    @property
    def serves(self) -> bool:
        """Whether requests over NATS are to be served at all."""
        return self._settings.enable_nats_binding

    def active(self) -> bool:
        """Whether requests over NATS are served at this moment."""
        return self.serves and self.link.connected

    def health(self) -> str | None:
        """Why NATS can not be used now, or None."""
        return self.link.health()

    def state(self) -> NatsState:
        """How the connection does."""
        return NatsState(self.link.connected, self.link.connections)

    def mirror_state(self) -> MirrorState | None:
        """How mirroring goes; None before `serve`."""
        mirror = self._mirror
        if mirror is None:
            return None
        return MirrorState(len(mirror.peers.live()), mirror.owed, mirror.missing)

    def serve(self, gateway: Gateway, parts: Parts) -> None:
        """Have this gateway mirror its events and serve requests, once started."""
        self._mirror = NatsMirror(
            link=self.link,
            neighbours=gateway.neighbours,
            store=parts.store,
            recorder=parts.recorder,
            clock=parts.clock,
            server_id=lambda: gateway.server_id,
            serves=self.serves,
        )
        if self.serves:
            self._binding = NatsBinding(
                gateway,
                self.link,
                clock=parts.clock,
                version=__version__,
                max_body_bytes=self._settings.max_body_bytes,
                most_waiting=parts.limits.max_concurrent_invocations * _WAITING_PER_INVOCATION,
                peers=self._mirror.peers,
            )

    async def start(self) -> None:
        """Begin to connect; what NATS does meanwhile is no reason to wait. The store is open by now."""
        if self._mirror is not None:
            await self._mirror.start()
        if self._binding is not None:
            await self._binding.start()
        await self.link.start()

    async def stop_taking(self) -> None:
        """No new requests."""
        if self._binding is not None:
            await self._binding.stop_taking()

    async def finish(self) -> None:
        """Let the last answers out."""
        if self._binding is not None:
            await self._binding.finish()

    async def close(self) -> None:
        if self._mirror is not None:
            await self._mirror.close()
        await self.link.close()


def nats_config(settings: Settings) -> NatsConfig:
    """How to connect. Raises ConfigError for credentials that contradict each other or can not be used."""
    urls = settings.nats_url.split(",")
    login = _login(settings, urls)
    _check_seed(settings.nats_nkey)
    return NatsConfig(
        servers=tuple(plain_url(url) for url in urls),
        name=f"migd {settings.server_id}".strip(),
        user=login.user,
        password=login.password,
        token=login.token,
        nkey_seed=settings.nats_nkey,
        creds=settings.nats_creds,
        tls=_tls(settings, urls),
        require_tls=_wants_tls(settings, urls),
    )


class _Login(NamedTuple):
    user: str | None = None
    password: str | None = None
    token: str | None = None


def _login(settings: Settings, urls: list[str]) -> _Login:
    """The one credential that is given, wherever it is given. One server's is the whole cluster's."""
    given = {
        "credentials in MIGD_NATS_URL": _in_urls(urls),
        "MIGD_NATS_USER": _user(settings),
        "MIGD_NATS_TOKEN": _Login(token=settings.nats_token) if settings.nats_token else None,
        "MIGD_NATS_NKEY": _Login() if settings.nats_nkey else None,
        "MIGD_NATS_CREDS": _Login() if settings.nats_creds else None,
    }
    present = {name: login for name, login in given.items() if login is not None}
    if len(present) > 1:
        raise ConfigError(f"{' and '.join(present)} are set: use one kind of credential for NATS")
    return next(iter(present.values()), _Login())


def _in_urls(urls: list[str]) -> _Login | None:
    found = [url for url in map(urlsplit, urls) if url.username]
    if not found:
        return None
    user = unquote(found[0].username or "")
    password = found[0].password
    # As NATS clients have it: a name without a password is a token.
    return _Login(token=user) if password is None else _Login(user=user, password=unquote(password))


def _user(settings: Settings) -> _Login | None:
    if not settings.nats_user and not settings.nats_password:
        return None
    if not settings.nats_user or not settings.nats_password:
        raise ConfigError("MIGD_NATS_USER and MIGD_NATS_PASSWORD go together: set both")
    return _Login(user=settings.nats_user, password=settings.nats_password)


def _check_seed(path: Path | None) -> None:
    """nats-py reads it before it dials, and then says little of what is wrong with it."""
    if path is None:
        return
    try:
        nkeys.from_seed(bytearray(path.read_bytes().strip())).wipe()
    except OSError as error:
        raise ConfigError(f"MIGD_NATS_NKEY={str(path)!r} can not be read: {error.strerror}") from None
    except (nkeys.NkeysError, ValueError):
        raise ConfigError(
            f"MIGD_NATS_NKEY={str(path)!r} holds no nkey seed (a line that begins with SU)"
        ) from None


def _wants_tls(settings: Settings, urls: list[str]) -> bool:
    return any(url.startswith("tls://") for url in urls) or any(
        (settings.nats_tls_ca, settings.nats_tls_cert, settings.nats_tls_key)
    )


def _tls(settings: Settings, urls: list[str]) -> ssl.SSLContext | None:
    if not _wants_tls(settings, urls):
        return None
    ca, cert, key = settings.nats_tls_ca, settings.nats_tls_cert, settings.nats_tls_key
    if (cert is None) != (key is None):
        raise ConfigError("MIGD_NATS_TLS_CERT and MIGD_NATS_TLS_KEY go together: set both")
    try:
        context = ssl.create_default_context(cafile=ca)
    except (OSError, ssl.SSLError) as error:
        raise ConfigError(
            f"MIGD_NATS_TLS_CA={str(ca)!r} can not be used: {error.strerror or error}"
        ) from None
    if cert is not None:
        try:
            context.load_cert_chain(cert, key)
        except (OSError, ssl.SSLError) as error:
            why = error.strerror or str(error)
            raise ConfigError(f"MIGD_NATS_TLS_CERT and MIGD_NATS_TLS_KEY can not be used: {why}") from None
    return context
