// Who is calling: tenant and token, for this tab only, and sent in header fields, never in a URL.

import { byId } from "./dom.js";

const DEFAULT_TENANT = "acme";
const TENANT = /^[A-Za-z0-9_-]{1,64}$/;
const VISIBLE = /^[!-~]+$/;

export const authenticates = document.body.dataset.authMode === "jwt";

const changed = new EventTarget();
const form = byId("caller");

function kept(name) {
  try {
    return sessionStorage.getItem(`migd.${name}`);
  } catch {
    return null; // storage is switched off: what is typed lasts as long as the page
  }
}

function keep(name, value) {
  try {
    sessionStorage.setItem(`migd.${name}`, value);
  } catch {
    // as above
  }
}

export const tenant = () => (TENANT.test(form.tenant.value) ? form.tenant.value : "");

/** The bare token, whether or not it was pasted with its scheme. */
export function token() {
  const bare = form.token.value.trim().replace(/^bearer\s+/i, "");
  return VISIBLE.test(bare) ? bare : "";
}

export function credentials() {
  const fields = {};
  if (tenant()) fields["X-Tenant-ID"] = tenant();
  if (token()) fields.Authorization = `Bearer ${token()}`;
  return fields;
}

/** Whether calls can be made at all: this server wants a token, or a tenant. */
export const identified = () => (authenticates ? token() !== "" : tenant() !== "");

/** What to do first, in one line; empty once the caller is identified. */
export function missing(scope = "") {
  if (identified()) return "";
  if (authenticates) return `Needs a bearer token${scope && ` with the scope ${scope}`}: paste one above.`;
  return "Needs a tenant: type one above, of A-Z a-z 0-9 _ -.";
}

export const onCallerChange = (listener) => changed.addEventListener("change", listener);

export function startCaller() {
  form.tenant.value = kept("tenant") ?? (authenticates ? "" : DEFAULT_TENANT);
  form.token.value = kept("token") ?? "";
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("change", () => {
    keep("tenant", form.tenant.value);
    keep("token", form.token.value);
    changed.dispatchEvent(new Event("change"));
  });
}
