// One HTTP call to this server, and what came of it.

import { authenticates, credentials, tenant } from "./caller.js";

/**
 * Never throws: {ok, status, ms, body, text, fault}. `fault` is {code, message, details, retryable}, the
 * server's own where it sent an error envelope; `code` is empty where it sent none.
 */
export async function call(method, path, { body, fields = {}, signal } = {}) {
  const started = performance.now();
  const answer = { ok: false, status: 0, ms: 0, body: null, text: "", fault: null };
  try {
    const response = await fetch(path, options(method, body, fields, signal));
    answer.status = response.status;
    answer.ok = response.ok;
    answer.text = await response.text();
  } catch (error) {
    answer.ok = false;
    answer.fault = unanswered(error);
  }
  answer.ms = performance.now() - started;
  answer.body = parsed(answer.text);
  if (!answer.ok) answer.fault ??= faultOf(answer.status, answer.body);
  return answer;
}

/** The options of `fetch` for a call by the present caller. */
export function options(method, body, fields, signal) {
  return {
    method,
    headers: { ...credentials(), ...fields },
    body: body === undefined ? undefined : JSON.stringify(body),
    signal,
    cache: "no-store",
    credentials: "omit",
  };
}

export function faultOf(status, body) {
  return body?.error?.code ? body.error : { code: "", message: `The server answered ${status}.` };
}

export function unanswered(error) {
  const message = error.name === "AbortError" ? "Stopped." : "The server does not answer.";
  return { code: "", message };
}

/** The value of a JSON text; null for anything else. */
export function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** The same call as a command for the shell; `MIG_TOKEN` stands for the token, which is not shown. */
export function curl(method, path, { body, fields = {}, stream = false } = {}) {
  const parts = [`curl ${stream ? "-N " : ""}${quoted(location.origin + path)}`];
  if (tenant()) parts.push(`-H ${quoted(`X-Tenant-ID: ${tenant()}`)}`);
  if (authenticates) parts.push('-H "Authorization: Bearer $MIG_TOKEN"');
  for (const [name, value] of Object.entries(fields)) parts.push(`-H ${quoted(`${name}: ${value}`)}`);
  if (method === "POST") parts.push(`-d ${quoted(JSON.stringify(body ?? {}))}`);
  return parts.join(" \\\n  ");
}

/** A frame for the WebSocket as a command: curl sends no messages, websocat sends each line as one. */
export function websocat(path, frame) {
  const parts = [`echo ${quoted(JSON.stringify(frame))} | websocat -n`];
  if (authenticates) parts.push('-H="Authorization: Bearer $MIG_TOKEN"');
  parts.push(quoted(websocketUrl(path)));
  return parts.join(" \\\n  ");
}

export const websocketUrl = (path) => location.origin.replace(/^http/, "ws") + path;

const quoted = (text) => (/^[\w:/.=@%+,-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`);
