// The table of long-lived connections.

import { byId, element, keyed, setText } from "./dom.js";

const filters = byId("connection-filters");

export function connectionsPath() {
  const query = new URLSearchParams();
  for (const control of filters.elements) {
    if (control.value && control.validity.valid) query.set(control.name, control.value);
  }
  return `/admin/v0.1/connections${query.size ? `?${query}` : ""}`;
}

export function startConnections(refresh) {
  filters.addEventListener("submit", (event) => event.preventDefault());
  filters.addEventListener("input", refresh);
}

export function showConnections(snapshot, needs) {
  const rows = snapshot?.connections ?? [];
  const at = snapshot ? Date.parse(snapshot.generated_at) : 0;
  setText(byId("connections-count"), snapshot ? String(snapshot.summary.total) : "");
  keyed(byId("connections-table").tBodies[0], rows.map((entry) => [
    entry.id, () => rowOf(entry), (row) => setText(row.cells[5], since(at - Date.parse(entry.started_at))),
  ]));
  byId("connections-table").hidden = rows.length === 0;
  const line = byId("connections-needs");
  line.hidden = rows.length > 0;
  setText(line, needs || (filtered() ? "None that match the filters." : "None. Subscribe to a topic above to see one."));
}

const filtered = () => [...filters.elements].some((control) => control.value);

function rowOf(entry) {
  const meta = Object.entries(entry.meta).filter(([, value]) => value !== "");
  return element("tr", {},
    element("td", {}, element("span", { class: "mark info" }, entry.kind)),
    element("td", {}, entry.protocol),
    element("td", {}, entry.tenant_id),
    element("td", {}, entry.actor),
    element("td", { class: "mono" }, entry.remote_addr),
    element("td", { class: "number" }),
    element("td", {}, meta.map(([name, value]) => element("span", { class: "meta" },
      element("span", { class: "faint" }, name), ` ${typeof value === "string" ? value : JSON.stringify(value)}`))));
}

/** 75000 -> "1 min 15 s". */
function since(ms) {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
  return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`;
}
