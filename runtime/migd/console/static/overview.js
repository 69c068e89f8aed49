// The tiles at the top, readiness, and the conformance profiles.

import { call } from "./api.js";
import { byId, element, keyed, setText } from "./dom.js";
import { total } from "./metrics.js";

const count = new Intl.NumberFormat("en");
const STREAMS = { sse_subscribe: "SSE", ws_stream: "WebSocket", stream_invoke: "gRPC streams", event_subscribe: "gRPC subscriptions" };

let before = null;

/** The headline figures of one reading of the metrics; null where they can not be had. */
export function showTiles(samples) {
  const tiles = samples ? figures(samples) : [];
  keyed(byId("tiles"), tiles.map(([title, figure, note]) => [title,
    () => element("dl", { class: "tile" }, element("dt", {}, title), element("dd", {}), element("dd", { class: "faint" })),
    (tile) => {
      setText(tile.children[1], figure);
      setText(tile.children[2], note);
    }]));
}

function figures(samples) {
  const protocol = total(samples, "mig_gateway_http_requests_total", ({ path }) => path.startsWith("/mig/"));
  const invocations = total(samples, "mig_gateway_invocations_total");
  const failed = total(samples, "mig_gateway_invocations_total", ({ outcome }) => outcome !== "success");
  const running = total(samples, "mig_gateway_invocations_in_flight");
  const published = total(samples, "mig_gateway_events_published_total");
  const delivered = total(samples, "mig_gateway_events_delivered_total");
  return [
    ["Protocol requests", count.format(protocol), `${rate(protocol)} per second`],
    ["Invocations", count.format(invocations), success(invocations, failed)],
    ["Running now", count.format(running), "invocations in flight"],
    ["Open streams", count.format(total(samples, "mig_gateway_active_streams")), streams(samples)],
    ["Events published", count.format(published), `${count.format(delivered)} delivered`],
    ["Errors", count.format(total(samples, "mig_gateway_errors_total")), "on every binding"],
  ];
}

function success(invocations, failed) {
  if (invocations === 0) return "none yet";
  return failed === 0 ? "all successful" : `${count.format(failed)} not successful`;
}

/** How much the value has grown since it was last asked for, per second. */
function rate(value) {
  const now = performance.now();
  const grown = before ? Math.max(0, (value - before.value) / ((now - before.at) / 1000)) : 0;
  before = { value, at: now };
  return grown < 10 ? grown.toFixed(1) : count.format(Math.round(grown));
}

function streams(samples) {
  const open = (samples.get("mig_gateway_active_streams") ?? []).filter(({ value }) => value > 0);
  return open.map(({ labels, value }) => `${value} ${STREAMS[labels.type] ?? labels.type}`).join(", ") || "none";
}

export async function refreshReadiness() {
  const answer = await call("GET", "/readyz");
  const reasons = answer.body?.reasons ?? [];
  const state = answer.ok ? "good" : answer.status ? "warn" : "bad";
  const words = answer.ok ? "ready" : answer.status ? ["not ready", ...reasons].join(": ") : "does not answer";
  byId("readiness").className = `readiness ${state}`;
  setText(byId("readiness").querySelector(".words"), words);
}

/** `health` is {core, streaming, evented, full}; `needs` says instead why it can not be shown. */
export function showProfiles(health, needs) {
  for (const item of byId("profiles").querySelectorAll("[data-profile]")) {
    const name = item.dataset.profile;
    const [tone, sign] = { true: ["good", "✓ "], false: ["bad", "✗ "] }[health?.[name]] ?? ["", ""];
    item.firstElementChild.className = `mark ${tone}`;
    setText(item.firstElementChild, `${sign}${name}`);
  }
  const line = byId("profiles").querySelector(".needs");
  line.hidden = !needs;
  setText(line, needs);
}
