// The tables of counters, from /metrics and /cloud/v0.1/usage.

import { byId, fillTable, setText } from "./dom.js";

const count = new Intl.NumberFormat("en");

/** `samples` null: `needs` says why there are none. */
export function showCounters(samples, needs) {
  const line = byId("metrics-needs");
  line.hidden = !needs;
  setText(line, needs);
  fill("invocations", invocations(samples ?? new Map()), "None yet.");
  fill("errors", plain(samples, "mig_gateway_errors_total", ({ code, operation }) => [code, operation]), "None yet.");
  fill("requests", plain(samples, "mig_gateway_http_requests_total",
    ({ method, path, status }) => [`${method} ${path}`, status]), "None yet.");
}

export function showUsage(report, needs) {
  const tenants = Object.entries(report?.tenant_invocations ?? {});
  fill("usage", tenants.sort((a, b) => b[1] - a[1]).map(([tenant, used]) => [tenant, number(used)]),
    needs || "None yet.");
}

function fill(name, rows, empty) {
  const card = document.querySelector(`[data-counter="${name}"]`);
  setText(card.querySelector(".needs"), empty);
  fillTable(card.querySelector("table"), card.querySelector(".needs"), rows);
}

function invocations(samples) {
  return (samples.get("mig_gateway_invocations_total") ?? []).map(({ labels, value }) =>
    [labels.capability, labels.outcome, number(value), [mean(samples, labels.capability), "number"]]);
}

/** The mean duration of a capability's invocations, whatever their outcome. */
function mean(samples, capability) {
  const of = (name) => (samples.get(`mig_gateway_invocation_duration_seconds_${name}`) ?? [])
    .find(({ labels }) => labels.capability === capability)?.value ?? 0;
  const ms = of("count") ? (of("sum") / of("count")) * 1000 : 0;
  return `${ms.toFixed(ms < 10 ? 2 : 0)} ms`;
}

function plain(samples, name, labelled) {
  return (samples?.get(name) ?? []).map(({ labels, value }) => [...labelled(labels), number(value)]);
}

const number = (value) => [count.format(value), "number"];
