// The differentiable dictionary: drag a query among the keys; a temperature turns look-up into average.
import { fill, fixed, frame, h, oncePerFrame, slider, softmax, svg, tidy, watch } from "./common.js";

/** What course.attention.soft_lookup computes, for one query.
 *  @param {number[]} query @param {number[][]} keys @param {number[][]} values @param {number} temperature 0: argmax
 *  @returns {{scores: number[], weights: number[], output: number[]}} */
export function lookUp(query, keys, values, temperature) {
  const scores = keys.map(key => key.reduce((sum, k, c) => sum + k * query[c], 0));
  const best = scores.indexOf(Math.max(...scores));
  const weights = temperature === 0 ? scores.map((_, i) => Number(i === best)) : softmax(scores.map(s => s / temperature));
  const output = values[0].map((_, c) => values.reduce((sum, v, i) => sum + weights[i] * v[c], 0));
  return { scores, weights, output };
}

// The slider's positions: 0 is the look-up itself, then 50 steps a power of ten from 0.01 to 10.
export const LAST = 151;
export const temperatureAt = position => (position === 0 ? 0 : 10 ** (-2 + (position - 1) / 50));
export const positionOf = temperature =>
  temperature === 0 ? 0 : Math.min(LAST, Math.max(1, Math.round(50 * (Math.log10(temperature) + 2)) + 1));

/** A value or an output as text: 13.2, or (1, 0.5). @param {number[]} v */
export const vector = v => (v.length === 1 ? tidy(v[0]) : `(${v.map(x => tidy(x)).join(", ")})`);

/** The weighted sum written out: 0.71 · 10 + 0.29 · 20 = 12.9. */
export const writtenOut = (weights, values, output) =>
  `${weights.map((w, i) => `${fixed(w)} · ${vector(values[i])}`).join(" + ")} = ${vector(output)}`;

/** Half the width of the square that holds all keys and the query. */
export const reach = points => 1.25 * Math.max(1e-6, ...points.flat().map(Math.abs));

/** For each key the directions in which it is the best match, as arcs [from, to] in radians, none for a key that never is.
 *  The score grows with a query's length for all keys alike, so only its direction decides.
 *  @param {number[][]} keys @returns {{key: number, from: number, to: number}[]} */
export function sectors(keys, steps = 720) {
  const best = Array.from({ length: steps }, (_, i) => {
    const a = 2 * Math.PI * (i + 0.5) / steps, scores = keys.map(k => k[0] * Math.cos(a) + k[1] * Math.sin(a));
    return scores.indexOf(Math.max(...scores));
  });
  const out = [];
  for (let i = 0; i < steps; i++)
    if (i && best[i] === best[i - 1]) out.at(-1).to = 2 * Math.PI * (i + 1) / steps;
    else out.push({ key: best[i], from: 2 * Math.PI * i / steps, to: 2 * Math.PI * (i + 1) / steps });
  return out;
}

const SIZE = 360;

function plane(keys, labels, query, words, move) {
  const half = reach([...keys, query]), step = half / 50;
  const at = ([x, y]) => [SIZE / 2 * (1 + x / half), SIZE / 2 * (1 - y / half)];
  const clamp = x => Math.round(Math.max(-half, Math.min(half, x)) * 100) / 100;
  const wedge = ({ key, from, to }) => {
    const turns = Math.max(1, Math.ceil((to - from) / 0.2)), corner = i => from + (to - from) * i / turns;
    const rim = Array.from({ length: turns + 1 }, (_, i) => at([2 * half * Math.cos(corner(i)), 2 * half * Math.sin(corner(i))]).join(" "));
    return svg("path", { d: `M${SIZE / 2} ${SIZE / 2} L${rim.join(" L")} Z`, class: `region r${key % 4}` });
  };
  const halos = keys.map(k => svg("circle", { cx: at(k)[0], cy: at(k)[1], r: 0, class: "halo" }));
  const points = keys.map((k, i) => {
    const [x, y] = at(k), right = x < SIZE * 0.8;
    return svg("g", { class: "key" }, svg("circle", { cx: x, cy: y, r: 4 }),
      svg("text", { x: x + (right ? 9 : -9), y: y + 4, "text-anchor": right ? "start" : "end" }, labels[i]));
  });
  const shaft = svg("line", { x1: SIZE / 2, y1: SIZE / 2, class: "shaft" });
  const handle = svg("g", { class: "handle", tabindex: 0, role: "application", "aria-roledescription": words.handle },
    svg("circle", { r: 15, class: "grip" }), svg("path", { d: "M9 0 L-7 6.5 L-7 -6.5 Z" }), svg("text", { y: -14, "text-anchor": "middle" }, "q"));
  const axis = (x1, y1, x2, y2) => svg("line", { x1, y1, x2, y2, class: "axis" });
  const root = svg("svg", { viewBox: `0 0 ${SIZE} ${SIZE}`, class: "plane" }, ...sectors(keys).map(wedge), axis(0, SIZE / 2, SIZE, SIZE / 2),
    axis(SIZE / 2, 0, SIZE / 2, SIZE), ...halos, ...points, shaft, handle);
  const follow = event => {
    const box = root.getBoundingClientRect();
    move([clamp(half * (2 * (event.clientX - box.left) / box.width - 1)), clamp(half * (1 - 2 * (event.clientY - box.top) / box.height))]);
  };
  root.addEventListener("pointerdown", event => {
    event.preventDefault();
    root.setPointerCapture(event.pointerId);
    handle.focus();
    follow(event);
  });
  root.addEventListener("pointermove", event => { if (root.hasPointerCapture(event.pointerId)) follow(event); });
  const keysOf = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
  let now = query;
  handle.addEventListener("keydown", event => {
    const by = keysOf[event.key];
    if (!by) return;
    event.preventDefault();
    now = now.map((x, c) => clamp(x + by[c] * step * (event.shiftKey ? 5 : 1)));  // the next key may come before the next frame
    move(now);
  });
  const draw = (q, weights) => {
    now = q;
    const [x, y] = at(q), turn = Math.atan2(-q[1], q[0]) * 180 / Math.PI;
    shaft.setAttribute("x2", x);
    shaft.setAttribute("y2", y);
    handle.setAttribute("transform", `translate(${x} ${y})`);
    handle.children[1].setAttribute("transform", `rotate(${turn})`);
    handle.setAttribute("aria-label", fill(words.query, { query: vector(q) }));
    halos.forEach((c, i) => c.setAttribute("r", 34 * Math.sqrt(weights[i])));
  };
  return { root, draw };
}

function table(keys, values, labels, words) {
  const rows = labels.map((label, i) => {
    const [score, share, bar] = [h("td"), h("td", { class: "weight" }), h("div", { class: "bar" })];
    const root = h("tr", {}, h("th", { scope: "row", title: label }, label), h("td", {}, vector(keys[i])), score,
      share, h("td", {}, bar), h("td", {}, vector(values[i])));
    return { root, score, share, bar };
  });
  const heads = words.columns.map((text, i) => h("th", { scope: "col", ...(i === 3 ? { colspan: 2 } : {}) }, text));
  const root = h("table", {}, h("thead", {}, h("tr", {}, ...heads)), h("tbody", {}, ...rows.map(r => r.root)));
  const draw = (scores, weights) => rows.forEach((row, i) => {
    row.score.textContent = fixed(scores[i]);
    row.share.textContent = fixed(weights[i]);
    row.bar.style.width = `${100 * weights[i]}%`;
  });
  return { root, draw };
}

/** What the picture shows, in one sentence. */
export function sentence({ weights, output }, labels, temperature, words) {
  const best = weights.indexOf(Math.max(...weights)), n = weights.length;
  const values = { key: labels[best], output: vector(output), percent: fixed(100 * weights[best], 0) };
  if (temperature === 0) return fill(words.hard, values);
  return fill(Math.max(...weights) < 1.15 / n ? words.average : words.soft, values);
}

function render({ model, el }) {
  const [keys, values, labels, words] = ["key_points", "values", "labels", "words"].map(name => model.get(name));
  const set = (name, value) => { model.set(name, value); model.save_changes(); };
  const heat = slider({
    label: words.temperature, min: 0, max: LAST, value: positionOf(model.get("temperature")),
    format: p => (p === 0 ? words.look_up : `T = ${tidy(temperatureAt(p), p < 101 ? 3 : 2)}`),
    change: p => set("temperature", temperatureAt(p)),
  });
  const picture = plane(keys, labels, model.get("query"), words, query => set("query", query));
  const numbers = table(keys, values, labels, words);
  const [formula, sum, says] = [h("p", { class: "cw-number" }), h("p", { class: "cw-number" }), h("p", { role: "status", class: "says" })];
  const draw = oncePerFrame(() => {
    const query = model.get("query"), temperature = model.get("temperature");
    const found = lookUp(query, keys, values, temperature);
    const list = x => `[${x.map(s => fixed(s)).join(", ")}]`;
    picture.draw(query, found.weights);
    numbers.draw(found.scores, found.weights);
    formula.textContent = temperature === 0
      ? `${words.weights} = argmax(q · k) = argmax${list(found.scores)} = ${list(found.weights)}`
      : `${words.weights} = softmax(q · k / T) = softmax(${list(found.scores)} / ${tidy(temperature, 3)}) = ${list(found.weights)}`;
    sum.textContent = `${words.output} = ${writtenOut(found.weights, values, found.output)}`;
    says.textContent = sentence(found, labels, temperature, words);
  });
  const follow = () => { heat.set(positionOf(model.get("temperature"))); draw(); };
  const stops = [watch(model, ["query"], draw), watch(model, ["temperature"], follow)];
  el.append(frame("cw-dictionary", words.title, h("div", { class: "cw-controls" }, heat.root, h("span", { class: "cw-note" }, words.help)),
    h("div", { class: "columns" }, picture.root, h("div", { class: "numbers" }, numbers.root, formula, sum, says))));
  draw();
  return () => stops.forEach(stop => stop());
}

export default { render };
