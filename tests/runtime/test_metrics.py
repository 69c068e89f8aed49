"""Measurements: the names and labels that dashboards rely on, and a bound on how many there can be."""

from __future__ import annotations

import pytest
from prometheus_client.parser import text_string_to_metric_families

from migd.core.subscription import Lag
from migd.exposition import Exposition
from migd.metrics import Metrics, NatsState


@pytest.fixture
def metrics() -> Metrics:
    measured = Metrics()
    measured.knows_capability = {"a.known", "b.known"}.__contains__
    return measured


def samples(metrics: Metrics) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    """What a scraper reads: value by name and labels."""
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(Exposition(metrics).text())
        for sample in family.samples
    }


def value(metrics: Metrics, name: str, **labels: str) -> float:
    return samples(metrics)[name, tuple(sorted(labels.items()))]


def test_requests_are_counted_and_timed_by_method_route_and_status(metrics: Metrics) -> None:
    metrics.request("POST", "/mig/v0.1/hello", 200, 0.004)
    metrics.request("POST", "/mig/v0.1/hello", 200, 0.2)
    metrics.request("POST", "/mig/v0.1/hello", 400, 0.004)

    route = {"method": "POST", "path": "/mig/v0.1/hello"}
    assert value(metrics, "mig_gateway_http_requests_total", **route, status="200") == 2
    assert value(metrics, "mig_gateway_http_requests_total", **route, status="400") == 1
    duration = "mig_gateway_http_request_duration_seconds"
    assert value(metrics, f"{duration}_bucket", **route, le="0.005") == 2
    assert value(metrics, f"{duration}_bucket", **route, le="0.25") == 3
    assert value(metrics, f"{duration}_bucket", **route, le="+Inf") == 3
    assert value(metrics, f"{duration}_count", **route) == 3
    assert value(metrics, f"{duration}_sum", **route) == pytest.approx(0.208)


def test_a_bucket_holds_what_is_not_more_than_its_bound(metrics: Metrics) -> None:
    metrics.request("GET", "/healthz", 200, 0.005)

    bucket = "mig_gateway_http_request_duration_seconds_bucket"
    assert value(metrics, bucket, method="GET", path="/healthz", le="0.0025") == 0
    assert value(metrics, bucket, method="GET", path="/healthz", le="0.005") == 1


def test_invocations_are_counted_by_outcome_and_timed_by_capability(metrics: Metrics) -> None:
    metrics.invocation("a.known", "success", 0.3)
    metrics.invocation("a.known", "MIG_TIMEOUT", 3.0)

    assert value(metrics, "mig_gateway_invocations_total", capability="a.known", outcome="success") == 1
    assert value(metrics, "mig_gateway_invocations_total", capability="a.known", outcome="MIG_TIMEOUT") == 1
    assert value(metrics, "mig_gateway_invocation_duration_seconds_count", capability="a.known") == 2


def test_errors_streams_events_and_work_in_flight_are_there(metrics: Metrics) -> None:
    metrics.error("MIG_FORBIDDEN", "INVOKE", "http")
    metrics.error("MIG_FORBIDDEN", "INVOKE", "websocket")
    metrics.stream_opened("sse_subscribe")
    metrics.stream_opened("ws_stream")
    metrics.stream_closed("ws_stream")
    metrics.published(1)
    metrics.delivered(256)
    metrics.in_flight = lambda: 7

    assert value(metrics, "mig_gateway_errors_total", code="MIG_FORBIDDEN", operation="INVOKE") == 2
    assert value(metrics, "mig_gateway_active_streams", type="sse_subscribe") == 1
    assert value(metrics, "mig_gateway_active_streams", type="ws_stream") == 0
    assert value(metrics, "mig_gateway_events_published_total") == 1
    assert value(metrics, "mig_gateway_events_delivered_total") == 256
    assert value(metrics, "mig_gateway_invocations_in_flight") == 7


def test_the_same_errors_are_there_by_binding(metrics: Metrics) -> None:
    metrics.error("MIG_BACKPRESSURE", "INVOKE", "http")
    metrics.error("MIG_BACKPRESSURE", "INVOKE", "nats")
    metrics.error("MIG_RATE_LIMITED", "INVOKE", "nats")

    errors = "mig_gateway_binding_errors_total"
    assert value(metrics, errors, code="MIG_BACKPRESSURE", binding="http") == 1
    assert value(metrics, errors, code="MIG_BACKPRESSURE", binding="nats") == 1
    assert value(metrics, errors, code="MIG_RATE_LIMITED", binding="nats") == 1


def test_the_store_is_there_with_what_it_has_to_write_and_how_long_that_takes(metrics: Metrics) -> None:
    metrics.committed(20, 0.003)
    metrics.committed(1, 0.2)
    metrics.writes_waiting = lambda: 9

    assert value(metrics, "mig_gateway_store_writes_total") == 21
    assert value(metrics, "mig_gateway_store_writes_waiting") == 9
    assert value(metrics, "mig_gateway_store_commit_duration_seconds_count") == 2
    assert value(metrics, "mig_gateway_store_commit_duration_seconds_bucket", le="0.005") == 1


def test_what_is_asked_at_a_scrape_is_there(metrics: Metrics) -> None:
    metrics.capacity = lambda: 64
    metrics.lag = lambda: Lag(500, 2)
    metrics.providers = lambda: {"a.known": True, "b.known": False}

    assert value(metrics, "mig_gateway_invocations_capacity") == 64
    assert value(metrics, "mig_gateway_subscriber_lag_events") == 500
    assert value(metrics, "mig_gateway_subscribers_behind") == 2
    assert value(metrics, "mig_gateway_provider_up", capability="a.known") == 1
    assert value(metrics, "mig_gateway_provider_up", capability="b.known") == 0


def test_without_nats_there_is_nothing_of_it(metrics: Metrics) -> None:
    assert not [name for name, _ in samples(metrics) if name.startswith("mig_gateway_nats")]


@pytest.mark.parametrize(
    ("state", "connected", "reconnects"),
    [
        (NatsState(connected=False, connections=0), 0, 0),
        (NatsState(connected=True, connections=1), 1, 0),
        (NatsState(connected=True, connections=4), 1, 3),
    ],
)
def test_nats_is_connected_or_not_and_has_come_back_so_often(
    metrics: Metrics, state: NatsState, connected: int, reconnects: int
) -> None:
    metrics.nats = lambda: state

    assert value(metrics, "mig_gateway_nats_connected") == connected
    assert value(metrics, "mig_gateway_nats_reconnects_total") == reconnects


def test_callers_can_not_make_new_series(metrics: Metrics) -> None:
    before = len(samples(metrics))
    for number in range(100):
        metrics.invocation(f"guess.{number}", "MIG_UNSUPPORTED_CAPABILITY", 0.001)
        metrics.request(f"BREW{number}", "", 404, 0.001)
        metrics.error("MIG_NOT_FOUND", "", "http")

    assert (
        value(
            metrics, "mig_gateway_invocations_total", capability="other", outcome="MIG_UNSUPPORTED_CAPABILITY"
        )
        == 100
    )
    assert (
        value(metrics, "mig_gateway_http_requests_total", method="other", path="other", status="404") == 100
    )
    assert value(metrics, "mig_gateway_errors_total", code="MIG_NOT_FOUND", operation="other") == 100
    assert len(metrics.invocations) == len(metrics.requests) == 1
    assert len(samples(metrics)) < before + 50


def test_the_process_and_the_build_are_told(metrics: Metrics) -> None:
    names = {name for name, _ in samples(metrics)}

    assert {"process_resident_memory_bytes", "process_cpu_seconds_total", "mig_gateway_build_info"} <= names
