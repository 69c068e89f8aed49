// A list that grows: the frames of a stream, the events of a subscription.

import { element } from "./dom.js";
import { faultParts, mark } from "./outcome.js";

const MOST = 200;
const TONES = { response: "info", error: "bad", control: "warn", sent: "", "mig-event": "info", "mig-gap": "warn" };

/** Appends to `list` a row with the time since `started`, what it is, and its content. */
export function addRow(list, started, kind, ...content) {
  const seconds = ((performance.now() - started) / 1000).toFixed(2);
  const follows = list.scrollTop + list.clientHeight >= list.scrollHeight - 4;
  list.hidden = false;
  list.append(element("li", { "data-kind": kind },
    element("span", { class: "faint at" }, `${seconds} s`), mark(kind, TONES[kind]), element("div", {}, content)));
  if (list.children.length > MOST) list.firstElementChild.remove();
  if (follows) list.scrollTop = list.scrollHeight;
}

/** What a stream frame says: its payload or its error, and whether it is the last. */
export function frameContent(frame) {
  const last = frame.end_stream ? [" ", mark("end of stream")] : [];
  const body = frame.error ? faultParts(frame.error) : [element("code", {}, JSON.stringify(frame.payload ?? {}))];
  return [...body, ...last];
}
