// A gradient on its way back through time: one column for each step, on a log scale.
import { linear, path } from "./chart.js";
import { fill, frame, h, newId, oncePerFrame, slider, svg, watch } from "./common.js";

const W = 860, H = 300, LEFT = 66, RIGHT = 18, TOP = 14, BOTTOM = 40;

/** A number for people, however large or small: 0.35, 12, 3.2 · 10⁻⁵. @param {number} x */
export function power(x) {
  if (x >= 0.01 && x < 1000) return x < 10 ? x.toFixed(2) : x.toFixed(0);
  let e = Math.floor(Math.log10(x));
  if ((x / 10 ** e).toFixed(1) === "10.0") e += 1;
  return `${(x / 10 ** e).toFixed(1)} · 10${[...String(e)].map(c => "⁰¹²³⁴⁵⁶⁷⁸⁹"[c] ?? "⁻").join("")}`;
}

/** What clipping multiplies everything by. @param {number[]} norms @param {number|null} clip */
export const factorOf = (norms, clip) => (clip === null ? 1 : Math.min(1, clip / norms.reduce((a, b) => a + b, 0)));

/** Powers of ten from the least to the greatest value, no more than eight of them. @param {number} low @param {number} high */
export function decades(low, high) {
  const every = Math.max(1, Math.ceil((high - low) / 8)), first = Math.ceil(low / every) * every;
  return Array.from({ length: Math.floor((high - first) / every) + 1 }, (_, i) => first + i * every);
}

const raised = e => `10${[...String(e)].map(c => "⁰¹²³⁴⁵⁶⁷⁸⁹"[c] ?? "⁻").join("")}`;

/** The picture; draw(norms, factor, radius) paints it anew. */
function columns(words) {
  const root = svg("svg", { viewBox: `0 0 ${W} ${H}`, role: "img" });
  const text = (x, y, content, attributes = {}) => svg("text", { x, y, ...attributes }, content);
  const draw = (norms, factor, radius) => {
    const n = norms.length - 1, law = norms.map((_, i) => radius ** i);
    const logs = [...norms, ...law, 1].map(Math.log10), clipped = norms.map(x => Math.log10(x * factor));
    const low = Math.min(-1, Math.floor(Math.min(...logs, ...clipped))), high = Math.max(1, Math.ceil(Math.max(...logs)));
    const y = linear(low, high, H - BOTTOM, TOP), x = linear(n, 0, LEFT + 8, W - RIGHT - 8), width = Math.max(1.5, 0.8 * (x(0) - x(1)));
    const bar = (log, i, kind) => svg("rect", { x: x(i) - width / 2, width, y: y(Math.max(0, log)), height: Math.max(1, y(Math.min(0, log)) - y(Math.max(0, log))), class: kind });
    const every = n <= 12 ? 1 : n <= 30 ? 5 : 10;
    root.replaceChildren(
      ...decades(low, high).flatMap(e => [svg("line", { x1: LEFT, x2: W - RIGHT, y1: y(e), y2: y(e), class: e === 0 ? "axis one" : "axis" }),
        text(LEFT - 6, y(e) + 4, raised(e), { "text-anchor": "end" })]),
      ...norms.flatMap((_, i) => (i % every ? [] : [text(x(i), H - BOTTOM + 16, i, { "text-anchor": "middle" })])),
      text((LEFT + W - RIGHT) / 2, H - 4, words.axis, { "text-anchor": "middle" }),
      ...(factor < 1 ? norms.map((v, i) => bar(Math.log10(v), i, "ghost")) : []),
      ...clipped.map((v, i) => bar(v, i, "column")),
      svg("path", { d: path(law.map((v, i) => [x(i), y(Math.log10(v))])), class: "law" }),
      text(x(n) + (n > 4 ? 4 : -4), y(Math.log10(law[n])) + (radius < 1 ? -8 : 16), words.law, { class: "name" }));
  };
  return { root, draw };
}

function choice(label, options, names, change) {
  const id = newId(), select = h("select", { id }, ...options.map(o => h("option", { value: o }, names[o])));
  select.addEventListener("change", () => change(select.value));
  return { root: h("div", { class: "cw-control" }, h("label", { for: id }, label), select), set: value => { select.value = value; } };
}

function render({ model, el }) {
  const [words, radii, kinds, clips, longest] = ["words", "radii", "kinds", "clips", "longest"].map(name => model.get(name));
  const view = model.get("norms"), size = longest + 1;
  const logs = Float32Array.from({ length: view.byteLength / 4 }, (_, i) => view.getFloat32(4 * i, true));
  const set = (name, value) => { model.set(name, value); model.save_changes(); };
  const radius = slider({ label: words.radius, min: 0, max: radii.length - 1, value: radii.indexOf(model.get("radius")),
    format: i => radii[i].toFixed(2), change: i => set("radius", radii[i]) });
  const steps = slider({ label: words.steps, min: 1, max: longest, value: model.get("steps"), change: n => set("steps", n) });
  const clip = slider({ label: words.clip, min: 0, max: clips.length, value: 0, format: i => (i === 0 ? words.off : String(clips[i - 1])),
    change: i => set("clip", i === 0 ? null : clips[i - 1]) });
  const tanh = h("button", { type: "button", onclick: () => set("tanh", !model.get("tanh")) }, words.tanh);
  const matrix = choice(words.matrix, kinds, words.kinds, value => set("matrix", value));
  const picture = columns(words), says = h("p", { class: "says", role: "status" });
  const draw = oncePerFrame(() => {
    const [r, n, c, on, kind] = ["radius", "steps", "clip", "tanh", "matrix"].map(name => model.get(name));
    radius.set(radii.indexOf(r));
    steps.set(n);
    clip.set(c === null ? 0 : clips.indexOf(c) + 1);
    tanh.setAttribute("aria-pressed", on);
    matrix.set(kind);
    const start = ((kinds.indexOf(kind) * 2 + Number(on)) * radii.length + radii.indexOf(r)) * size;
    const norms = Array.from(logs.subarray(start, start + n + 1), x => 10 ** x), factor = factorOf(norms, c);
    const peak = Math.max(...norms);
    const sentence = fill(words.says, { n, radius: String(r), value: power(norms[n]), law: power(r ** n), peak: power(peak), at: norms.indexOf(peak) });
    const more = c === null ? "" : fill(factor < 1 ? words.clipped : words.unclipped, { factor: power(factor), clip: c });
    says.textContent = `${sentence} ${more}`.trim();
    picture.draw(norms, factor, r);
    picture.root.setAttribute("aria-label", says.textContent);
  });
  const stop = watch(model, ["radius", "steps", "clip", "tanh", "matrix"], draw);
  el.append(frame("cw-river", words.title, h("div", { class: "cw-controls" }, radius.root, steps.root, matrix.root, tanh, clip.root), says,
    h("figure", {}, h("figcaption", {}, words.height), picture.root), h("p", { class: "cw-note" }, words.note)));
  draw();
  return stop;
}

export default { render };
