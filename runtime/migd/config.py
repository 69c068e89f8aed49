"""The gateway's settings, read and within their bounds (protocol section 9)."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from migd.setting_rows import PREFIX, SETTINGS, Setting
from migd.setting_sources import Given, given_settings
from migd.setting_values import Address


class ConfigError(Exception):
    """The settings can not be used. Its text is one line: which one, what it says, what it may say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Every setting, read and within its bounds. Made by `load_settings`."""

    addr: Address
    config: Path | None
    server_id: str
    auth_mode: str
    jwt_hs256_secret: str = field(repr=False)
    jwt_hs256_secret_previous: str = field(repr=False)
    jwt_jwks: str
    jwt_jwks_lifetime_s: float
    jwt_jwks_retry_s: float
    jwt_jwks_stale_s: float
    jwt_issuer: str
    jwt_audience: str
    jwt_algorithms: frozenset[str]
    jwt_leeway_s: float
    ws_auth_timeout_s: float
    tls_cert: Path | None
    tls_key: Path | None
    tls_client_ca: Path | None
    require_tenant_header: bool
    topic_scopes: bool
    enable_metrics: bool
    otlp_endpoint: str
    store: str
    data_dir: Path | None
    sqlite_synchronous: Literal["normal", "full"]
    failpoint: str
    conformance_fixture: bool
    audit_log_path: Path | None
    audit_on_failure: Literal["continue", "refuse"]
    log_level: str
    log_format: str
    grpc_addr: Address | None
    grpc_max_calls_per_connection: int
    grpc_keepalive_s: float
    grpc_keepalive_timeout_s: float
    grpc_min_ping_interval_s: float
    grpc_idle_timeout_s: float
    grpc_max_age_s: float
    nats_url: str
    enable_nats_binding: bool
    provider_hosts: tuple[str, ...]
    cors_origins: tuple[str, ...]
    allowed_hosts: tuple[str, ...]
    max_sockets: int
    max_sockets_per_address: int
    max_url_bytes: int
    max_head_bytes: int
    max_header_fields: int
    head_timeout_s: float
    idle_timeout_s: float
    write_timeout_s: float
    websocket_ping_s: float
    nats_user: str
    nats_password: str
    nats_token: str
    nats_nkey: Path | None
    nats_creds: Path | None
    nats_tls_ca: Path | None
    nats_tls_cert: Path | None
    nats_tls_key: Path | None
    max_body_bytes: int
    max_frame_bytes: int
    body_timeout_s: float
    shutdown_grace_s: float
    sse_keepalive_s: float
    max_concurrent_invocations: int
    tenant_rate_per_s: float
    tenant_rate_burst: int
    tenant_concurrency: int
    max_streams_per_connection: int
    max_depth: int
    max_connections: int
    max_connections_per_tenant: int
    max_deadline_ms: int
    idempotency_window_s: float
    cancel_window_s: float
    retention_events: int
    retention_bytes: int
    retention_age_s: float
    retention_audit_records: int
    max_topics_per_tenant: int
    max_consumers_per_tenant: int
    consumer_window_s: float
    max_schema_bytes: int
    max_schema_parts: int
    max_schema_patterns: int
    max_schema_steps: int
    heartbeat_min_ms: int
    heartbeat_max_ms: int


def load_settings(environ: Mapping[str, str], flags: Mapping[str, str] | None = None) -> Settings:
    """Read the environment; `flags`, by variable, are what the command line says instead.

    An empty value is an absent one. Raises ConfigError for the first value that can not be used.
    """
    return settings_of(given_settings(environ, flags or {}, {}))


def settings_of(given: Mapping[str, Given]) -> Settings:
    """What these texts mean. Raises ConfigError for the first that can not be used."""
    settings = Settings(**{row.field: _value(row, given[row.variable]) for row in SETTINGS})
    check_together(settings)
    return settings


def unknown_variables(environ: Mapping[str, str]) -> list[str]:
    """One warning for each MIGD_ variable that is none of ours, since a misspelt setting does nothing."""
    known = [row.variable for row in SETTINGS]
    warnings = []
    for name in sorted(environ):
        if name.startswith(PREFIX) and name not in known:
            close = difflib.get_close_matches(name, known, n=1)
            hint = f"; did you mean {close[0]}?" if close else "; `migd config show` lists those that are"
            warnings.append(f"{name} is not a setting of migd{hint}")
    return warnings


def _value(row: Setting, given: Given) -> Any:
    if not given.text:
        return row.kind.absent
    try:
        return row.kind.parse(given.text)
    except ValueError:
        shown = "" if row.secret or row.kind.shown else f"={given.text!r}"
        raise ConfigError(f"{given.name}{shown} is not usable: expected {row.kind.allowed}") from None


def check_together(settings: Settings) -> None:
    """Raises ConfigError for settings that contradict each other, or need one that is not set."""
    keys = settings.jwt_hs256_secret or settings.jwt_jwks or settings.config
    if settings.auth_mode == "jwt" and not keys:
        raise ConfigError(
            "MIGD_AUTH_MODE=jwt needs MIGD_JWT_HS256_SECRET or MIGD_JWT_JWKS, what tokens are signed with"
        )
    _check_tls(settings)
    if settings.tenant_rate_burst and not settings.tenant_rate_per_s:
        raise ConfigError("MIGD_TENANT_RATE_BURST is set and MIGD_TENANT_RATE_PER_S, the rate, is not")
    if settings.heartbeat_min_ms > settings.heartbeat_max_ms:
        raise ConfigError("MIGD_HEARTBEAT_MIN_MS is greater than MIGD_HEARTBEAT_MAX_MS")


def _check_tls(settings: Settings) -> None:
    if (settings.tls_cert is None) != (settings.tls_key is None):
        raise ConfigError("MIGD_TLS_CERT and MIGD_TLS_KEY go together: set both, or none for plain HTTP")
    if settings.tls_client_ca is not None and settings.tls_cert is None:
        raise ConfigError(
            "MIGD_TLS_CLIENT_CA needs MIGD_TLS_CERT and MIGD_TLS_KEY: it is TLS that asks clients"
        )
    if settings.auth_mode == "mtls" and settings.tls_client_ca is None:
        raise ConfigError("MIGD_AUTH_MODE=mtls needs MIGD_TLS_CLIENT_CA, whose certificates callers show")
