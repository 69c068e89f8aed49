"""How callers are told apart, put together from the settings and the migd.yaml."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from migd.auth_config import AuthConfig, IssuerConfig
from migd.config import ConfigError, Settings
from migd.core.auth import Authenticator, OpenAuthenticator, TokenAuthenticator
from migd.core.call import Principal
from migd.core.clock import Clock
from migd.core.issuers import Issuer, Issuers, Tenancy
from migd.core.verification import ASYMMETRIC, HS256, Either, KeySource, Secrets
from migd.keys import KeyFile, KeyRing, KeySetError, KeyUrl, Refreshing
from migd.setting_rows import SETTINGS

_log = logging.getLogger("migd.authentication")
_HS256_KEY_BYTES = 32
_FILE_LOOK_S = 5.0


_RingKey = tuple[str, Refreshing]


@dataclass(frozen=True, slots=True, kw_only=True)
class Means:
    """What callers are told apart by. `said` is all that it was made from."""

    authenticator: Authenticator
    said: tuple[object, ...]
    rings: Mapping[_RingKey, KeyRing] = field(default_factory=dict)


class Authentication:
    """The gateway's Authenticator, by means that can change. `start` it before the first caller, `close` it
    at the end. Raises ConfigError for a mode that has nothing to tell callers apart by.

    To change the means, `prepare` them, `apply` them, then `retire` those before.
    """

    def __init__(self, settings: Settings, declared: AuthConfig, clock: Clock) -> None:
        self._clock = clock
        self._means = _means(settings, declared, clock, {})
        self._retired: list[KeyRing] = []

    def authenticate(self, authorization: str | None, certificate: str | None = None) -> Principal:
        return self._means.authenticator.authenticate(authorization, certificate)

    def obstacle(self) -> str | None:
        return self._means.authenticator.obstacle()

    async def start(self) -> None:
        """Raises ConfigError for a file of keys that can not be used. A server of keys may be away."""
        await _start(self._means.rings.values())

    async def check_files(self) -> None:
        """Raises ConfigError for a file of keys that can not be used. Asks no server."""
        for ring in self._means.rings.values():
            await _probe(ring)

    async def prepare(self, settings: Settings, declared: AuthConfig) -> Means:
        """Look at files of keys, the known ones too. Raises ConfigError for one that can not be used, and for
        what can not be meant; nothing has changed then.

        Keys that are known stay known: a server that is away at this moment locks nobody out.
        """
        now = self._means
        means = _means(settings, declared, self._clock, now.rings)
        for key, ring in means.rings.items():
            if key in now.rings:
                await _probe(ring)
        await _start(ring for key, ring in means.rings.items() if key not in now.rings)
        # Equal ones remember which tokens were found good.
        return now if means.said == now.said else means

    def apply(self, means: Means) -> bool:
        """Use these from the next caller on. Whether they are others than before."""
        before, self._means = self._means, means
        self._retired += [ring for key, ring in before.rings.items() if key not in means.rings]
        for ring in means.rings.values():
            ring.reload()
        return before is not means

    async def abandon(self, means: Means) -> None:
        """They are not to be used after all."""
        await _close(ring for key, ring in means.rings.items() if key not in self._means.rings)

    async def retire(self) -> None:
        """Let go of keys that are not used any more."""
        retired, self._retired = self._retired, []
        await _close(retired)

    async def close(self) -> None:
        await _close(self._means.rings.values())
        await self.retire()


async def _start(rings: Iterable[KeyRing]) -> None:
    rings = list(rings)
    try:
        for ring in rings:
            await ring.start()
            obstacle = ring.obstacle()
            if obstacle is not None and ring.is_local:
                raise ConfigError(obstacle)
    except BaseException:
        await _close(rings)
        raise


async def _probe(ring: KeyRing) -> None:
    if not ring.is_local:
        return
    try:
        await ring.probe()
    except KeySetError as error:
        raise ConfigError(f"{ring} {error}") from error


async def _close(rings: Iterable[KeyRing]) -> None:
    for ring in rings:
        await ring.close()


def _means(
    settings: Settings, declared: AuthConfig, clock: Clock, known: Mapping[_RingKey, KeyRing]
) -> Means:
    if settings.auth_mode == "none":
        return Means(authenticator=OpenAuthenticator(), said=())
    said = (declared, *(getattr(settings, row.field) for row in SETTINGS if row.field.startswith("jwt_")))
    if settings.auth_mode == "mtls":
        return Means(authenticator=_by_certificate(declared), said=said)
    rings = _Rings(known, clock)
    authenticator = _by_token(settings, declared, clock, rings)
    return Means(authenticator=authenticator, said=said, rings=rings.used)


class _Rings:
    """Rings by where their keys lie and how often they are looked at: one that is `known` is used again."""

    def __init__(self, known: Mapping[_RingKey, KeyRing], clock: Clock) -> None:
        self._known = known
        self._clock = clock
        self.used: dict[_RingKey, KeyRing] = {}

    def at(self, location: str, settings: Settings) -> KeyRing:
        refreshing = _refreshing(location, settings)
        key = location, refreshing
        ring = self.used.get(key) or self._known.get(key)
        self.used[key] = ring = ring or KeyRing(_origin(location), refreshing, self._clock)
        return ring


def _by_certificate(declared: AuthConfig) -> Authenticator:
    from migd.core.certificates import CertificateAuthenticator

    if not declared.certificates:
        raise ConfigError(
            "MIGD_AUTH_MODE=mtls needs auth.certificates in a migd.yaml (MIGD_CONFIG), to say who is who"
        )
    return CertificateAuthenticator(
        {
            known.subject: Principal(
                subject=known.subject, tenant_id=known.tenant, scopes=known.scopes, authenticated=True
            )
            for known in declared.certificates
        }
    )


def _by_token(settings: Settings, declared: AuthConfig, clock: Clock, rings: _Rings) -> Authenticator:
    configs = [*_from_settings(settings), *declared.issuers]
    if not configs:
        raise ConfigError(
            "MIGD_AUTH_MODE=jwt needs MIGD_JWT_HS256_SECRET, MIGD_JWT_JWKS or auth.issuers in the migd.yaml"
        )
    names = [config.issuer for config in configs]
    if len(set(names)) < len(names):
        raise ConfigError(
            f"MIGD_JWT_ISSUER={names[0]!r} is in {configs[-1].where}, too: one of them has to go"
        )
    issuers = tuple(_issuer(config, settings, rings) for config in configs)
    return TokenAuthenticator(Issuers(issuers), clock, leeway_s=settings.jwt_leeway_s)


def _from_settings(settings: Settings) -> Sequence[IssuerConfig]:
    """The issuer that the settings describe: whoever has the secret or the keys, for any tenant."""
    secrets = (settings.jwt_hs256_secret, settings.jwt_hs256_secret_previous)
    if settings.jwt_hs256_secret_previous and not settings.jwt_hs256_secret:
        raise ConfigError(
            "MIGD_JWT_HS256_SECRET_PREVIOUS is set and MIGD_JWT_HS256_SECRET, the new one, is not"
        )
    if not settings.jwt_hs256_secret and not settings.jwt_jwks:
        return ()
    if HS256 in settings.jwt_algorithms and not settings.jwt_hs256_secret:
        raise ConfigError("MIGD_JWT_ALGORITHMS has HS256, and there is no MIGD_JWT_HS256_SECRET for it")
    return [
        IssuerConfig(
            where="",
            issuer=settings.jwt_issuer,
            jwks=settings.jwt_jwks,
            secrets=tuple(filter(None, secrets)),
            audiences=frozenset(filter(None, (settings.jwt_audience,))),
            algorithms=settings.jwt_algorithms,
            admin=True,
        )
    ]


def _issuer(config: IssuerConfig, settings: Settings, rings: _Rings) -> Issuer:
    sources: list[KeySource] = []
    usable: set[str] = set()
    if config.secrets:
        sources.append(_secrets(config))
        usable.add(HS256)
    if config.jwks:
        sources.append(rings.at(config.jwks, settings))
        usable.update(ASYMMETRIC)
    return Issuer(
        name=config.issuer or None,
        keys=sources[0] if len(sources) == 1 else Either(sources),
        algorithms=config.algorithms or frozenset(usable),
        audiences=config.audiences,
        tenancy=Tenancy(
            tenant=config.tenant,
            allowed=config.tenants,
            **({"claims": (config.tenant_claim,)} if config.tenant_claim else {}),
        ),
        admin=config.admin,
    )


def _secrets(config: IssuerConfig) -> Secrets:
    name = f"a secret in {config.where}" if config.where else "MIGD_JWT_HS256_SECRET"
    if any(len(secret.encode()) < _HS256_KEY_BYTES for secret in config.secrets):
        _log.warning("%s is shorter than the 32 bytes that HS256 asks for (RFC 7518, 3.2)", name)
    try:
        return Secrets(config.secrets)
    except ValueError as error:
        raise ConfigError(f"{name} is a key of another kind, which everybody may know") from error


def _origin(location: str) -> KeyUrl | KeyFile:
    return KeyUrl(location) if "://" in location else KeyFile(Path(location))


def _refreshing(location: str, settings: Settings) -> Refreshing:
    is_url = "://" in location
    return Refreshing(
        lifetime_s=settings.jwt_jwks_lifetime_s if is_url else _FILE_LOOK_S,
        retry_s=settings.jwt_jwks_retry_s if is_url else _FILE_LOOK_S,
        stale_s=settings.jwt_jwks_stale_s,
    )
