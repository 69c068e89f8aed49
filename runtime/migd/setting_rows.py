"""Which settings there are, and what each may be: one table."""

from __future__ import annotations

from dataclasses import dataclass

from migd.core.failpoints import Failpoint
from migd.setting_values import (
    ADDRESS,
    FILE,
    FLAG,
    FOLDER,
    KEY_SET,
    NATS_URLS,
    TEXT,
    Kind,
    choice,
    integer,
    matching,
    network,
    number,
    several,
    subset,
)

PREFIX = "MIGD_"
_DAY_S = 86_400


@dataclass(frozen=True, slots=True)
class Setting:
    """One variable of the environment. `default` is written as the environment would have it."""

    variable: str
    default: str
    kind: Kind
    about: str
    secret: bool = False

    @property
    def field(self) -> str:
        """The attribute of `Settings` that holds it, and the key in the `settings` of a migd.yaml."""
        return self.variable.removeprefix(PREFIX).lower()

    @property
    def flag(self) -> str:
        """The option of `migd`; "" for a secret: every user of the machine can read a command line."""
        return "" if self.secret else f"--{self.field.replace('_', '-')}"

    @property
    def in_file(self) -> bool:
        """Whether a migd.yaml may hold it; which file that is it can not say itself."""
        return self.variable != "MIGD_CONFIG"

    @property
    def reloads(self) -> bool:
        """Whether SIGHUP changes it in a running gateway; otherwise that takes a restart."""
        return self.variable in RELOADED


_BYTES = integer(1024, 1 << 30, "bytes")
_HEAD_BYTES = integer(1024, 1_048_576, "bytes")
_SECONDS = number(0.1, 3600, "seconds")
_GRACE = number(0, 3600, "seconds")
_WINDOW = number(1, 30 * _DAY_S, "seconds")
_AGE = number(1, 3650 * _DAY_S, "seconds")
_MILLISECONDS = integer(1, 1000 * _DAY_S, "milliseconds")
_LOG_BYTES = integer(1024, 1 << 40, "bytes")
_COUNT = integer(1, 1_000_000)
_COUNT_OR_NONE = integer(0, 1_000_000)
_RATE = number(0, 1_000_000, "a second")
_DEPTH = integer(1, 128, "levels")
_MANY = integer(1, 100_000_000)
_HOST = r"(?:[a-z0-9](?:[a-z0-9._-]*[a-z0-9])?|\[[0-9a-f:.]+\])"
_ORIGINS = several(
    rf"[a-z][a-z0-9+.-]*://{_HOST}(?::[0-9]{{1,5}})?",
    "origins such as https://app.example.com, with commas between them",
)
_HOSTS = several(rf"\*|{_HOST}", "host names without a port, with commas between them, or * for any")
_PROVIDERS = several(
    rf"{_HOST}(?::[0-9]{{1,5}})?|[0-9a-f:.]+(?:/[0-9]{{1,3}})?",
    "hosts, host:port or networks such as 10.0.0.0/8, with commas between them",
    network,
)
_SERVER_ID = matching(r"[A-Za-z0-9_-]{1,64}", "1 to 64 characters of A-Z a-z 0-9 _ -")
_SYNCHRONOUS = choice("normal", "full")
_FAILPOINTS = "|".join(failpoint.value for failpoint in Failpoint)
_FAILPOINT = matching(
    rf"({_FAILPOINTS})(:[1-9][0-9]{{0,8}})?",
    f"{', '.join(failpoint.value for failpoint in Failpoint)}, and :N for the Nth passing of it",
)
_ON_FAILURE = choice("continue", "refuse")
_AUTH_MODE = choice("none", "jwt", "mtls")
_ALGORITHMS = subset("HS256", "RS256", "ES256", "EdDSA")
_LEEWAY = number(0, 600, "seconds")
_HTTP_URL = matching(r"https?://[^\s/@]+(/\S*)?", "a URL such as http://localhost:4318")
_LEVEL = choice("debug", "info", "warning", "error")

SETTINGS: tuple[Setting, ...] = (
    Setting("MIGD_ADDR", ":8080", ADDRESS, "Where HTTP is served; port 0 takes a free one."),
    Setting("MIGD_CONFIG", "", FILE, "The migd.yaml that declares capabilities."),
    Setting("MIGD_SERVER_ID", "", _SERVER_ID, "The name given in HELLO; unset, one that the store keeps."),
    Setting("MIGD_AUTH_MODE", "none", _AUTH_MODE, "What callers must show: nothing, a token, a certificate."),
    Setting("MIGD_JWT_HS256_SECRET", "", TEXT, "What tokens are signed with in jwt mode.", secret=True),
    Setting("MIGD_JWT_HS256_SECRET_PREVIOUS", "", TEXT, "The secret before it, still taken.", secret=True),
    Setting("MIGD_JWT_JWKS", "", KEY_SET, "Where the public keys of the tokens' issuer are."),
    Setting("MIGD_JWT_JWKS_LIFETIME_S", "300", _SECONDS, "How often keys are fetched from a URL."),
    Setting("MIGD_JWT_JWKS_RETRY_S", "30", _SECONDS, "The least time between two extra fetches of keys."),
    Setting("MIGD_JWT_JWKS_STALE_S", "86400", _AGE, "How long keys are believed that can not be renewed."),
    Setting("MIGD_JWT_ISSUER", "", TEXT, "What a token's iss must be; unset, it is not looked at."),
    Setting("MIGD_JWT_AUDIENCE", "", TEXT, "What a token's aud must name; unset, it is not looked at."),
    Setting(
        "MIGD_JWT_ALGORITHMS", "", _ALGORITHMS, "Those that are taken; unset, all that there are keys for."
    ),
    Setting("MIGD_JWT_LEEWAY_S", "0", _LEEWAY, "How wrong the clocks of issuers may be, for exp and nbf."),
    Setting("MIGD_WS_AUTH_TIMEOUT_S", "10", _SECONDS, "How long a WebSocket may take to authenticate."),
    Setting("MIGD_TLS_CERT", "", FILE, "The certificate chain to serve TLS with, as PEM."),
    Setting("MIGD_TLS_KEY", "", FILE, "The private key of MIGD_TLS_CERT, as PEM and not encrypted."),
    Setting("MIGD_TLS_CLIENT_CA", "", FILE, "Take only clients with a certificate of these authorities."),
    Setting("MIGD_REQUIRE_TENANT_HEADER", "false", FLAG, "Ask for X-Tenant-ID beside a token's tenant, too."),
    Setting("MIGD_TOPIC_SCOPES", "false", FLAG, "Whether a token needs mig:publish:… or mig:subscribe:…."),
    Setting("MIGD_ENABLE_METRICS", "true", FLAG, "Measure, and serve /metrics."),
    Setting("MIGD_OTLP_ENDPOINT", "", _HTTP_URL, "The OTLP/HTTP receiver that spans are exported to."),
    Setting("MIGD_STORE", "sqlite", choice("memory", "sqlite"), "Where events, quotas and records are kept."),
    Setting("MIGD_DATA_DIR", "", FOLDER, "Where the sqlite store lies; unset, ~/.local/share/migd."),
    Setting("MIGD_SQLITE_SYNCHRONOUS", "normal", _SYNCHRONOUS, "full: acks survive a power loss, too."),
    Setting("MIGD_FAILPOINT", "", _FAILPOINT, "For testing: the gateway kills itself (SIGKILL) there."),
    Setting("MIGD_CONFORMANCE_FIXTURE", "false", FLAG, "For testing: serve mig.conformance.script."),
    Setting(
        "MIGD_AUDIT_LOG_PATH", "", FILE, "Append the audit trail to this file, one JSON line per record."
    ),
    Setting("MIGD_AUDIT_ON_FAILURE", "continue", _ON_FAILURE, "Whether to run what can not be audited."),
    Setting("MIGD_LOG_LEVEL", "info", _LEVEL, "The least that is logged."),
    Setting("MIGD_LOG_FORMAT", "text", choice("text", "json"), "How log lines on standard error look."),
    Setting("MIGD_GRPC_ADDR", "", ADDRESS, "Where gRPC is served; unset, it is not."),
    Setting("MIGD_GRPC_MAX_CALLS_PER_CONNECTION", "1000", _COUNT, "Calls open on one gRPC connection."),
    Setting("MIGD_GRPC_KEEPALIVE_S", "60", _SECONDS, "How often a quiet gRPC client is pinged."),
    Setting("MIGD_GRPC_KEEPALIVE_TIMEOUT_S", "20", _SECONDS, "How long it may take to answer."),
    Setting("MIGD_GRPC_MIN_PING_INTERVAL_S", "10", _SECONDS, "Clients that ping more often are cut off."),
    Setting("MIGD_GRPC_IDLE_TIMEOUT_S", "600", _SECONDS, "How long a gRPC connection may be without calls."),
    Setting("MIGD_GRPC_MAX_AGE_S", "0", _GRACE, "After so long it takes no new ones; 0: no limit."),
    Setting("MIGD_ENABLE_NATS_BINDING", "true", FLAG, "Serve requests over NATS where MIGD_NATS_URL is set."),
    Setting("MIGD_PROVIDER_HOSTS", "", _PROVIDERS, "Where http services may be; unset, nearly anywhere."),
    Setting("MIGD_CORS_ORIGINS", "", _ORIGINS, "Origins whose pages may call the gateway beside its own."),
    Setting("MIGD_ALLOWED_HOSTS", "", _HOSTS, "Names with a dot that the gateway is called by."),
    Setting("MIGD_MAX_SOCKETS", "16384", _COUNT, "TCP connections to the HTTP port; more are refused."),
    Setting("MIGD_MAX_SOCKETS_PER_ADDRESS", "0", _COUNT_OR_NONE, "Those of one address; 0: no limit."),
    Setting("MIGD_MAX_URL_BYTES", "8192", _HEAD_BYTES, "The longest URL taken, its query included."),
    Setting("MIGD_MAX_HEAD_BYTES", "65536", _HEAD_BYTES, "The largest head of an HTTP request taken."),
    Setting("MIGD_MAX_HEADER_FIELDS", "100", _COUNT, "The most header fields in an HTTP request."),
    Setting("MIGD_HEAD_TIMEOUT_S", "20", _SECONDS, "How long the head of a request may take to arrive."),
    Setting("MIGD_IDLE_TIMEOUT_S", "75", _SECONDS, "How long an HTTP connection may wait for a request."),
    Setting("MIGD_WRITE_TIMEOUT_S", "120", _SECONDS, "How long a client may take nothing of its answer."),
    Setting("MIGD_WEBSOCKET_PING_S", "20", _SECONDS, "How often a WebSocket is pinged; as long to answer."),
    Setting("MIGD_MAX_BODY_BYTES", "4194304", _BYTES, "The largest HTTP body or gRPC message taken."),
    Setting("MIGD_MAX_FRAME_BYTES", "4194304", _BYTES, "The largest WebSocket or StreamInvoke frame taken."),
    Setting("MIGD_NATS_URL", "", NATS_URLS, "The NATS servers of one cluster; unset, NATS is not used."),
    Setting("MIGD_NATS_USER", "", TEXT, "The user to connect to NATS as."),
    Setting("MIGD_NATS_PASSWORD", "", TEXT, "The password of MIGD_NATS_USER.", secret=True),
    Setting("MIGD_NATS_TOKEN", "", TEXT, "The token to connect to NATS with.", secret=True),
    Setting("MIGD_NATS_NKEY", "", FILE, "The file with the nkey seed to connect to NATS with."),
    Setting("MIGD_NATS_CREDS", "", FILE, "The credentials file (JWT and seed) to connect to NATS with."),
    Setting("MIGD_NATS_TLS_CA", "", FILE, "Certificates to trust NATS by; unset, the system's."),
    Setting("MIGD_NATS_TLS_CERT", "", FILE, "The certificate to show to NATS."),
    Setting("MIGD_NATS_TLS_KEY", "", FILE, "The key of MIGD_NATS_TLS_CERT."),
    Setting("MIGD_BODY_TIMEOUT_S", "30", _SECONDS, "How long the body of a request may take to arrive."),
    Setting("MIGD_SHUTDOWN_GRACE_S", "10", _GRACE, "How long work may go on after SIGTERM."),
    Setting("MIGD_SSE_KEEPALIVE_S", "15", _SECONDS, "How often a quiet SSE stream says that it is there."),
    Setting("MIGD_MAX_CONCURRENT_INVOCATIONS", "1024", _COUNT, "Invocations in flight; more are refused."),
    Setting("MIGD_TENANT_RATE_PER_S", "0", _RATE, "Invocations a tenant may start a second; 0: no limit."),
    Setting("MIGD_TENANT_RATE_BURST", "0", _COUNT_OR_NONE, "So many at once after a pause; 0: a second's."),
    Setting("MIGD_TENANT_CONCURRENCY", "0", _COUNT_OR_NONE, "Those of a tenant that may run; 0: no limit."),
    Setting("MIGD_MAX_DEPTH", "32", _DEPTH, "Objects and lists within each other in a payload or meta."),
    Setting("MIGD_MAX_STREAMS_PER_CONNECTION", "256", _COUNT, "Streams on one WebSocket or StreamInvoke."),
    Setting("MIGD_MAX_CONNECTIONS", "10000", _COUNT, "Long-lived connections in all."),
    Setting("MIGD_MAX_CONNECTIONS_PER_TENANT", "1000", _COUNT, "Long-lived connections of a tenant."),
    Setting("MIGD_MAX_DEADLINE_MS", "3600000", _MILLISECONDS, "The longest that one invocation may run."),
    Setting("MIGD_IDEMPOTENCY_WINDOW_S", "86400", _WINDOW, "How long a success is given again."),
    Setting("MIGD_CANCEL_WINDOW_S", "300", _WINDOW, "How long a cancel waits for its target."),
    Setting("MIGD_RETENTION_EVENTS", "10000", _MANY, "Events kept per topic."),
    Setting("MIGD_RETENTION_BYTES", "67108864", _LOG_BYTES, "Event bytes kept per topic."),
    Setting("MIGD_RETENTION_AGE_S", "604800", _AGE, "How long an event is kept."),
    Setting("MIGD_RETENTION_AUDIT_RECORDS", "10000", _MANY, "Audit records kept for export."),
    Setting("MIGD_MAX_TOPICS_PER_TENANT", "1000", _COUNT, "Topics that one tenant may have."),
    Setting("MIGD_MAX_CONSUMERS_PER_TENANT", "1000", _COUNT, "Names of consumers that one tenant may have."),
    Setting("MIGD_CONSUMER_WINDOW_S", "2592000", _AGE, "How long the place of an absent consumer is kept."),
    Setting("MIGD_MAX_SCHEMA_BYTES", "262144", _BYTES, "The largest JSON Schema taken."),
    Setting("MIGD_MAX_SCHEMA_PARTS", "5000", _COUNT, "The most subschemas in one."),
    Setting("MIGD_MAX_SCHEMA_PATTERNS", "100", _COUNT, "The most regular expressions in one."),
    Setting("MIGD_MAX_SCHEMA_STEPS", "10000", _COUNT, "The most subschemas it may hold one value against."),
    Setting("MIGD_HEARTBEAT_MIN_MS", "1000", _MILLISECONDS, "The shortest heartbeat interval suggested."),
    Setting("MIGD_HEARTBEAT_MAX_MS", "60000", _MILLISECONDS, "The longest heartbeat interval suggested."),
)

RELOADED = frozenset(
    {
        "MIGD_JWT_HS256_SECRET",
        "MIGD_JWT_HS256_SECRET_PREVIOUS",
        "MIGD_JWT_JWKS",
        "MIGD_JWT_JWKS_LIFETIME_S",
        "MIGD_JWT_JWKS_RETRY_S",
        "MIGD_JWT_JWKS_STALE_S",
        "MIGD_JWT_ISSUER",
        "MIGD_JWT_AUDIENCE",
        "MIGD_JWT_ALGORITHMS",
        "MIGD_JWT_LEEWAY_S",
        "MIGD_LOG_LEVEL",
        "MIGD_LOG_FORMAT",
        "MIGD_PROVIDER_HOSTS",
        "MIGD_SSE_KEEPALIVE_S",
        "MIGD_MAX_CONCURRENT_INVOCATIONS",
        "MIGD_TENANT_RATE_PER_S",
        "MIGD_TENANT_RATE_BURST",
        "MIGD_TENANT_CONCURRENCY",
        "MIGD_MAX_DEPTH",
        "MIGD_MAX_STREAMS_PER_CONNECTION",
        "MIGD_MAX_CONNECTIONS",
        "MIGD_MAX_CONNECTIONS_PER_TENANT",
        "MIGD_MAX_DEADLINE_MS",
        "MIGD_IDEMPOTENCY_WINDOW_S",
        "MIGD_CANCEL_WINDOW_S",
        "MIGD_MAX_SCHEMA_BYTES",
        "MIGD_MAX_SCHEMA_PARTS",
        "MIGD_MAX_SCHEMA_PATTERNS",
        "MIGD_MAX_SCHEMA_STEPS",
        "MIGD_HEARTBEAT_MIN_MS",
        "MIGD_HEARTBEAT_MAX_MS",
    }
)
"""The variables of those that SIGHUP changes, where a migd.yaml sets them."""
