// A button on each command that puts it on the clipboard, where the browser allows that.

import { element, setText } from "./dom.js";

const SAID_MS = 1500;

export function startCopying() {
  if (!navigator.clipboard) return; // not a secure origin: the command can be selected by hand
  for (const command of document.querySelectorAll(".command")) {
    const button = element("button", { type: "button", class: "copy", "aria-label": `Copy ${command.ariaLabel}` }, "Copy");
    button.addEventListener("click", () => copy(command, button));
    const frame = element("div", { class: "copyable" });
    command.replaceWith(frame);
    frame.append(command, button);
  }
}

async function copy(command, button) {
  const copied = await navigator.clipboard.writeText(command.textContent).then(() => true, () => false);
  setText(button, copied ? "Copied" : "Not allowed");
  setTimeout(() => setText(button, "Copy"), SAID_MS);
}
