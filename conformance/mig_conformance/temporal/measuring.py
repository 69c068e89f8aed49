"""GET /metrics, read by the rules of Prometheus' text format [MIG-OBS-001, MIG-OBS-002]."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from contextlib import AsyncExitStack
from functools import partial

from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families

from mig_conformance.checks.trial import Trial
from mig_conformance.drivers.port import Answer, Ask
from mig_conformance.flaws import FlawError, expect, same
from mig_conformance.temporal.asking import invocation
from mig_conformance.temporal.awaiting import eventually

_REQUESTS = "mig_gateway_http_requests"
_DURATION = "mig_gateway_http_request_duration_seconds"
_ERRORS = "mig_gateway_errors"
_STREAMS = "mig_gateway_active_streams"
# Type, and the labels of a sample without those of its buckets. The format leaves `_total` out of a name.
_FAMILIES: Mapping[str, tuple[str, set[str]]] = {
    _REQUESTS: ("counter", {"method", "path", "status"}),
    _DURATION: ("histogram", {"method", "path"}),
    _ERRORS: ("counter", {"code", "operation"}),
    _STREAMS: ("gauge", {"type"}),
}
_INVOKE = "/mig/v0.1/invoke/{capability}"
_TIMES = 3
_COUNTED_S = 1.0


async def families(trial: Trial) -> None:
    """With a request, an error and a stream behind them, so that each has something to tell."""
    (await _unknown(trial)).refused("MIG_UNSUPPORTED_CAPABILITY")
    async with AsyncExitStack() as stack:
        await _open(trial, stack)
        found = await _scraped(trial)
    for name, (kind, labels) in _FAMILIES.items():
        expect(name in found, f"there is no metric {name}")
        same(f"the type of {name}", found[name].type, kind)
        expect(found[name].samples, f"{name} has no samples")
        for sample in found[name].samples:
            same(f"the labels of {sample.name}", set(sample.labels) - {"le"}, labels)


async def requests(trial: Trial) -> None:
    """Each once, by its status, and each in the histogram."""
    before = await _scraped(trial)
    for _ in range(_TIMES):
        (await trial.call("INVOKE", invocation())).accepted()
    for _ in range(_TIMES - 1):
        (await _unknown(trial)).refused("MIG_UNSUPPORTED_CAPABILITY")
    route = {"method": "POST", "path": _INVOKE}

    async def flaw() -> str:
        after = await _scraped(trial)
        for name, labels, wanted in (
            (f"{_REQUESTS}_total", {**route, "status": "200"}, _TIMES),
            (f"{_REQUESTS}_total", {**route, "status": "404"}, _TIMES - 1),
            (f"{_DURATION}_count", route, 2 * _TIMES - 1),
        ):
            more = _value(after, name, labels) - _value(before, name, labels)
            if more != wanted:
                return f"{name} of {labels} rose by {more:g}, expected {wanted}"
        return ""

    await eventually(trial, flaw, within_s=_COUNTED_S)
    _histogram(await _scraped(trial), route)


def _histogram(found: Mapping[str, Metric], route: Mapping[str, str]) -> None:
    """Its buckets are cumulative, and the last one is all."""
    buckets = sorted(
        (float(sample.labels["le"]), sample.value)
        for sample in found[_DURATION].samples
        if sample.name.endswith("_bucket") and route.items() <= sample.labels.items()
    )
    counts = [count for _, count in buckets]
    expect(counts == sorted(counts), f"the buckets of {_DURATION} are not cumulative: {counts}")
    same("the bound of the last bucket", buckets[-1][0], math.inf)
    same("the count of the last bucket", counts[-1], _value(found, f"{_DURATION}_count", route))
    expect(_value(found, f"{_DURATION}_sum", route) > 0, f"the sum of {_DURATION} is not above 0")


async def errors(trial: Trial) -> None:
    """By code and operation, on whatever binding they were given."""
    before = await _scraped(trial)
    for _ in range(_TIMES):
        (await _unknown(trial)).refused("MIG_UNSUPPORTED_CAPABILITY")
    rose = partial(_rose, trial, before, f"{_ERRORS}_total", "MIG_UNSUPPORTED_CAPABILITY")
    await eventually(trial, rose, within_s=_COUNTED_S)


async def _rose(trial: Trial, before: Mapping[str, Metric], name: str, code: str) -> str:
    after = await _scraped(trial)
    more = _value(after, name, {"code": code}) - _value(before, name, {"code": code})
    return "" if more == _TIMES else f"{name} of {code} rose by {more:g}, expected {_TIMES}"


async def streams(trial: Trial) -> None:
    """One more while it is open."""
    before = _value(await _scraped(trial), _STREAMS, {})
    async with AsyncExitStack() as stack:
        await _open(trial, stack)
        await eventually(trial, partial(_active, trial, before + 1), within_s=_COUNTED_S)
    await eventually(trial, partial(_active, trial, before), within_s=_COUNTED_S)


async def _active(trial: Trial, wanted: float) -> str:
    found = _value(await _scraped(trial), _STREAMS, {})
    return "" if found == wanted else f"{_STREAMS} is {found:g} in all, expected {wanted:g}"


async def templates(trial: Trial) -> None:
    """Whatever a path names is in no label: paths that are none are not told apart, either."""
    name = f"c{trial.new_id()}"
    for path in ("mig/v0.1/invoke", "mig/v0.1/publish", "mig/v0.1/cancel", "mig/v0.1/no-such-route", "ui"):
        await trial.http.request("POST", f"/{path}/conformance.{name}", caller=trial.own, body=b"{}")
    wanted = {_INVOKE, "/mig/v0.1/publish/{topic}", "/mig/v0.1/cancel/{message_id}"}
    found = await _scraped(trial)
    for family in (_REQUESTS, _DURATION):
        paths = {sample.labels["path"] for sample in found[family].samples}
        expect(wanted <= paths, f"{family} has no path {', '.join(sorted(wanted - paths))}")
        told = [path for path in paths if name in path]
        expect(not told, f"{family} has a path that is no template: {told}")


async def _open(trial: Trial, stack: AsyncExitStack) -> None:
    if trial.binding == "websocket":
        connection = await trial.connect()
        stack.push_async_callback(connection.close)
        # Without an end of its input, so that the stream stays open.
        await connection.send({"kind": "request", "stream_id": "s", **trial.scripted({"take": "rest"})})
        return
    driver = trial.driver if trial.binding == "grpc" else trial.beside("sse")
    ask = Ask(operation="SUBSCRIBE", caller=trial.own, message={"topic": trial.new_topic()})
    subscription = await driver.subscribe(ask)
    stack.push_async_callback(subscription.close)


async def _unknown(trial: Trial) -> Answer:
    return await trial.call("INVOKE", invocation(capability=f"conformance.c{trial.new_id()}"))


async def _scraped(trial: Trial) -> Mapping[str, Metric]:
    answer = await trial.http.request("GET", "/metrics", caller=trial.callers.named("nobody"))
    same("the status of GET /metrics", answer.status, 200)
    try:
        return {family.name: family for family in text_string_to_metric_families(answer.body.decode())}
    except ValueError as error:
        raise FlawError(f"GET /metrics is not in Prometheus' text format: {error}") from None


def _value(found: Mapping[str, Metric], name: str, labels: Mapping[str, str]) -> float:
    """The sum of the samples of that name that have these labels."""
    samples: Iterable[float] = (
        sample.value
        for family in found.values()
        for sample in family.samples
        if sample.name == name and labels.items() <= sample.labels.items()
    )
    return sum(samples)
