"""The graphs of the dashboard: what each shows, and the PromQL that asks for it."""

from __future__ import annotations

from typing import NamedTuple


class Panel(NamedTuple):
    """One graph; `queries` are PromQL and a legend each, in which $only stands for the chosen gateways."""

    title: str
    about: str
    unit: str
    queries: tuple[tuple[str, str], ...]


def _rate(metric: str, by: str, more: str = "") -> str:
    return f"sum by ({by}) (rate({metric}{{{_selection(more)}}}[$__rate_interval]))"


def _quantile(quantile: float, histogram: str, by: str = "", more: str = "") -> str:
    grouped = f"{by}, le" if by else "le"
    return f"histogram_quantile({quantile}, {_rate(f'{histogram}_bucket', grouped, more)})"


def _now(metric: str, by: str = "instance", how: str = "sum") -> str:
    return f"{how} by ({by}) ({metric}{{$only}})"


def _selection(more: str) -> str:
    return f"$only,{more}" if more else "$only"


_INVOCATION = "mig_gateway_invocation_duration_seconds"
_HTTP = "mig_gateway_http_request_duration_seconds"
_COMMIT = "mig_gateway_store_commit_duration_seconds"

ROWS: tuple[tuple[str, tuple[Panel, ...]], ...] = (
    (
        "Invocations",
        (
            Panel(
                "Invocations by outcome",
                "success, or the error's code",
                "reqps",
                ((_rate("mig_gateway_invocations_total", "outcome"), "{{outcome}}"),),
            ),
            Panel(
                "Invocations by capability",
                "Those of capabilities that nobody has registered are other.",
                "reqps",
                ((_rate("mig_gateway_invocations_total", "capability"), "{{capability}}"),),
            ),
            Panel(
                "Latency by capability, p95",
                "From the arrival of an invocation to its outcome, refusals included.",
                "s",
                ((_quantile(0.95, _INVOCATION, "capability"), "{{capability}}"),),
            ),
            Panel(
                "In flight",
                "Running now, and as many as may; more are MIG_BACKPRESSURE.",
                "short",
                (
                    (_now("mig_gateway_invocations_in_flight"), "{{instance}}"),
                    (_now("mig_gateway_invocations_capacity"), "capacity of {{instance}}"),
                ),
            ),
            Panel(
                "Refused for want of room",
                "By rates and quotas (MIG_RATE_LIMITED) and by what is full (MIG_BACKPRESSURE).",
                "reqps",
                (
                    (
                        _rate(
                            "mig_gateway_binding_errors_total",
                            "code, binding",
                            'code=~"MIG_RATE_LIMITED|MIG_BACKPRESSURE"',
                        ),
                        "{{code}} {{binding}}",
                    ),
                ),
            ),
            Panel(
                "Providers that are down",
                "Capabilities whose provider is not there or not well.",
                "short",
                (("mig_gateway_provider_up{$only} == 0", "{{capability}} {{instance}}"),),
            ),
        ),
    ),
    (
        "Requests and errors",
        (
            Panel(
                "HTTP requests by route",
                "A path that is no route is other.",
                "reqps",
                ((_rate("mig_gateway_http_requests_total", "method, path"), "{{method}} {{path}}"),),
            ),
            Panel(
                "HTTP latency",
                "To the end of the answer; for a stream, to its opening.",
                "s",
                tuple((_quantile(q, _HTTP), f"p{round(q * 100)}") for q in (0.5, 0.95, 0.99)),
            ),
            Panel(
                "HTTP answers by status",
                "",
                "reqps",
                ((_rate("mig_gateway_http_requests_total", "status"), "{{status}}"),),
            ),
            Panel(
                "Errors by operation",
                "Every error given to a caller, on any binding.",
                "reqps",
                ((_rate("mig_gateway_errors_total", "code, operation"), "{{operation}} {{code}}"),),
            ),
            Panel(
                "Errors by binding",
                "The same errors.",
                "reqps",
                ((_rate("mig_gateway_binding_errors_total", "code, binding"), "{{binding}} {{code}}"),),
            ),
            Panel(
                "Failures",
                "What is the gateway's or a provider's doing, of all invocations.",
                "percentunit",
                (
                    (
                        _rate(
                            "mig_gateway_invocations_total",
                            "instance",
                            'outcome=~"MIG_INTERNAL|MIG_UNAVAILABLE|MIG_TIMEOUT"',
                        )
                        + " / "
                        + _rate("mig_gateway_invocations_total", "instance"),
                        "{{instance}}",
                    ),
                ),
            ),
        ),
    ),
    (
        "Streams and events",
        (
            Panel(
                "Open connections",
                "Long-lived ones, by kind.",
                "short",
                ((_now("mig_gateway_active_streams", "type"), "{{type}}"),),
            ),
            Panel(
                "Events",
                "Appended to topics, and handed to subscribers.",
                "reqps",
                (
                    (_rate("mig_gateway_events_published_total", "instance"), "published {{instance}}"),
                    (_rate("mig_gateway_events_delivered_total", "instance"), "delivered {{instance}}"),
                ),
            ),
            Panel(
                "Behind",
                "How many events the subscriber furthest behind has not got yet; how many are behind.",
                "short",
                (
                    (_now("mig_gateway_subscriber_lag_events", how="max"), "events {{instance}}"),
                    (_now("mig_gateway_subscribers_behind"), "subscribers {{instance}}"),
                ),
            ),
        ),
    ),
    (
        "Store and audit trail",
        (
            Panel(
                "Writes",
                "Committed.",
                "reqps",
                ((_rate("mig_gateway_store_writes_total", "instance"), "{{instance}}"),),
            ),
            Panel(
                "Commits",
                "Seconds of a transaction, however many writes are in it.",
                "s",
                tuple((_quantile(q, _COMMIT), f"p{round(q * 100)}") for q in (0.5, 0.99)),
            ),
            Panel(
                "Waiting, and lost",
                "Writes that wait for their commit; audit records that were given up.",
                "short",
                (
                    (_now("mig_gateway_store_writes_waiting"), "waiting {{instance}}"),
                    (_now("mig_gateway_audit_lost_total"), "audit records lost {{instance}}"),
                ),
            ),
        ),
    ),
    (
        "NATS, where it is configured",
        (
            Panel(
                "Connection",
                "1 while connected; reconnects since the start.",
                "short",
                (
                    (_now("mig_gateway_nats_connected"), "connected {{instance}}"),
                    (_now("mig_gateway_nats_reconnects_total"), "reconnects {{instance}}"),
                ),
            ),
            Panel(
                "Mirrored events",
                "To and from other gateways, by what became of them.",
                "reqps",
                ((_rate("mig_gateway_events_mirrored_total", "outcome"), "{{outcome}}"),),
            ),
            Panel(
                "Mirroring",
                "Other gateways; topics that have not all gone out; topics in which something is missing.",
                "short",
                (
                    (_now("mig_gateway_mirror_peers"), "peers of {{instance}}"),
                    (_now("mig_gateway_mirror_owed_topics"), "owed by {{instance}}"),
                    (_now("mig_gateway_mirror_missing_topics"), "missing at {{instance}}"),
                ),
            ),
        ),
    ),
    (
        "Process",
        (
            Panel("Memory", "Resident.", "bytes", ((_now("process_resident_memory_bytes"), "{{instance}}"),)),
            Panel(
                "Processor",
                "Cores in use.",
                "short",
                ((_rate("process_cpu_seconds_total", "instance"), "{{instance}}"),),
            ),
            Panel(
                "Versions",
                "Gateways by what they run.",
                "short",
                (
                    (
                        _now("mig_gateway_build_info", "version, mig_version"),
                        "{{version}} (MIG {{mig_version}})",
                    ),
                ),
            ),
        ),
    ),
)
