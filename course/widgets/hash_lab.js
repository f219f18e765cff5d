// Locality-sensitive hashing on a circle: random rotations, buckets, sorting, chunks; which neighbours are found.
import { fill, fixed, frame, h, oncePerFrame, slider, svg, watch } from "./common.js";

const HUES = ["#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#8A8A00", "#777777"];
const W = 640, SIZE = 300, R = 118, STRIP = 62;
const percent = share => Math.floor(100 * share + 0.5);

/** The bucket of every point: where [xR; −xR] is largest. @param {number[]} angles in turns @param {number[][]} rotation two rows */
export const hash = (angles, rotation) => angles.map(turn => {
  const [c, s] = [Math.cos(2 * Math.PI * turn), Math.sin(2 * Math.PI * turn)], half = rotation[0].length;
  const turned = rotation[0].map((a, i) => c * a + s * rotation[1][i]);
  let best = 0, top = -Infinity;
  [...turned, ...turned.map(t => -t)].forEach((t, i) => { if (t > top) { top = t; best = i; } });
  return best % (2 * half);
});

/** Points in the order of their buckets, equal ones as they stood. @param {number[]} buckets */
export const sorted = buckets => buckets.map((_, i) => i).sort((a, b) => buckets[a] - buckets[b] || a - b);

/** The nearest others of every point. @param {number[]} angles @param {number} k */
export const neighbours = (angles, k) => angles.map((a, i) => angles
  .map((b, j) => { const d = Math.abs(a - b); return [j === i ? 9 : Math.min(d, 1 - d), j]; })
  .sort((x, y) => x[0] - y[0] || x[1] - y[1]).slice(0, k).map(([, j]) => j));

/** Whom each point looks at: its chunk and the one before. @param {number[]} order @param {number} chunk @returns {boolean[][]} */
export function looks(order, chunk) {
  const number = [];
  order.forEach((i, place) => { number[i] = Math.floor(place / chunk); });
  return number.map(a => number.map(b => b === a || b === a - 1));
}

/** Recall of one round on average, and of all together; and what one point sees. @param {boolean[][][]} rounds */
export function recall(rounds, near, point) {
  const any = (i, j) => rounds.some(seen => seen[i][j]), n = near.length, k = near[0].length;
  const count = test => near.reduce((sum, of, i) => sum + of.filter(j => test(i, j)).length, 0) / (n * k);
  return {
    p: rounds.reduce((sum, seen) => sum + count((i, j) => seen[i][j]), 0) / rounds.length, all: count(any),
    looks: near.filter((_, j) => any(point, j)).length, found: near[point].filter(j => any(point, j)).length,
  };
}

function rotationsOf(model) {
  const view = model.get("rotations"), most = model.get("most"), half = Math.max(...model.get("bucket_choices")) / 2;
  const at = (draw, round, row, i) => view.getFloat32(4 * (((draw * most + round) * 2 + row) * half + i), true);
  return (draw, round, buckets) => [0, 1].map(row => Array.from({ length: buckets / 2 }, (_, i) => at(draw, round, row, i)));
}

function picture(words, angles, choose) {
  const body = svg("g"), root = svg("svg", { viewBox: `0 0 ${W} ${SIZE + STRIP}`, role: "img" }, body);
  const xy = turn => [W / 2 + R * Math.cos(2 * Math.PI * turn), SIZE / 2 - R * Math.sin(2 * Math.PI * turn)];
  const draw = (buckets, order, chunk, point, near, found) => {
    const hue = i => HUES[buckets[i] % HUES.length], paler = i => (buckets[i] < HUES.length ? 1 : 0.45);
    const dots = angles.map((turn, i) => { const [cx, cy] = xy(turn); return svg("circle", { cx, cy, r: 5.5, fill: hue(i), "fill-opacity": paler(i), class: "dot", onclick: () => choose(i) }); });
    const numbers = angles.map((turn, i) => [turn, i]).filter((_, i) => i % 4 === 0).map(([turn, i]) => {
      const [x, y] = [W / 2 + (R + 18) * Math.cos(2 * Math.PI * turn), SIZE / 2 - (R + 18) * Math.sin(2 * Math.PI * turn)];
      return svg("text", { x, y: y + 4, "text-anchor": "middle" }, buckets[i]); });
    const rings = near.map((j, k) => { const [cx, cy] = xy(angles[j]); return svg("circle", { cx, cy, r: 9.5, class: found[k] ? "ring" : "ring missed" }); });
    const [px, py] = xy(angles[point]), here = svg("path", { class: "here", d: `M${px} ${py - 12}l12 12l-12 12l-12 -12Z` });
    const side = (W - 20) / angles.length, top = SIZE + 22, at = place => 10 + place * side;
    const cells = order.map((i, place) => svg("g", { onclick: () => choose(i) }, svg("rect", { x: at(place) + 0.5, y: top, width: side - 1, height: 22, fill: hue(i), "fill-opacity": paler(i) }),
      ...(i === point ? [svg("rect", { class: "here", x: at(place) + 0.5, y: top - 5, width: side - 1, height: 32 })] : near.includes(i) ? [svg("line", { class: "under", x1: at(place) + 1, x2: at(place) + side - 1, y1: top + 26, y2: top + 26 })] : [])));
    const borders = Array.from({ length: angles.length / chunk + 1 }, (_, k) => svg("line", { class: "border", x1: at(k * chunk), x2: at(k * chunk), y1: top - 7, y2: top + 30 }));
    body.replaceChildren(...dots, ...numbers, ...rings, here, svg("text", { x: 10, y: SIZE + 8 }, words.strip), ...cells, ...borders);
    root.setAttribute("aria-label", fill(words.label, { point, bucket: buckets[point], near: near.join(", ") }));
  };
  return { root, draw };
}

function render({ model, el }) {
  const words = model.get("words"), angles = model.get("angles"), nearest = model.get("nearest"), draws = model.get("draws");
  const rotation = rotationsOf(model), near = neighbours(angles, nearest), most = model.get("most");
  const set = (name, value) => { model.set(name, value); model.save_changes(); };
  const choices = (name, list) => slider({ label: words[name], min: 0, max: list.length - 1, value: list.indexOf(model.get(name)), format: i => String(list[i]), change: i => set(name, list[i]) });
  const plain = (name, min, max) => slider({ label: words[name], min, max, value: model.get(name), change: v => set(name, v) });
  const sizes = { n_buckets: model.get("bucket_choices"), chunk: model.get("chunk_choices") };
  const bars = { rounds: plain("rounds", 1, most), n_buckets: choices("n_buckets", sizes.n_buckets), chunk: choices("chunk", sizes.chunk), shown: plain("shown", 1, most), point: plain("point", 0, angles.length - 1) };
  const again = h("button", { type: "button", onclick: () => set("draw", (model.get("draw") + 1) % draws) }, words.again);
  const says = h("p", { class: "says", role: "status" }), view = picture(words, angles, i => set("point", i));
  const draw = oncePerFrame(() => {
    const rounds = model.get("rounds"), chunk = model.get("chunk"), point = model.get("point"), shown = Math.min(model.get("shown"), rounds) - 1;
    const buckets = Array.from({ length: rounds }, (_, r) => hash(angles, rotation(model.get("draw"), r, model.get("n_buckets"))));
    const orders = buckets.map(sorted), seen = orders.map(order => looks(order, chunk)), { p, all, looks: many, found } = recall(seen, near, point);
    for (const name of ["rounds", "point"]) bars[name].set(model.get(name));
    for (const [name, list] of Object.entries(sizes)) bars[name].set(list.indexOf(model.get(name)));
    bars.shown.input.max = rounds;
    bars.shown.set(shown + 1);
    says.textContent = `${fill(rounds === 1 ? words.alone : words.says, { nearest, one: percent(p), rounds, all: percent(all), p: fixed(p), law: percent(1 - (1 - p) ** rounds) })} ${fill(words.of_point, { point, looks: many, found, nearest })}`;
    view.draw(buckets[shown], orders[shown], chunk, point, near[point], near[point].map(j => seen.some(s => s[point][j])));
  });
  const stop = watch(model, ["rounds", "n_buckets", "chunk", "shown", "point", "draw"], draw);
  el.append(frame("cw-hash", words.title, h("div", { class: "cw-controls" }, ...Object.values(bars).map(b => b.root), again), says, view.root, h("p", { class: "cw-note" }, words.note)));
  draw();
  return stop;
}

export default { render };
