// What came of a call, for people: a line that says it, the details of a failure, and the JSON.

import { element } from "./dom.js";

export const pretty = (value) => JSON.stringify(value, null, 2);

/** Shows an answer of `call` in `place`. `open`: whether the JSON of a success is unfolded. */
export function showAnswer(place, answer, { open = true, summary = [] } = {}) {
  const status = answer.status ? mark(String(answer.status), answer.ok ? "good" : "bad") : null;
  const line = element("p", { class: "line", role: "status" }, status, answer.fault && codeOf(answer.fault),
    answer.fault ? element("span", {}, answer.fault.message) : null,
    element("span", { class: "faint" }, `${answer.ms.toFixed(answer.ms < 10 ? 1 : 0)} ms`));
  place.replaceChildren(line, ...detailsOf(answer.fault), ...summary, ...bodyOf(answer, open));
}

/** Shows one line; `kind` is "", "good" or "bad". */
export function showLine(place, text, kind = "") {
  place.replaceChildren(element("p", { class: `line ${kind}`, role: "status" }, text));
}

/** The parts that show a fault where there is no answer around it: in a frame, for one. */
export function faultParts(fault) {
  return [codeOf(fault), element("span", {}, ` ${fault.message}`), ...detailsOf(fault)];
}

export const mark = (text, kind = "") => element("span", { class: `mark ${kind}` }, text);

const codeOf = (fault) => (fault.code ? element("strong", { class: "code" }, fault.code) : null);

function detailsOf(fault) {
  const { violations, ...others } = fault?.details ?? {};
  const lists = [];
  if (Array.isArray(violations) && violations.length > 0) {
    lists.push(element("ul", { class: "violations" }, violations.map((violation) =>
      element("li", {}, element("code", {}, violation.pointer || "/"), ` ${violation.message}`))));
  }
  const rest = Object.entries(others);
  if (rest.length > 0) {
    lists.push(element("dl", { class: "pairs" }, rest.map(([name, value]) => pair(name, value))));
  }
  return lists;
}

export function pair(name, value) {
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return element("div", {}, element("dt", {}, name), element("dd", {}, text));
}

function bodyOf(answer, open) {
  if (!answer.text) return [];
  const text = answer.body === null ? answer.text : pretty(answer.body);
  return [element("details", { class: "more", open: open && answer.ok },
    element("summary", {}, answer.ok ? "Answer" : "Whole answer"),
    element("pre", { tabindex: "0" }, text))];
}
