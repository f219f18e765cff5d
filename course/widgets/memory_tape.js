// What training keeps, layer by layer, and what reversible layers work out again with a small error.
import { fill, fixed, frame, h, newId, oncePerFrame, slider, svg, watch } from "./common.js";

const W = 640, ROW = 22, TOP = 24, LEFT = 70, BAR = 200, RIGHT = 300;
const text = (x, y, content, attributes = {}) => svg("text", { x, y, ...attributes }, content);

/** A number for people, however small: 0.35, 3.2 · 10⁻⁵. @param {number} x */
export function power(x) {
  if (x >= 0.01 && x < 1000) return x < 10 ? fixed(x) : fixed(x, 0);
  let e = Math.floor(Math.log10(x));
  if ((x / 10 ** e).toFixed(1) === "10.0") e += 1;
  return `${fixed(x / 10 ** e, 1)} · 10${String(e).replace(/./g, c => ({ "-": "⁻" })[c] ?? "⁰¹²³⁴⁵⁶⁷⁸⁹"[c])}`;
}

/** The numbers of the sentence. @param {{stored: number[], reversible: number[], errors: Object}} measured */
export function facts(measured, depth, dtype) {
  const [stored, reversible] = [measured.stored[depth - 1], measured.reversible[depth - 1]], round = x => Math.floor(x + 0.5);
  return { depth, dtype, stored: round(stored / 1000), reversible: round(reversible / 1000), times: round(stored / reversible), error: power(measured.errors[dtype][depth - 1][0]) };
}

/** What each layer adds to what is kept as usual. @param {number[]} stored by depth */
export const each = stored => stored.map((bytes, i) => bytes - (i ? stored[i - 1] : 0));

function tape(words, deepest, name) {
  const body = svg("g"), root = svg("svg", { role: "group", "aria-label": name }, body);
  const draw = (measured, depth, dtype) => {
    const height = TOP + (depth + 1) * ROW + 8, shares = each(measured.stored), errors = measured.errors[dtype][depth - 1], most = Math.max(...shares);
    root.setAttribute("viewBox", `0 0 ${W} ${height}`);
    const y = layer => height - 8 - layer * ROW, shade = e => Math.min(1, Math.max(0, (Math.log10(e) + 8) / 8));
    const rows = errors.map((error, i) => svg("g", { role: "img", "aria-label": fill(words.cell, { layer: fill(words.layer, { layer: i + 1 }), kb: fixed(shares[i] / 1000, 0), error: power(error) }) },
      text(LEFT - 8, y(i) - 7, fill(words.layer, { layer: i + 1 }), { "text-anchor": "end" }),
      svg("rect", { class: "stored", x: LEFT, y: y(i + 1) + 2, width: BAR * shares[i] / most, height: ROW - 4 }),
      svg("rect", { class: "again", x: RIGHT, y: y(i + 1) + 2, width: 60, height: ROW - 4 }),
      svg("rect", { class: "wrong", x: RIGHT + 70, y: y(i + 1) + 5, width: 4 + 130 * shade(error), height: ROW - 10 }),
      text(RIGHT + 80 + 130 * shade(error), y(i) - 7, power(error))));
    const kept = svg("g", {}, svg("rect", { class: "kept", x: RIGHT, y: y(depth + 1) + 2, width: 60, height: ROW - 4 }), text(RIGHT + 70, y(depth) - 7, words.out));
    const heads = [text(LEFT, 14, words.stored, { class: "head" }), text(RIGHT, 14, words.reversible, { class: "head" }), text(RIGHT + 130, 14, words.error)];
    body.replaceChildren(...heads, ...rows, kept);
  };
  return { root, draw };
}

function render({ model, el }) {
  const words = model.get("words"), measured = model.get("measured"), deepest = model.get("deepest");
  const set = (name, value) => { model.set(name, value); model.save_changes(); };
  const depth = slider({ label: words.depth, min: 1, max: deepest, value: model.get("depth"), change: v => set("depth", v) });
  const id = newId(), kind = h("select", { id, onchange: () => set("dtype", kind.value) }, ...model.get("dtypes").map(name => h("option", { value: name }, name)));
  const says = h("p", { class: "says", role: "status" }), picture = tape(words, deepest, words.title);
  const draw = oncePerFrame(() => {
    const now = facts(measured, model.get("depth"), model.get("dtype"));
    depth.set(now.depth);
    kind.value = now.dtype;
    says.textContent = fill(words.says, now);
    picture.draw(measured, now.depth, now.dtype);
  });
  const stop = watch(model, ["depth", "dtype"], draw);
  el.append(frame("cw-tape", words.title, h("div", { class: "cw-controls" }, depth.root, h("div", { class: "cw-control" }, h("label", { for: id }, words.dtype), kind)), says, picture.root,
    h("p", { class: "cw-note" }, fill(words.note, model.get("sizes")))));
  draw();
  return stop;
}

export default { render };
