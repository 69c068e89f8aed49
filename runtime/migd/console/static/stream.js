// One streamed invocation over a WebSocket of its own.

import { websocketUrl } from "./api.js";
import { authenticates, token } from "./caller.js";

export const STREAM_PATH = "/mig/v0.1/stream";
const SUBPROTOCOL = "mig.v0.1";

/** A browser can set no header fields on the handshake: the token goes as a subprotocol, never in the URL. */
const subprotocols = () => (token() ? [SUBPROTOCOL, `mig.bearer.${token()}`] : [SUBPROTOCOL]);

/**
 * Sends `frame` and gives every frame of its stream to `onFrame`. `onEnd` is called once: with "" after the
 * terminal frame, else with what went wrong. Returns a function that cancels.
 */
export function openStream(frame, onFrame, onEnd) {
  const socket = new WebSocket(websocketUrl(STREAM_PATH), subprotocols());
  const state = { opened: false, ended: false, cancelling: false };

  socket.addEventListener("open", () => {
    state.opened = true;
    socket.send(JSON.stringify(frame));
  });
  socket.addEventListener("message", ({ data }) => {
    const received = JSON.parse(data);
    onFrame(received);
    if (received.kind === "control") state.cancelling &&= !received.end_stream;
    else if (received.end_stream) state.ended = true;
    if (state.ended && !state.cancelling) socket.close();
  });
  socket.addEventListener("close", ({ code }) => onEnd(state.ended ? "" : reason(state.opened, code)));

  return (why) => {
    if (socket.readyState !== WebSocket.OPEN) return socket.close();
    state.cancelling = true;
    const { header, stream_id } = frame;
    return socket.send(JSON.stringify({ header: { ...header, message_id: newId() }, stream_id, kind: "control",
      payload: { action: "cancel", reason: why } }));
  };
}

function reason(opened, code) {
  if (opened) return `The connection was closed (${code}) before the stream ended.`;
  return authenticates ? "The connection was refused: is the token accepted?" : "The server does not answer.";
}

/** A UUID; crypto.randomUUID exists on secure origins only, and a gateway is often tried without TLS. */
export function newId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}
