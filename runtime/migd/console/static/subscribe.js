// The SUBSCRIBE try-out.

import { curl, faultOf, options, parsed, unanswered } from "./api.js";
import { identified, missing, onCallerChange } from "./caller.js";
import { byId, element, setText } from "./dom.js";
import { addRow } from "./frames.js";
import { showLine } from "./outcome.js";
import { events } from "./sse.js";

const form = byId("subscribe");
const outcome = byId("subscribe-outcome");
const received = byId("received");
const stopButton = byId("subscribe-stop");
const startButton = form.querySelector("[type=submit]");

let stop = null;

function path() {
  // Without a consumer_id, whose place would be kept: who tries something out wants what comes now.
  const query = form.cursor.value ? `?${new URLSearchParams({ resume_cursor: form.cursor.value })}` : "";
  return `/mig/v0.1/subscribe/${encodeURIComponent(form.topic.value)}${query}`;
}

async function subscribe() {
  if (stop) return;
  if (!identified()) return showLine(outcome, missing());
  const controller = new AbortController();
  stop = () => controller.abort();
  follow(true);
  received.replaceChildren();
  showLine(outcome, await read(controller.signal));
  stop = null;
  follow(false);
}

/** Shows events until the stream ends; returns what to say then. */
async function read(signal) {
  const started = performance.now();
  try {
    const response = await fetch(path(), options("GET", undefined, {}, signal));
    if (!response.ok) return refusal(response);
    showLine(outcome, `Following ${form.topic.value}.`, "good");
    for await (const event of events(response.body)) {
      const message = parsed(event.data);
      addRow(received, started, event.event, ...content(event.event, message));
    }
    return "The server ended the stream.";
  } catch (error) {
    return unanswered(error).message;
  }
}

async function refusal(response) {
  const { code, message } = faultOf(response.status, parsed(await response.text()));
  return `${code} ${message}`.trim();
}

function content(kind, message) {
  if (kind === "mig-gap") return [`sequences ${message.from_sequence} to ${message.to_sequence} are no longer retained`];
  return [element("span", { class: "faint" }, `${message.sequence}${message.replay ? " replay" : ""} `),
    element("code", {}, JSON.stringify(message.payload ?? {}))];
}

function follow(on) {
  stopButton.disabled = !on;
  startButton.disabled = on;
}

export const showSubscribeCommand = () => setText(byId("subscribe-command"), curl("GET", path(), { stream: true }));

export function startSubscribe() {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    subscribe();
  });
  form.addEventListener("input", showSubscribeCommand);
  stopButton.addEventListener("click", () => stop?.());
  onCallerChange(() => stop?.());
}
