// The HELLO try-out.

import { call, curl } from "./api.js";
import { identified, missing } from "./caller.js";
import { byId, element, setText } from "./dom.js";
import { pair, showAnswer, showLine } from "./outcome.js";

const PATH = "/mig/v0.1/hello";
const form = byId("hello");
const listed = (text) => text.split(/[\s,]+/).filter(Boolean);
const request = () => ({
  supported_versions: listed(form.versions.value),
  requested_features: listed(form.features.value),
});

export async function sayHello() {
  if (!identified()) {
    setText(byId("server-id"), "");
    return showLine(byId("hello-outcome"), missing());
  }
  const answer = await call("POST", PATH, { body: request() });
  if (answer.ok) setText(byId("server-id"), answer.body.server_id);
  return showAnswer(byId("hello-outcome"), answer, { open: false, summary: answer.ok ? [selection(answer.body)] : [] });
}

function selection(body) {
  return element("dl", { class: "pairs" },
    pair("version", body.selected_version),
    pair("binding", body.selected_binding),
    pair("features", body.enabled_features.join(", ") || "none"),
    pair("profiles", (body.header.meta?.["mig.profiles"] ?? []).join(", ")),
    pair("server", body.server_id));
}

export const showHelloCommand = () => setText(byId("hello-command"), curl("POST", PATH, { body: request() }));

export function startHello() {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    sayHello();
  });
  form.addEventListener("input", showHelloCommand);
}
