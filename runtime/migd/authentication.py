"""How callers are told apart, put together from the settings and the migd.yaml."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from migd.auth_config import AuthConfig, IssuerConfig
from migd.config import ConfigError, Settings
from migd.core.auth import Authenticator, OpenAuthenticator, TokenAuthenticator
from migd.core.call import Principal
from migd.core.clock import Clock
from migd.core.issuers import Issuer, Issuers, Tenancy
from migd.core.verification import ASYMMETRIC, HS256, Either, KeySource, Secrets
from migd.keys import KeyFile, KeyRing, KeyUrl, Refreshing

_log = logging.getLogger("migd.authentication")
_HS256_KEY_BYTES = 32
_FILE_LOOK_S = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Authentication:
    """Decides who calls. `start` it before the first caller, `close` it at the end."""

    authenticator: Authenticator
    rings: Sequence[KeyRing] = ()

    async def start(self) -> None:
        """Raises ConfigError for a file of keys that can not be used. A server of keys may be away."""
        for ring in self.rings:
            await ring.start()
            obstacle = ring.obstacle()
            if obstacle is not None and ring.is_local:
                raise ConfigError(obstacle)

    def reload(self) -> None:
        """Look for new keys now."""
        for ring in self.rings:
            ring.reload()

    async def close(self) -> None:
        for ring in self.rings:
            await ring.close()


def build_authentication(settings: Settings, declared: AuthConfig, clock: Clock) -> Authentication:
    """Raises ConfigError for a mode that has nothing to tell callers apart by."""
    if settings.auth_mode == "none":
        return Authentication(authenticator=OpenAuthenticator())
    if settings.auth_mode == "mtls":
        return Authentication(authenticator=_by_certificate(declared))
    return _by_token(settings, declared, clock)


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


def _by_token(settings: Settings, declared: AuthConfig, clock: Clock) -> Authentication:
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
    rings: list[KeyRing] = []
    issuers = tuple(_issuer(config, settings, clock, rings) for config in configs)
    authenticator = TokenAuthenticator(Issuers(issuers), clock, leeway_s=settings.jwt_leeway_s)
    return Authentication(authenticator=authenticator, rings=rings)


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


def _issuer(config: IssuerConfig, settings: Settings, clock: Clock, rings: list[KeyRing]) -> Issuer:
    sources: list[KeySource] = []
    usable: set[str] = set()
    if config.secrets:
        sources.append(_secrets(config))
        usable.add(HS256)
    if config.jwks:
        rings.append(_ring(config.jwks, settings, clock))
        sources.append(rings[-1])
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


def _ring(location: str, settings: Settings, clock: Clock) -> KeyRing:
    is_url = "://" in location
    refreshing = Refreshing(
        lifetime_s=settings.jwt_jwks_lifetime_s if is_url else _FILE_LOOK_S,
        retry_s=settings.jwt_jwks_retry_s if is_url else _FILE_LOOK_S,
        stale_s=settings.jwt_jwks_stale_s,
    )
    return KeyRing(KeyUrl(location) if is_url else KeyFile(Path(location)), refreshing, clock)
