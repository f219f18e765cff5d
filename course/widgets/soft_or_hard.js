// Soft or hard attention: the weights over a scene, and estimates of a gradient that sampling has cut.
import { linear } from "./chart.js";
import { fill, fixed, frame, h, oncePerFrame, slider, softmax, svg, tidy, watch } from "./common.js";

export const ESTIMATES = 120;
const S = 300, W = 430, H = 320, LEFT = 54, RIGHT = 14, TOP = 12, BOTTOM = 40;

/** Random numbers from 0 to 1 that a seed gives again (mulberry32). @param {number} seed @returns {() => number} */
export function random(seed) {
  let a = seed >>> 0;
  return () => {
    a = (a + 0x6d2b79f5) >>> 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** p ∘ (r − Σ p r): the gradient that the estimates are of. */
export function exactGradient(p, rewards) {
  const mean = p.reduce((sum, w, k) => sum + w * rewards[k], 0);
  return p.map((w, k) => w * (rewards[k] - mean));
}

/** The score-function estimate from these looks, for every cell. @param {number[]} p @param {number[]} cells */
export function estimate(p, cells, rewards, baseline) {
  const n = cells.length, earned = cells.map(k => rewards[k]), total = earned.reduce((a, b) => a + b, 0), found = p.map(() => 0);
  cells.forEach((k, i) => {
    const r = (baseline ? earned[i] - (total - earned[i]) / (n - 1) : earned[i]) / n;
    p.forEach((w, j) => { found[j] += r * ((j === k ? 1 : 0) - w); });
  });
  return found;
}

/** One of the cells, with the probabilities p. */
export function drawn(p, u) {
  let sum = 0;
  for (let k = 0; k < p.length; k++) { sum += p[k]; if (u < sum) return k; }
  return p.length - 1;
}

/** The root of the mean squared distance of points from their mean. @param {number[][]} points */
export function spread(points) {
  const mean = [0, 1].map(i => points.reduce((sum, p) => sum + p[i], 0) / points.length);
  return Math.sqrt(points.reduce((sum, p) => sum + (p[0] - mean[0]) ** 2 + (p[1] - mean[1]) ** 2, 0) / points.length);
}

/** Everything that is drawn, from the traits. */
export function numbers({ scores, rewards, pair, temperature, looks, seed }) {
  const p = softmax(scores.map(s => s / temperature)), chance = random(seed);
  const draws = Array.from({ length: ESTIMATES }, () => Array.from({ length: looks }, () => drawn(p, chance())));
  const clouds = [false, true].map(baseline => draws.map(cells => { const g = estimate(p, cells, rewards, baseline); return pair.map(k => g[k]); }));
  const exact = exactGradient(p, rewards);
  return { p, exact: pair.map(k => exact[k]), without: clouds[0], with: clouds[1] };
}

const text = (x, y, content, attributes = {}) => svg("text", { x, y, "text-anchor": "middle", ...attributes }, content);

function scene(words, picture, n, pair) {
  const side = Math.round(Math.sqrt(n)), cell = S / side;
  const image = svg("image", { href: `data:image/png;base64,${picture}`, width: S, height: S, style: "image-rendering: pixelated" });
  const veils = Array.from({ length: n }, (_, k) => svg("rect", { x: (k % side) * cell, y: Math.floor(k / side) * cell, width: cell + 0.3, height: cell + 0.3, class: "veil" }));
  const marks = pair.flatMap((k, i) => { const x = (k % side + 0.5) * cell, y = (Math.floor(k / side) + 0.5) * cell;
    return [svg("circle", { cx: x, cy: y, r: 10, class: "mark" }), text(x, y + 4.5, "AB"[i], { class: "letter" })]; });
  const root = svg("svg", { viewBox: `0 0 ${S} ${S}`, role: "img" }, image, ...veils, ...marks);
  const draw = p => {
    const most = Math.max(...p), best = p.indexOf(most);
    veils.forEach((veil, k) => veil.setAttribute("fill-opacity", (0.8 * (1 - Math.sqrt(p[k] / most))).toFixed(3)));
    root.setAttribute("aria-label", `${words.scene}. ${fill(words.cell, { row: Math.floor(best / side) + 1, column: best % side + 1, weight: fixed(most) })}`);
  };
  return { root: h("figure", { class: "scene" }, h("figcaption", {}, words.scene), root), draw };
}

function cloud(words) {
  const dots = ["without", "with"].map(name => Array.from({ length: ESTIMATES }, () =>
    name === "with" ? svg("path", { d: "M0 -4L3.6 3H-3.6Z", class: name }) : svg("circle", { r: 3, class: name })));
  const axes = svg("g", { class: "axes" }), cross = svg("path", { d: "M-9 0H9M0 -9V9", class: "exact" }), square = svg("rect", { x: -5, y: -5, width: 10, height: 10, class: "argmax" });
  const root = svg("svg", { viewBox: `0 0 ${W} ${H}`, role: "img", "aria-label": words.cloud }, axes, ...dots.flat(), square, cross,
    text((LEFT + W - RIGHT) / 2, H - 6, words.x), text(14, (TOP + H - BOTTOM) / 2, words.y, { transform: `rotate(-90 14 ${(TOP + H - BOTTOM) / 2})` }));
  const draw = found => {
    const points = [...found.without, ...found.with, found.exact, [0, 0]], reach = 1.1 * Math.max(1e-6, ...points.flat().map(Math.abs));
    const x = linear(-reach, reach, LEFT, W - RIGHT), y = linear(-reach, reach, H - BOTTOM, TOP), half = Number((reach / 2).toPrecision(1));
    const put = (e, [a, b]) => e.setAttribute("transform", `translate(${x(a).toFixed(1)} ${y(b).toFixed(1)})`);
    dots.forEach((of, i) => of.forEach((dot, j) => put(dot, found[["without", "with"][i]][j])));
    put(cross, found.exact);
    put(square, [0, 0]);
    axes.replaceChildren(svg("line", { x1: LEFT, x2: W - RIGHT, y1: y(0), y2: y(0) }), svg("line", { x1: x(0), x2: x(0), y1: TOP, y2: H - BOTTOM }),
      ...[-half, half].flatMap(v => [text(x(v), H - BOTTOM + 15, tidy(v, 4)), text(LEFT - 5, y(v) + 4, tidy(v, 4), { "text-anchor": "end" })]));
  };
  const key = h("p", { class: "legend" }, ...["without", "with", "exact", "argmax"].map(name => h("span", { class: name }, { without: "●", with: "▲", exact: "+", argmax: "□" }[name], " ", words[name])));
  return { root: h("figure", { class: "cloud" }, h("figcaption", {}, words.cloud), root, key), draw };
}

function render({ model, el }) {
  const words = model.get("words"), set = (name, value) => { model.set(name, value); model.save_changes(); };
  const traits = () => Object.fromEntries(["scores", "rewards", "pair", "temperature", "looks", "seed"].map(name => [name, model.get(name)]));
  const heat = slider({ label: words.temperature, min: 0.1, max: 5, step: 0.1, value: model.get("temperature"), format: v => fixed(v, 1), change: v => set("temperature", v) });
  const looks = slider({ label: words.looks, min: 2, max: 64, value: model.get("looks"), change: v => set("looks", v) });
  const anew = h("button", { type: "button", onclick: () => set("seed", model.get("seed") + 1) }, words.again);
  const left = scene(words, model.get("picture"), model.get("scores").length, model.get("pair")), right = cloud(words);
  const says = h("p", { class: "says", role: "status" });
  const draw = oncePerFrame(() => {
    const now = traits(), found = numbers(now);
    heat.set(now.temperature);
    looks.set(now.looks);
    left.draw(found.p);
    right.draw(found);
    const signed = v => (v < 0 ? fixed(v, 3) : `+${fixed(v, 3)}`);
    says.textContent = fill(words.says, { a: fixed(found.p[now.pair[0]]), b: fixed(found.p[now.pair[1]]), x: signed(found.exact[0]), y: signed(found.exact[1]),
      without: fixed(spread(found.without), 3), with: fixed(spread(found.with), 3) });
  });
  const stop = watch(model, ["temperature", "looks", "seed"], draw);
  el.append(frame("cw-soft-or-hard", words.title, h("div", { class: "cw-controls" }, heat.root, looks.root, anew), says,
    h("div", { class: "row" }, left.root, right.root), h("p", { class: "cw-note" }, words.help)));
  draw();
  return stop;
}

export default { render };
