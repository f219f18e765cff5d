// Pairs of places of a protein: scores from its relatives against a structure; and any two columns of the alignment.
import { fill, fixed, frame, h, isDark, newId, oncePerFrame, onTheme, slider, watch } from "./common.js";

const W = 573, STRIP = 60;
const COLOURS = { light: { hit: "#0072b2", miss: "#c24e00", real: "#8a8a8a", band: "#ececec", line: "#1a1a1a" }, dark: { hit: "#6bb6ff", miss: "#ff9152", real: "#8f8f8f", band: "#2b2b2b", line: "#ececec" } };

/** The place of the pair (i, j) in the list of pairs that are `apart` or more apart; -1 if they are nearer.
 *  @param {number} n places of the protein */
export function pairNumber(n, apart, i, j) {
  if (j - i < apart) return -1;
  const before = i * (n - apart) - i * (i - 1) / 2;  // pairs whose first place is smaller
  return before + j - i - apart;
}

/** All pairs, in the order of their numbers. @returns {number[][]} */
export function pairsOf(n, apart) {
  const found = [];
  for (let i = 0; i < n; i++) for (let j = i + apart; j < n; j++) found.push([i, j]);
  return found;
}

/** Pairs from the highest score down, equal ones as they stand. @param {ArrayLike<number>} scores */
export const ranked = scores => Array.from(scores, (_, k) => k).sort((a, b) => scores[b] - scores[a] || a - b);

/** The numbers of the first sentence. @param {number[]} order @param {ArrayLike<number>} distances */
export function precision(order, distances, top, near) {
  const hits = order.slice(0, top).filter(k => distances[k] < near).length;
  return { hits, precision: fixed(Math.floor(100 * hits / top + 0.5) / 100), chance: fixed(Array.from(distances).filter(d => d < near).length / distances.length, 3) };
}

/** Pairs of letters in two columns: seen, and expected if they were independent; largest difference first.
 *  @param {ArrayLike<number>} a @param {ArrayLike<number>} b @param {ArrayLike<number>} weights */
export function counts(a, b, weights, alphabet, shown) {
  const k = alphabet.length, seen = new Float64Array(k * k), left = new Float64Array(k), right = new Float64Array(k);
  let total = 0;
  for (let r = 0; r < weights.length; r++) seen[a[r] * k + b[r]] += weights[r];
  for (let x = 0; x < k; x++) for (let y = 0; y < k; y++) { left[x] += seen[x * k + y]; right[y] += seen[x * k + y]; total += seen[x * k + y]; }
  const expected = Array.from(seen, (_, p) => left[Math.floor(p / k)] * right[p % k] / total);
  const order = expected.map((_, p) => p).sort((p, q) => Math.abs(seen[q] - expected[q]) - Math.abs(seen[p] - expected[p]) || p - q);
  return order.slice(0, shown).map(p => [alphabet[Math.floor(p / k)] + alphabet[p % k], seen[p], expected[p]]);
}

const floats = view => Float32Array.from({ length: view.byteLength / 4 }, (_, i) => view.getFloat32(4 * i, true));

function paint(canvas, { n, apart, near }, pairs, order, top, distances, i, j) {
  const ctx = canvas.getContext("2d"), ratio = globalThis.devicePixelRatio || 1, c = COLOURS[isDark() ? "dark" : "light"], unit = W / n;
  if (canvas.width !== W * ratio) canvas.width = canvas.height = W * ratio;
  ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
  ctx.clearRect(0, 0, W, W);
  const cell = (x, y) => ctx.fillRect(x * unit, y * unit, unit, unit);
  ctx.fillStyle = c.band;
  for (let row = 0; row < n; row++) ctx.fillRect((row - apart + 1) * unit, row * unit, (2 * apart - 1) * unit, unit);
  ctx.fillStyle = c.real;
  pairs.forEach(([a, b], k) => { if (distances[k] < near) cell(a, b); });
  for (const k of order.slice(0, top)) {
    const [a, b] = pairs[k], hit = distances[k] < near;
    ctx.fillStyle = ctx.strokeStyle = hit ? c.hit : c.miss;
    if (hit) { ctx.fillRect(b * unit - 0.5, a * unit - 0.5, unit + 1, unit + 1); cell(a, b); }
    else { const x = (b + 0.5) * unit, y = (a + 0.5) * unit; ctx.lineWidth = 1.3; ctx.beginPath(); ctx.moveTo(x - 3, y - 3); ctx.lineTo(x + 3, y + 3); ctx.moveTo(x - 3, y + 3); ctx.lineTo(x + 3, y - 3); ctx.stroke(); }
  }
  ctx.strokeStyle = c.line;
  ctx.lineWidth = 0.6;
  ctx.strokeRect(0.5, 0.5, W - 1, W - 1);
  ctx.lineWidth = 1.6;
  for (const [x, y] of [[j, i], [i, j]]) { ctx.beginPath(); ctx.arc((x + 0.5) * unit, (y + 0.5) * unit, 8, 0, 2 * Math.PI); ctx.stroke(); }
}

/** The two columns of sixty relatives, evenly chosen of all, sorted by the one and then the other. */
function strip(a, b, alphabet) {
  const rows = Array.from(a, (x, r) => [x, b[r]]).sort((p, q) => p[0] - q[0] || p[1] - q[1]);
  const some = Array.from({ length: Math.min(STRIP, rows.length) }, (_, k) => rows[Math.floor((k + 0.5) * rows.length / Math.min(STRIP, rows.length))]);
  return [0, 1].map(side => some.map(row => alphabet[row[side]]).join(""));
}

function render({ model, el }) {
  const words = model.get("words"), sizes = model.get("sizes"), { n, relatives, apart, near, shown, alphabet } = sizes, methods = model.get("methods");
  const view = model.get("letters"), letters = new Uint8Array(view.buffer, view.byteOffset, view.byteLength), weights = floats(model.get("counted"));
  const distances = floats(model.get("distances")), all = floats(model.get("scores")), pairs = pairsOf(n, apart);
  const orders = methods.map((_, m) => ranked(all.subarray(m * pairs.length, (m + 1) * pairs.length)));
  const column = c => Uint8Array.from({ length: relatives }, (_, r) => letters[r * n + c]);
  const effective = fixed(weights.reduce((x, y) => x + y, 0), 0);
  const set = values => { for (const [name, value] of Object.entries(values)) model.set(name, value); model.save_changes(); };
  const go = (i, j) => { const inside = x => Math.min(n - 1, Math.max(0, x)); [i, j] = [inside(i), inside(j)]; set(i < j ? { i, j } : { i: j, j: i }); };
  const id = newId(), kind = h("select", { id, onchange: () => set({ method: kind.value }) }, ...methods.map(name => h("option", { value: name }, name)));
  const top = slider({ label: words.top, min: 1, max: 2 * n, value: model.get("top"), change: v => set({ top: v }) });
  const step = by => {
    const order = orders[methods.indexOf(model.get("method"))], here = order.indexOf(pairNumber(n, apart, model.get("i"), model.get("j")));
    go(...pairs[order[Math.min(order.length - 1, Math.max(0, here + by))]]);
  };
  const button = (label, by) => h("button", { type: "button", onclick: () => step(by) }, label);
  const canvas = h("canvas", { width: W, height: W, tabindex: 0, role: "application" });
  canvas.addEventListener("click", event => { const r = canvas.getBoundingClientRect(), at = (x, side) => Math.floor(x / side * n); go(at(event.clientY - r.top, r.height), at(event.clientX - r.left, r.width)); });
  const moves = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };
  canvas.addEventListener("keydown", event => {
    if (!(event.key in moves)) return;
    event.preventDefault();
    event.stopPropagation();
    const [di, dj] = moves[event.key].map(d => d * (event.shiftKey ? 10 : 1)), i = model.get("i") + di, j = model.get("j") + dj;
    if (i < j) go(i, j);
  });
  const says = h("p", { class: "says", role: "status" }), pair = h("p", {}), table = h("table", {}), letterStrip = h("div", { class: "cm-strip" });
  const key = h("p", { class: "cm-key" }, ...["hit", "miss", "true"].map(name => h("span", { class: `cm-${name}` }, { hit: "■ ", miss: "× ", true: "■ " }[name], h("span", {}, words[name]))));
  const draw = oncePerFrame(() => {
    const method = model.get("method"), order = orders[methods.indexOf(method)], i = model.get("i"), j = model.get("j"), k = pairNumber(n, apart, i, j), name = c => alphabet[letters[c]];
    kind.value = method;
    top.set(model.get("top"));
    says.textContent = fill(words.says, { method, top: model.get("top"), ...precision(order, distances, model.get("top"), near) });
    pair.textContent = k < 0 ? fill(words.near, { i: i + 1, j: j + 1, apart }) : fill(words.pair, { i: i + 1, j: j + 1, a: name(i), b: name(j), distance: fixed(distances[k], 1),
      touch: distances[k] < near ? words.touch : words.apart, n: pairs.length.toLocaleString("en"), rank: (order.indexOf(k) + 1).toLocaleString("en") });
    canvas.setAttribute("aria-label", fill(words.label, { length: n, says: says.textContent, pair: pair.textContent }));
    const a = column(i), b = column(j), [above, below] = strip(a, b, alphabet);
    table.replaceChildren(h("caption", {}, fill(words.table, { effective })), h("thead", {}, h("tr", {}, ...[words.letters, words.seen, words.expected].map(t => h("th", { scope: "col" }, t)))),
      h("tbody", {}, ...counts(a, b, weights, alphabet, shown).map(([both, seen, expected]) => h("tr", {}, h("th", { scope: "row", class: "cw-number" }, both), h("td", { class: "cw-number" }, fixed(seen, 1)), h("td", { class: "cw-number" }, fixed(expected, 1))))));
    letterStrip.replaceChildren(h("p", {}, fill(words.strip, { i: i + 1, j: j + 1 })), h("pre", { tabindex: 0 }, `${above}\n${below}`));
    paint(canvas, sizes, pairs, order, model.get("top"), distances, i, j);
  });
  const stops = [watch(model, ["method", "top", "i", "j"], draw), onTheme(draw)];
  el.append(frame("cw-contacts", words.title, h("div", { class: "cw-controls" }, h("div", { class: "cw-control" }, h("label", { for: id }, words.method), kind), top.root, button(words.previous, -1), button(words.next, 1)),
    says, h("div", { class: "cm-row" }, h("div", { class: "cm-left" }, canvas, key), h("div", { class: "cm-right" }, pair, table, letterStrip, h("p", { class: "cw-note" }, words.help)))));
  draw();
  return () => stops.forEach(stop => stop());
}

export default { render };
