// Luong's local-p window: a softmax inside it, a Gaussian over it, and a sum that stays below one.
import { linear, path } from "./chart.js";
import { fill, fixed, frame, h, oncePerFrame, slider, softmax, svg, tidy, watch } from "./common.js";

const W = 640, H = 250, LEFT = 40, RIGHT = 14, TOP = 16, BOTTOM = 50;
const BARS = ["softmax", "weights", "again"];

/** The Gaussian about p, with σ = D/2. */
export const bell = (s, p, d) => Math.exp(-((s - p) ** 2) / (2 * (d / 2) ** 2));

/** Each word's softmax inside [p − D, p + D], that times the Gaussian, and that made to sum to one.
 *  @param {number[]} scores @param {number} p @param {number} d */
export function localP(scores, p, d) {
  const inside = softmax(scores.map((score, s) => (Math.abs(s - p) <= d ? score : -Infinity)));
  const weights = inside.map((w, s) => w * bell(s, p, d)), sum = weights.reduce((a, b) => a + b, 0);
  return { softmax: inside, weights, again: weights.map(w => w / Math.max(sum, 1e-12)), sum };
}

const short = word => (word.length > 12 ? `${word.slice(0, 11)}…` : word);
const text = (x, y, content, attributes = {}) => svg("text", { x, y, "text-anchor": "middle", ...attributes }, content);

function chart(words, n, names) {
  const x = linear(-0.6, n - 0.4, LEFT, W - RIGHT), y = linear(0, 1, H - BOTTOM, TOP), width = (x(1) - x(0)) * 0.26;
  const shade = svg("rect", { class: "shade", y: TOP, height: H - BOTTOM - TOP });
  const curve = svg("path", { class: "bell" }), here = svg("line", { class: "here", y1: TOP, y2: H - BOTTOM });
  const rects = names.map((_, s) => BARS.map((name, i) => svg("rect", { class: name, width: width * 0.92, x: x(s) + (i - 1.5) * width })));
  const groups = names.map((_, s) => svg("g", { role: "img" }, ...rects[s]));
  const scale = [0, 0.5, 1].flatMap(v => [svg("line", { x1: LEFT, x2: W - RIGHT, y1: y(v), y2: y(v), class: "axis" }), text(LEFT - 6, y(v) + 4, tidy(v), { "text-anchor": "end" })]);
  const tilt = n > 9;
  const under = names.map((word, s) => text(x(s), H - BOTTOM + 16, short(word), tilt ? { transform: `rotate(28 ${x(s)} ${H - BOTTOM + 16})`, "text-anchor": "start" } : {}));
  const root = svg("svg", { viewBox: `0 0 ${W} ${H}`, role: "group" }, shade, ...scale, ...groups, curve, here, ...under);
  const draw = (found, p, d) => {
    const [a, b] = [Math.max(x(p - d), LEFT), Math.min(x(p + d), W - RIGHT)];
    shade.setAttribute("x", a);
    shade.setAttribute("width", Math.max(0, b - a));
    for (const end of ["x1", "x2"]) here.setAttribute(end, x(p));
    curve.setAttribute("d", path(Array.from({ length: 121 }, (_, i) => { const s = -0.6 + (n + 0.2) * i / 120; return [x(s), y(bell(s, p, d))]; })));
    rects.forEach((three, s) => {
      three.forEach((rect, i) => { const v = found[BARS[i]][s]; rect.setAttribute("y", y(v)); rect.setAttribute("height", y(0) - y(v)); });
      groups[s].setAttribute("aria-label", fill(words.word, { word: names[s], softmax: fixed(found.softmax[s]), weight: fixed(found.weights[s]), again: fixed(found.again[s]) }));
    });
  };
  return { root, draw };
}

function render({ model, el }) {
  const words = model.get("words"), names = model.get("source"), scores = model.get("scores");
  const set = (name, value) => { model.set(name, value); model.save_changes(); };
  const place = slider({ label: words.place, min: 0, max: names.length - 1, step: 0.05, value: model.get("place"), format: v => fixed(v), change: v => set("place", v) });
  const width = slider({ label: words.half_width, min: 0.5, max: 6, step: 0.5, value: model.get("half_width"), format: v => fixed(v, 1), change: v => set("half_width", v) });
  const picture = chart(words, names.length, names);
  const says = h("p", { class: "says", role: "status" });
  const legend = h("p", { class: "legend" }, ...BARS.map(name => h("span", {}, h("i", { class: name }), words[name])));
  const draw = oncePerFrame(() => {
    const p = model.get("place"), d = model.get("half_width"), found = localP(scores, p, d);
    place.set(p);
    width.set(d);
    picture.draw(found, p, d);
    const best = found.weights.indexOf(Math.max(...found.weights));
    says.textContent = fill(words.says, { low: fixed(p - d), high: fixed(p + d), inside: names.filter((_, s) => Math.abs(s - p) <= d).length,
      n: names.length, sum: fixed(found.sum), best: names[best], most: fixed(found.weights[best]), more: fixed(found.again[best]) });
  });
  const stop = watch(model, ["place", "half_width"], draw);
  el.append(frame("cw-window", words.title, h("div", { class: "cw-controls" }, place.root, width.root), says, legend, picture.root,
    h("p", { class: "cw-note" }, words.help)));
  draw();
  return stop;
}

export default { render };
