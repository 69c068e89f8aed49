// A textarea with a JSON object in it.

import { parsed } from "./api.js";
import { byId, setText } from "./dom.js";

/** The object in the textarea; null, with the reason shown under it, where there is none. */
export function objectIn(textarea) {
  const reason = fault(textarea.value);
  setText(byId(`${textarea.id}-error`), reason);
  textarea.setAttribute("aria-invalid", String(reason !== ""));
  return reason ? null : JSON.parse(textarea.value);
}

/** The object for a command that is shown while it is still being typed. */
export function draftIn(textarea) {
  const value = parsed(textarea.value);
  return isObject(value) ? value : {};
}

const isObject = (value) => typeof value === "object" && value !== null && !Array.isArray(value);

function fault(text) {
  try {
    return isObject(JSON.parse(text)) ? "" : "The payload must be a JSON object.";
  } catch (error) {
    return `Not JSON: ${error.message}`;
  }
}
