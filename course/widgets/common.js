// Shared by every widget: palette, theme, a few elements, a little arithmetic. No widget lives here.

/** Okabe and Ito's palette: told apart by people with any common colour blindness. */
export const PALETTE = ["#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#F0E442", "#000000"];

/** @returns {boolean} whether the page is dark */
export function isDark() {
  const lab = document.body?.dataset?.jpThemeLight;
  if (lab !== undefined) return lab === "false";
  return matchMedia("(prefers-color-scheme: dark)").matches;
}

/** Call back when the page's theme changes. @param {() => void} f @returns {() => void} stop listening */
export function onTheme(f) {
  const observer = new MutationObserver(f);
  observer.observe(document.body, { attributes: true, attributeFilter: ["data-jp-theme-light", "data-jp-theme-name"] });
  const media = matchMedia("(prefers-color-scheme: dark)");
  media.addEventListener("change", f);
  return () => { observer.disconnect(); media.removeEventListener("change", f); };
}

/** An element with attributes and children: h("label", {class: "x"}, "text", node).
 *  Text always goes in as text, never as markup.
 *  @param {string} tag @param {Object<string, any>} attributes @param {...(Node|string)} children */
export const h = (tag, attributes = {}, ...children) => furnish(document.createElement(tag), attributes, children);

/** The same for SVG: svg("circle", {cx: 1, cy: 2, r: 3}). */
export const svg = (tag, attributes = {}, ...children) =>
  furnish(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);

function furnish(e, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) e.addEventListener(name.slice(2), value);
    else if (value === true) e.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) e.setAttribute(name, value);
  }
  e.append(...children);
  return e;
}

/** Text and nodes with the k of d_k and the Q of W_Q set below the line; other underscores (in a token) stay.
 *  @param {string} text @returns {(Node|string)[]} */
export const subscripts = text => text.split(/(?<=\b[dW])_([kQKV])\b/).map((part, i) => (i % 2 ? h("sub", {}, part) : part));

/** A widget's outermost element. Keys pressed inside it are its own: JupyterLab's one-key commands stay out.
 *  (Their selectors are tried on the focused element before any other, so that is what has to carry the mark.)
 *  @param {string} name class of its own @param {string} label read out by screen readers */
export const frame = (name, label, ...children) =>
  h("section", { class: `cw ${name}`, role: "group", "aria-label": label,
                 onfocusin: ({ target }) => target.setAttribute("data-lm-suppress-shortcuts", "true") }, ...children);

/** f, called at most once per painted frame however often it is asked for. @param {() => void} f */
export function oncePerFrame(f) {
  let asked = false;
  return () => {
    if (asked) return;
    asked = true;
    requestAnimationFrame(() => { asked = false; f(); });
  };
}

/** Put values into a sentence: fill("{a} of {b}", {a: 1, b: 2}) is "1 of 2".
 *  @param {string} sentence @param {Object<string, any>} values */
export const fill = (sentence, values) => sentence.replace(/\{(\w+)\}/g, (_, name) => values[name]);

/** A number for people: a true minus sign, never "-0". @param {number} x @param {number} digits */
export const fixed = (x, digits = 2) => (Number(x.toFixed(digits)) || 0).toFixed(digits).replace("-", "\u2212");

/** The same without trailing zeros: 4, 0.5, 2.31. @param {number} x @param {number} digits */
export const tidy = (x, digits = 2) => String(Number(x.toFixed(digits)) || 0).replace("-", "\u2212");

/** Call f when any of these traits changes. @returns {() => void} stop listening */
export function watch(model, names, f) {
  for (const name of names) model.on(`change:${name}`, f);
  return () => { for (const name of names) model.off(`change:${name}`, f); };
}

/** Arrow keys, Home and End walk over a row of elements, or over a grid of so many columns; Tab reaches one of them.
 *  @param {HTMLElement[]} items
 *  @param {{columns?: number, enter?: number, move?: (i: number) => void}} o move is called with the item that has the focus
 *  @returns {(i: number) => void} make another item the one that Tab reaches */
export function roving(items, { columns = items.length, enter = 0, move = () => {} } = {}) {
  const open = i => items.forEach((e, j) => e.setAttribute("tabindex", i === j ? 0 : -1));
  items.forEach((e, i) => {
    const row = i - i % columns;
    const next = { ArrowLeft: i - 1, ArrowRight: i + 1, ArrowUp: i - columns, ArrowDown: i + columns,
                   Home: row, End: row + columns - 1 };
    e.addEventListener("focus", () => { open(i); move(i); });
    e.addEventListener("keydown", event => {
      if (!(event.key in next)) return;
      event.preventDefault();
      items[next[event.key]]?.focus();
    });
  });
  open(enter);
  return open;
}

/** An id that no other element of the page has, also where several widgets each carry a copy of this file. */
export const newId = () => `cw-${Math.random().toString(36).slice(2)}`;

/** A labelled range input with its value shown.
 *  @param {{label: string, min: number, max: number, step?: number, value: number,
 *           format?: (x: number) => string, change: (x: number) => void}} o */
export function slider({ label, min, max, step = 1, value, format = String, change }) {
  const id = newId();
  const output = h("output", { for: id }, format(value));
  const input = h("input", { type: "range", id, min, max, step, value });
  input.setAttribute("aria-valuetext", format(value));
  input.addEventListener("input", () => {
    const x = Number(input.value);
    output.textContent = format(x);
    input.setAttribute("aria-valuetext", format(x));
    change(x);
  });
  const root = h("div", { class: "cw-control" }, h("label", { for: id }, label), input, output);
  return { root, input, set(x) { input.value = x; output.textContent = format(x); input.setAttribute("aria-valuetext", format(x)); } };
}

/** softmax over an array; entries of -Infinity get 0, and a row with nothing else gets all zeros.
 *  @param {ArrayLike<number>} scores @returns {number[]} */
export function softmax(scores) {
  const top = Math.max(...scores);
  if (top === -Infinity) return Array.from(scores, () => 0);
  const e = Array.from(scores, s => Math.exp(s - top));
  const sum = e.reduce((a, b) => a + b, 0);
  return e.map(x => x / sum);
}
