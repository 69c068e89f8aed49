// The INVOKE try-out: once over HTTP, or streamed over a WebSocket.

import { call, curl, websocat } from "./api.js";
import { identified, missing, tenant } from "./caller.js";
import { byId, setText } from "./dom.js";
import { draftIn, objectIn } from "./editor.js";
import { addRow, frameContent } from "./frames.js";
import { pretty, showAnswer, showLine } from "./outcome.js";
import { newId, openStream, STREAM_PATH } from "./stream.js";

const form = byId("invoke");
const outcome = byId("invoke-outcome");
const frames = byId("frames");
const cancelButton = byId("invoke-cancel");
const STREAMED = ["server_stream", "client_stream", "bidi_stream"];

let cancel = null;

/** Fills the form for a capability, with a payload made from its input schema; what is typed meanwhile stays. */
export async function chooseCapability(descriptor) {
  form.capability.value = descriptor.id;
  allowModes(descriptor.modes);
  showInvokeCommand();
  const before = form.payload.value;
  const answer = await call("GET", `/ui/capabilities/${encodeURIComponent(descriptor.id)}/input`);
  if (!answer.ok || form.capability.value !== descriptor.id) return;
  showSchema(answer.body.schema);
  if (form.payload.value !== before) return;
  form.payload.value = pretty(answer.body.sample);
  objectIn(form.payload);
  showInvokeCommand();
}

function allowModes(modes) {
  const [once, streamed] = form.mode;
  once.disabled = !modes.includes("unary");
  streamed.disabled = !modes.some((mode) => STREAMED.includes(mode));
  if (form.querySelector("[name=mode]:checked").disabled) (once.disabled ? streamed : once).checked = true;
}

function showSchema(schema) {
  byId("invoke-schema").hidden = schema === undefined;
  setText(byId("invoke-schema").querySelector("pre"), schema === undefined ? "" : pretty(schema));
}

const capability = () => form.capability.value || form.capability.placeholder;
const path = () => `/mig/v0.1/invoke/${encodeURIComponent(capability())}`;

/** The header fields that the form adds to a unary call. */
function fieldsOf() {
  const fields = {};
  if (form.deadline.value) fields["MIG-Deadline-Ms"] = form.deadline.value;
  if (form.key.value) fields["Idempotency-Key"] = form.key.value;
  return fields;
}

function frameOf(payload) {
  const header = {};
  if (tenant()) header.tenant_id = tenant();
  if (form.deadline.value) header.deadline_ms = Number(form.deadline.value);
  if (form.key.value) header.idempotency_key = form.key.value;
  return { header, stream_id: "s-1", kind: "request", capability: capability(), payload };
}

export function showInvokeCommand() {
  const payload = draftIn(form.payload);
  const streamed = form.mode.value === "stream";
  setText(byId("invoke-command"), streamed
    ? websocat(STREAM_PATH, frameOf(payload))
    : curl("POST", path(), { body: { payload }, fields: fieldsOf() }));
}

async function invoke() {
  const payload = objectIn(form.payload);
  if (payload === null || cancel) return;
  if (!identified()) return showLine(outcome, missing());
  frames.replaceChildren();
  frames.hidden = true;
  if (form.mode.value === "stream") invokeStreamed(payload);
  else await invokeOnce(payload);
}

async function invokeOnce(payload) {
  const id = newId();
  begin("Running.", () => call("POST", `/mig/v0.1/cancel/${id}`, { body: { reason: "cancelled from the console" } }));
  const answer = await call("POST", path(), { body: { payload }, fields: { ...fieldsOf(), "MIG-Message-ID": id } });
  end();
  showAnswer(outcome, answer);
}

function invokeStreamed(payload) {
  const started = performance.now();
  const frame = frameOf(payload);
  let answers = 0;
  const stop = openStream(frame,
    (received) => {
      addRow(frames, started, received.kind, frameContent(received));
      answers += received.kind === "response" ? 1 : 0;
    },
    (fault) => {
      end();
      const ms = (performance.now() - started).toFixed(0);
      showLine(outcome, fault || `Ended after ${answers} response ${answers === 1 ? "frame" : "frames"}, ${ms} ms.`, fault && "bad");
    });
  addRow(frames, started, "sent", frameContent(frame));
  begin("Streaming.", () => stop("cancelled from the console"));
}

function begin(words, stop) {
  cancel = stop;
  cancelButton.disabled = false;
  showLine(outcome, words);
}

function end() {
  cancel = null;
  cancelButton.disabled = true;
}

export function startInvoke() {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    invoke();
  });
  form.addEventListener("input", () => {
    objectIn(form.payload);
    showInvokeCommand();
  });
  form.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit();
  });
  cancelButton.addEventListener("click", () => cancel?.());
}
