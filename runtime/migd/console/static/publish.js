// The PUBLISH try-out.

import { call, curl } from "./api.js";
import { identified, missing } from "./caller.js";
import { byId, element, setText } from "./dom.js";
import { draftIn, objectIn } from "./editor.js";
import { pair, showAnswer, showLine } from "./outcome.js";

const form = byId("publish");
const outcome = byId("publish-outcome");
const path = () => `/mig/v0.1/publish/${encodeURIComponent(form.topic.value)}`;

async function publish() {
  const payload = objectIn(form.payload);
  if (payload === null) return;
  if (!identified()) return showLine(outcome, missing());
  const answer = await call("POST", path(), { body: { payload } });
  showAnswer(outcome, answer, { open: false, summary: answer.ok ? [ack(answer.body)] : [] });
}

const ack = ({ sequence, event_id }) =>
  element("dl", { class: "pairs" }, pair("sequence", sequence), pair("event", event_id));

export const showPublishCommand = () =>
  setText(byId("publish-command"), curl("POST", path(), { body: { payload: draftIn(form.payload) } }));

export function startPublish() {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    publish();
  });
  form.addEventListener("input", () => {
    objectIn(form.payload);
    showPublishCommand();
  });
}
