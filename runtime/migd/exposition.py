"""The gateway's numbers as Prometheus text (protocol section 7, GET /metrics)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import accumulate

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
    Metric,
)
from prometheus_client.openmetrics import exposition as openmetrics

from mig_protocol import MIG_VERSION
from migd.metrics import BUCKETS, Metrics, Timings
from migd.version import __version__


class Exposition:
    """A registry of its own, so that nothing else in the process shows up in it."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(self)
        ProcessCollector(registry=self._registry)

    def text(self) -> str:
        """The text format 0.0.4, which every scraper reads."""
        return generate_latest(self._registry).decode()

    def openmetrics(self) -> str:
        """OpenMetrics 1.0."""
        text: bytes = openmetrics.generate_latest(self._registry, version="1.0.0")  # type: ignore[no-untyped-call]
        return text.decode()

    def collect(self) -> Iterator[Metric]:
        """Called by the registry for every scrape."""
        yield from self._http()
        yield from self._invocations()
        yield from self._events_and_streams()
        yield CounterMetricFamily(
            "mig_gateway_audit_lost",
            "Audit records given up because they could not be written, in all places together.",
            value=self._metrics.audit_lost(),
        )
        yield from self._mirror()
        yield InfoMetricFamily(
            "mig_gateway_build",
            "What is running.",
            value={"version": __version__, "mig_version": MIG_VERSION},
        )

    def _http(self) -> Iterator[Metric]:
        requests = CounterMetricFamily(
            "mig_gateway_http_requests", "HTTP requests answered.", labels=("method", "path", "status")
        )
        merged: dict[tuple[str, ...], Timings] = {}
        for (method, path, status), timings in sorted(self._metrics.requests.items()):
            requests.add_metric((method, path, str(status)), timings.count)
            merged.setdefault((method, path), Timings()).add(timings)
        yield requests
        yield _histogram(
            "mig_gateway_http_request_duration_seconds",
            "Seconds from the arrival of an HTTP request to the end of its answer.",
            ("method", "path"),
            merged,
        )
        errors = CounterMetricFamily(
            "mig_gateway_errors", "Errors given to callers, on every binding.", labels=("code", "operation")
        )
        yield _filled(errors, self._metrics.errors.items())

    def _invocations(self) -> Iterator[Metric]:
        outcomes = CounterMetricFamily(
            "mig_gateway_invocations", "Invocations that are over.", labels=("capability", "outcome")
        )
        merged: dict[tuple[str, ...], Timings] = {}
        for (capability, outcome), timings in sorted(self._metrics.invocations.items()):
            outcomes.add_metric((capability, outcome), timings.count)
            merged.setdefault((capability,), Timings()).add(timings)
        yield outcomes
        yield _histogram(
            "mig_gateway_invocation_duration_seconds",
            "Seconds from the arrival of an invocation to its outcome.",
            ("capability",),
            merged,
        )
        yield GaugeMetricFamily(
            "mig_gateway_invocations_in_flight", "Invocations running now.", value=self._metrics.in_flight()
        )

    def _events_and_streams(self) -> Iterator[Metric]:
        streams = GaugeMetricFamily(
            "mig_gateway_active_streams", "Long-lived connections open now.", labels=("type",)
        )
        yield _filled(streams, [((kind,), count) for kind, count in self._metrics.streams.items()])
        yield CounterMetricFamily(
            "mig_gateway_events_published",
            "Events appended to a topic.",
            value=self._metrics.events_published,
        )
        yield CounterMetricFamily(
            "mig_gateway_events_delivered",
            "Events handed to a subscriber.",
            value=self._metrics.events_delivered,
        )

    def _mirror(self) -> Iterator[Metric]:
        state = self._metrics.mirror()
        if state is None:
            return
        events = CounterMetricFamily(
            "mig_gateway_events_mirrored", "Events to and from other gateways.", labels=("outcome",)
        )
        yield _filled(events, [((outcome,), n) for outcome, n in self._metrics.events_mirrored.items()])
        yield GaugeMetricFamily("mig_gateway_mirror_peers", "Other gateways that are there.", state.peers)
        yield GaugeMetricFamily(
            "mig_gateway_mirror_owed_topics", "Topics with events that have not gone out.", state.owed
        )
        yield GaugeMetricFamily(
            "mig_gateway_mirror_missing_topics",
            "Topics in which events of another gateway are missing.",
            state.missing,
        )


def _filled(
    family: CounterMetricFamily | GaugeMetricFamily, counts: Iterable[tuple[tuple[str, ...], int]]
) -> CounterMetricFamily | GaugeMetricFamily:
    for labels, count in sorted(counts):
        family.add_metric(labels, count)
    return family


def _histogram(
    name: str, about: str, labels: Iterable[str], series: Mapping[tuple[str, ...], Timings]
) -> HistogramMetricFamily:
    family = HistogramMetricFamily(name, about, labels=tuple(labels))
    bounds = [*map(str, BUCKETS), "+Inf"]
    for values, timings in series.items():
        cumulative = zip(bounds, accumulate(timings.buckets), strict=True)
        family.add_metric(values, list(cumulative), timings.seconds)
    return family
