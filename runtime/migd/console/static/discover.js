// The DISCOVER try-out: the capabilities that the caller may see, each a button that fills INVOKE.

import { call, curl } from "./api.js";
import { identified, missing } from "./caller.js";
import { byId, element, setText } from "./dom.js";
import { showAnswer, showLine } from "./outcome.js";

const PATH = "/mig/v0.1/discover";
const form = byId("discover");
const request = () => (form.query.value ? { query: form.query.value } : {});

/** Returns the descriptors found; none where the call failed. */
export async function discover(choose) {
  if (!identified()) {
    byId("capabilities").replaceChildren();
    showLine(byId("discover-outcome"), missing());
    return [];
  }
  const answer = await call("POST", PATH, { body: request() });
  const found = answer.ok ? answer.body.capabilities : [];
  byId("capabilities").replaceChildren(...found.map((capability) => item(capability, choose)));
  showAnswer(byId("discover-outcome"), answer, { open: false, summary: notice(answer, found) });
  return found;
}

function notice(answer, found) {
  return answer.ok && found.length === 0 ? [element("p", {}, "No capability that this caller may see.")] : [];
}

function item(capability, choose) {
  const scopes = capability.auth_scopes?.join(", ");
  const button = element("button", { type: "button", class: "capability", "aria-pressed": "false" },
    element("span", { class: "id" }, capability.id),
    element("span", { class: "faint" }, capability.version),
    element("span", { class: "modes" }, capability.modes.map((mode) => element("span", { class: "mark" }, mode)),
      scopes && element("span", { class: "faint" }, scopes)));
  button.addEventListener("click", () => choose(capability));
  button.dataset.capability = capability.id;
  return element("li", {}, button);
}

/** Shows which capability INVOKE is filled with. */
export function markChosen(id) {
  for (const button of byId("capabilities").querySelectorAll("button")) {
    button.setAttribute("aria-pressed", String(button.dataset.capability === id));
  }
}

export const showDiscoverCommand = () => setText(byId("discover-command"), curl("POST", PATH, { body: request() }));

export function startDiscover(run) {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    run();
  });
  form.addEventListener("input", showDiscoverCommand);
}
