// The panels that only an administrator sees, asked for as long as the caller has the right.

import { call } from "./api.js";
import { missing, onCallerChange } from "./caller.js";

const ADMIN = "mig:admin";

/**
 * A task for `poll`: GET of `path()` for `show(body, needs)`. What a refusal asks for is said in one line,
 * and not asked again until the caller is another.
 */
export function adminPanel(path, show) {
  let refused = "";
  onCallerChange(() => { refused = ""; });

  return async () => {
    const needs = missing(ADMIN) || refused;
    if (needs) return show(null, needs);
    const answer = await call("GET", path());
    if (answer.ok) return show(answer.body, "");
    if (answer.status === 401 || answer.status === 403) refused = advice(answer);
    return show(null, refused || `${answer.fault.code} ${answer.fault.message}`.trim());
  };
}

function advice({ status, fault }) {
  if (status === 403) return `Needs a token with the scope ${ADMIN}.`;
  return `Needs another token: ${fault.message}.`;
}
