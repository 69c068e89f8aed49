// Elements, made from values only: nothing here, or anywhere in the console, turns text into markup.

export const byId = (id) => document.getElementById(id);

/** An element with attributes and children; a string child is text, null and false are left out. */
export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === true) made.setAttribute(name, "");
    else if (value !== false && value != null) made.setAttribute(name, value);
  }
  made.append(...children.flat(Infinity).filter((child) => child != null && child !== false));
  return made;
}

/** Sets the text only when it differs, so that a selection in it survives the next poll. */
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/**
 * Makes the children of `parent` those of `rows`, each [key, create, update]: a row that stays keeps its
 * element, and with it focus and selection.
 */
export function keyed(parent, rows) {
  const old = new Map([...parent.children].map((child) => [child.dataset.key, child]));
  const wanted = rows.map(([key, create, update]) => {
    const child = old.get(key) ?? create();
    child.dataset.key = key;
    update?.(child);
    return child;
  });
  if (wanted.length !== parent.children.length || wanted.some((child, at) => parent.children[at] !== child)) {
    parent.replaceChildren(...wanted);
  }
}

/** A table whose rows are arrays of cells, each text or [text, class]; hidden, with `empty` shown, when none. */
export function fillTable(table, empty, rows) {
  keyed(table.tBodies[0], rows.map((cells) => [
    cells.map(textOf).slice(0, 2).join("\n"),
    () => element("tr", {}, cells.map((cell) => element("td", { class: classOf(cell) }))),
    (row) => cells.forEach((cell, at) => setText(row.cells[at], textOf(cell))),
  ]));
  table.hidden = rows.length === 0;
  empty.hidden = rows.length > 0;
}

const textOf = (cell) => (Array.isArray(cell) ? cell[0] : cell);
const classOf = (cell) => (Array.isArray(cell) ? cell[1] : null);
