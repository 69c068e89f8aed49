"""What a gateway's metrics ask of its parts, and who is given the numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from mig_protocol.http_server import Exchange
from migd.bindings.http import Scrape
from migd.core.condition import Condition
from migd.metrics import Metrics

if TYPE_CHECKING:
    from migd.nats_side import NatsSide


def watch(metrics: Metrics, condition: Condition, nats: NatsSide | None) -> None:
    """Have every scrape ask these."""
    metrics.in_flight = condition.in_flight
    metrics.capacity = condition.capacity
    metrics.audit_lost = condition.audit_lost
    metrics.writes_waiting = condition.writes_waiting
    metrics.lag = condition.lag
    metrics.providers = condition.providers
    metrics.knows_capability = condition.knows_capability
    if nats is not None:
        metrics.nats = nats.state
        metrics.mirror = nats.mirror_state


def observer(metrics: Metrics | None) -> Callable[[Exchange, int, float], None]:
    """What the HTTP edge tells of each request."""
    if metrics is None:
        return _observe_nothing
    request = metrics.request

    def observe(exchange: Exchange, status: int, seconds: float) -> None:
        request(exchange.method, exchange.route, status, seconds)

    return observe


def scraper(metrics: Metrics) -> Callable[[], Scrape]:
    """Prometheus' client is imported by the first scrape: no start waits for it."""

    def scrape() -> Scrape:
        from migd.exposition import Exposition

        return Exposition(metrics)

    return scrape


def _observe_nothing(exchange: Exchange, status: int, seconds: float) -> None:
    """MIGD_ENABLE_METRICS=false."""
