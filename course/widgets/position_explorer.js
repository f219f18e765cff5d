// Positions in four ways: one cell's formula, the rotation that moves on by k, and score against distance.
import { linear, path, ticks } from "./chart.js";
import { fill, fixed, frame, h, isDark, onTheme, oncePerFrame, slider, svg, tidy, watch } from "./common.js";
import { picture, prepare, ramp } from "./explorer_draw.js";

/** What Python packed, as numbers. @param {DataView} view */
export const floats = view => new Float32Array(view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength));

/** A pair's speed: radians from one position to the next. @param {number} dim either dimension of the pair */
export const speed = (dim, dModel) => 10000 ** (-(dim - dim % 2) / dModel);

/** The pair of a dimension at a position: [sine, cosine]. */
export const pairAt = (table, dModel, pos, dim) => {
  const at = pos * dModel + dim - dim % 2;
  return [table[at], table[at + 1]];
};

/** The block of R_k that turns the pair of a dimension: [a, b, c, d] in rows. */
export const blockOf = (rotations, n, dModel, k, dim) => {
  const at = 4 * ((k + n - 1) * dModel / 2 + Math.floor(dim / 2));
  return Array.from(rotations.slice(at, at + 4));
};

export const turn = ([a, b, c, d], [x, y]) => [a * x + b * y, c * x + d * y];

/** The largest difference between R_k PE(pos) and PE(pos + k), over all dimensions. */
export function rotationError({ table, rotations, n, dModel }, pos, k) {
  const errors = Array.from({ length: dModel / 2 }, (_, i) => {
    const turned = turn(blockOf(rotations, n, dModel, k, 2 * i), pairAt(table, dModel, pos, 2 * i));
    const there = pairAt(table, dModel, pos + k, 2 * i);
    return Math.max(Math.abs(turned[0] - there[0]), Math.abs(turned[1] - there[1]));
  });
  return Math.max(...errors);
}

/** Score against distance for the query at a position: [distance, score] for every key.
 *  @param {Float32Array} matrix query × key, n × n */
export const curve = (matrix, n, pos) => Array.from({ length: n }, (_, key) => [key - pos, matrix[pos * n + key]]);

/** How far the curves of two positions lie apart, at most, over the distances that both have.
 *  @param {Float32Array[]} matrices one a head */
export function curveGap(matrices, n, pos, to) {
  const shared = matrices.flatMap(matrix => curve(matrix, n, pos).flatMap(([distance, score]) => {
    const key = to + distance;
    return key >= 0 && key < n ? [Math.abs(score - matrix[to * n + key])] : [];
  }));
  return Math.max(...shared);
}

/** "alone" where distance says the score, "apart" where it does not, "one" where there is nothing to compare. */
export const verdict = (gap, largest, k) => (k === 0 ? "one" : gap <= 1e-4 * largest ? "alone" : "apart");

const three = x => fixed(x, 3);
const vector = v => `(${v.map(three).join(", ")})`;
const clamp = (x, low, high) => Math.min(high, Math.max(low, x));

/** Every number of the chosen cell and of its rotation, ready for the sentences. */
export function numbers(data, pos, dim, k) {
  const { table, rotations, n, dModel } = data;
  const even = dim - dim % 2, w = speed(dim, dModel), [x, y] = pairAt(table, dModel, pos, dim);
  const block = blockOf(rotations, n, dModel, k, dim), [a, b, c, d] = block.map(three);
  return {
    pos, dim, k, to: pos + k, even, i: even / 2, sine: even, cosine: even + 1, d_model: dModel, pairs: dModel / 2,
    wave: dim % 2 ? "cos" : "sin", place: dim % 2 ? "2i + 1" : "2i", angle: three(k * w), speed: w.toPrecision(3),
    turn: tidy(2 * Math.PI / w, 1), x: three(x), y: three(y), a, b, c, d, value: three(dim % 2 ? y : x), at: three(pos * w),
    turned: vector(turn(block, [x, y])), there: vector(pairAt(table, dModel, pos + k, dim)),
    error: String(Number(rotationError(data, pos, k).toPrecision(1))).replace("-", "\u2212"),
  };
}

const LEFT = 46, WAVE = 104, SIDE = 168, W = 300, H = 136;
const label = (x, y, text, attributes = {}) => svg("text", { x, y, ...attributes }, text);

/** The table as a map, positions to the right and dimensions down, and under it the waves of the chosen pair. */
function mapAndWave({ table, n, dModel }, words, move) {
  const width = Math.max(2, Math.floor(480 / n)), height = Math.max(2, Math.floor(192 / dModel));
  const [right, bottom] = [width * n, height * dModel], centre = pos => (pos + 0.5) * width;
  const canvas = h("canvas", { tabindex: 0, role: "application", "aria-roledescription": words.map });
  const marks = ["from", "to", "cell"].map(name => svg("rect", { class: name, y: 0, width, height: bottom }));
  const over = svg("svg", { class: "over", width: right, height: bottom, "aria-hidden": "true" }, ...marks);
  const every = Math.max(1, Math.round(dModel / 8));
  const side = svg("svg", { width: LEFT, height: bottom, "aria-hidden": "true" },
    label(12, bottom / 2, words.axis.dim, { transform: `rotate(-90 12 ${bottom / 2})`, "text-anchor": "middle" }),
    ...Array.from({ length: Math.ceil(dModel / every) }, (_, i) => label(LEFT - 6, (i * every + 0.5) * height + 4, i * every, { "text-anchor": "end" })));

  const cellAt = event => ({ pos: clamp(Math.floor(event.offsetX / width), 0, n - 1), dim: clamp(Math.floor(event.offsetY / height), 0, dModel - 1) });
  const hovered = h("p", { class: "cw-note hovered" }, "\u00a0");
  canvas.addEventListener("pointerdown", event => { canvas.setPointerCapture(event.pointerId); move(cellAt(event)); });
  canvas.addEventListener("pointermove", event => {
    const cell = cellAt(event);
    if (canvas.hasPointerCapture(event.pointerId)) move(cell);
    hovered.textContent = fill(words.cell, { ...cell, value: three(table[cell.pos * dModel + cell.dim]) });
  });
  canvas.addEventListener("pointerleave", () => { hovered.textContent = "\u00a0"; });

  const y = linear(-1, 1, WAVE - 34, 8);
  const lines = ["sine", "cosine"].map(name => svg("path", { class: name }));
  const dots = ["from", "to"].map(name => svg("circle", { r: 4.5, class: name }));
  const wave = svg("svg", { class: "wave", width: LEFT + right, height: WAVE, role: "img" },
    ...[-1, 0, 1].flatMap(v => [svg("line", { x1: LEFT, x2: LEFT + right, y1: y(v), y2: y(v), class: "axis" }), label(LEFT - 6, y(v) + 4, tidy(v), { "text-anchor": "end" })]),
    ...ticks(0, n - 1).map(pos => label(LEFT + centre(pos), WAVE - 19, pos, { "text-anchor": "middle" })),
    label(LEFT + right / 2, WAVE - 4, words.axis.pos, { "text-anchor": "middle" }), ...lines, ...dots);

  const paint = () => {
    const colours = ramp(isDark(), true), ctx = prepare(canvas, right, bottom);
    const columns = Float32Array.from(table, (_, j) => table[(j % n) * dModel + Math.floor(j / n)]);
    ctx.imageSmoothingEnabled = false;
    ctx.drawImage(picture(columns, dModel, n, { max: 1, signed: true, mask: null, colours }), 0, 0, right, bottom);
  };
  const draw = (pos, dim, k, said) => {
    const [from, to, cell] = marks;
    from.setAttribute("x", pos * width);
    to.setAttribute("x", (pos + k) * width);
    for (const [name, value] of Object.entries({ x: pos * width, y: dim * height, height })) cell.setAttribute(name, value);
    lines.forEach((line, j) => line.setAttribute("d", path(Array.from({ length: n }, (_, p) => [LEFT + centre(p), y(pairAt(table, dModel, p, dim)[j])]))));
    dots.forEach((dot, j) => {
      dot.setAttribute("cx", LEFT + centre(pos + j * k));
      dot.setAttribute("cy", y(table[(pos + j * k) * dModel + dim]));
    });
    wave.setAttribute("aria-label", fill(words.waves, said));
    canvas.setAttribute("aria-label", fill(words.cell, said));
  };
  return { root: h("div", { class: "map" }, side, h("div", { class: "stack" }, canvas, over), hovered, wave), canvas, draw, paint };
}

/** A pair on its circle: the hand of PE(pos), turned by R_k, on the ring of PE(pos + k). Positions turn clockwise from 12. */
function dial(size, radius) {
  const at = ([x, y], r = radius) => [size / 2 + r * x, size / 2 - r * y];
  const hands = ["from", "to"].map(name => svg("line", { x1: size / 2, y1: size / 2, class: name }));
  const spiral = svg("path", { class: "turn" }), ring = svg("circle", { class: "ring", r: 7 });
  const root = svg("svg", { viewBox: `0 0 ${size} ${size}`, width: size, height: size },
    svg("circle", { cx: size / 2, cy: size / 2, r: radius, class: "rim" }), spiral, ...hands, ring);
  const draw = (pair, turned, there, start, angle) => {
    [pair, turned].forEach((v, j) => { const [x, y] = at(v); hands[j].setAttribute("x2", x); hands[j].setAttribute("y2", y); });
    const [x, y] = at(there), steps = Math.ceil(Math.abs(angle) * 8) + 1, grow = Math.min(0.4, Math.abs(angle) / 40);
    ring.setAttribute("cx", x);
    ring.setAttribute("cy", y);
    spiral.setAttribute("d", path(Array.from({ length: steps + 1 }, (_, s) => {
      const t = start + angle * s / steps;
      return at([Math.sin(t), Math.cos(t)], radius * (0.35 + grow * s / steps));
    })));
  };
  return { root, draw };
}

function rotation(data, words, move) {
  const { table, rotations, n, dModel } = data, big = dial(SIDE, SIDE / 2 - 22);
  const [across, up] = [label(SIDE - 2, SIDE / 2 - 5, "", { "text-anchor": "end" }), label(SIDE / 2, 14, "", { "text-anchor": "middle" })];
  big.root.append(across, up);
  const small = Array.from({ length: dModel / 2 }, (_, i) => ({ ...dial(32, 14), i }));
  const dials = h("div", { class: "dials", "aria-hidden": "true" }, ...small.map(({ root, i }) => {
    root.addEventListener("click", () => move({ dim: 2 * i }));
    return root;
  }));
  const lines = ["angle", "product", "reached"].map(name => [name, h("p", { class: "cw-number" })]);
  const error = h("p", { class: "error" }), caption = h("figcaption"), under = h("p", { class: "cw-note" });
  const show = (one, pos, dim, k) => {
    const w = speed(dim, dModel), pair = pairAt(table, dModel, pos, dim);
    one.draw(pair, turn(blockOf(rotations, n, dModel, k, dim), pair), pairAt(table, dModel, pos + k, dim), pos * w, k * w);
  };
  const draw = (pos, dim, k, said) => {
    show(big, pos, dim, k);
    for (const one of small) {
      show(one, pos, 2 * one.i, k);
      one.root.classList.toggle("chosen", one.i === said.i);
    }
    across.textContent = said.sine;
    up.textContent = said.cosine;
    caption.textContent = fill(words.circle, said);
    under.textContent = fill(words.dials, said);
    for (const [name, p] of lines) p.textContent = fill(words[name], said);
    error.textContent = fill(words.error, said);
  };
  const told = h("div", { class: "told" }, ...lines.map(([, p]) => p), error);
  return { root: h("figure", { class: "rotation" }, caption, h("div", { class: "beside" }, big.root, told), under, dials), draw };
}

/** One scheme's scores against distance, for two query positions. */
function scheme(name, matrices, { n, slopes }, words) {
  const [title, what] = words.schemes[name], all = matrices.flatMap(matrix => [...matrix]);
  const [low, high] = [Math.min(0, ...all), Math.max(0, ...all)], largest = Math.max(high, -low);
  const x = linear(1 - n, n - 1, LEFT, W - 8), y = linear(low, high, H - 38, 10);
  const drawn = ["from", "to"].map(end => matrices.map(() => svg("path", { class: end })));
  const root = svg("svg", { viewBox: `0 0 ${W} ${H}`, role: "img" },
    ...ticks(low, high).flatMap(v => [svg("line", { x1: LEFT, x2: W - 8, y1: y(v), y2: y(v), class: "axis" }), label(LEFT - 6, y(v) + 4, tidy(v), { "text-anchor": "end" })]),
    svg("line", { x1: x(0), x2: x(0), y1: 10, y2: H - 38, class: "axis" }),
    ...[1 - n, 0, n - 1].map(v => label(x(v), H - 22, tidy(v), { "text-anchor": v < 0 ? "start" : v > 0 ? "end" : "middle" })),
    label(LEFT + (W - LEFT) / 2, H - 5, words.axis.distance, { "text-anchor": "middle" }), ...drawn.flat());
  const says = h("p");
  const draw = (pos, k) => {
    drawn.forEach((heads, j) => heads.forEach((line, head) =>
      line.setAttribute("d", path(curve(matrices[head], n, pos + j * k).map(([distance, score]) => [x(distance), y(score)])))));
    const gap = curveGap(matrices, n, pos, pos + k), kind = verdict(gap, largest, k);
    says.textContent = fill(words[kind], { gap: three(gap) });
    says.className = kind;
    root.setAttribute("aria-label", `${title}: ${says.textContent}`);
  };
  const note = fill(what, { slopes: slopes.map(s => `1/${tidy(1 / s)}`).join(", ") });
  return { root: h("figure", { class: "scheme", "data-scheme": name }, h("figcaption", {}, title, h("small", {}, note)), root, says), draw };
}

function schemes(scores, data, words) {
  const { n } = data, matrices = Array.from({ length: scores.length / n ** 2 }, (_, i) => scores.subarray(i * n ** 2, (i + 1) * n ** 2));
  return Object.keys(words.schemes).map((name, i, names) =>
    scheme(name, i === names.length - 1 ? matrices.slice(i) : [matrices[i]], data, words));
}

function render({ model, el }) {
  const [n, dModel, slopes, words] = ["n", "d_model", "slopes", "words"].map(name => model.get(name));
  const data = { n, dModel, slopes, table: floats(model.get("table")), rotations: floats(model.get("rotations")) };
  const move = change => {
    const wanted = { ...Object.fromEntries(["pos", "dim", "k"].map(name => [name, model.get(name)])), ...change };
    const pos = clamp(wanted.pos, 0, n - 1), dim = clamp(wanted.dim, 0, dModel - 1);
    for (const [name, value] of Object.entries({ pos, dim, k: clamp(wanted.k, -pos, n - 1 - pos) })) model.set(name, value);
    model.save_changes();
  };
  const bars = Object.fromEntries([["pos", 0, n - 1], ["dim", 0, dModel - 1], ["k", 1 - n, n - 1]].map(([name, min, max]) =>
    [name, slider({ label: words[name], min, max, value: model.get(name), format: x => tidy(x), change: x => move({ [name]: x }) })]));
  const left = mapAndWave(data, words, move), right = rotation(data, words, move);
  const panels = schemes(floats(model.get("scores")), data, words);
  const [formula, pair, compare] = [h("p", { class: "cw-number formula", role: "status" }), h("span", { class: "cw-note" }), h("p", { class: "compare" })];
  const caption = h("p", { class: "cw-note waves" });

  left.canvas.addEventListener("keydown", event => {
    const [pos, dim] = [model.get("pos"), model.get("dim")];
    const change = { ArrowLeft: { pos: pos - 1 }, ArrowRight: { pos: pos + 1 }, ArrowUp: { dim: dim - 1 }, ArrowDown: { dim: dim + 1 },
                     Home: { pos: 0 }, End: { pos: n - 1 } }[event.key];
    if (!change) return;
    event.preventDefault();
    move(change);
  });

  const draw = oncePerFrame(() => {
    const [pos, dim, k] = ["pos", "dim", "k"].map(name => model.get(name)), said = numbers(data, pos, dim, k);
    bars.k.input.min = -pos;
    bars.k.input.max = n - 1 - pos;
    for (const [name, value] of Object.entries({ pos, dim, k })) bars[name].set(value);
    formula.textContent = fill(words.formula, said);
    pair.textContent = fill(words.pair, said);
    caption.textContent = fill(words.waves, said);
    compare.textContent = fill(words.compare, said);
    left.draw(pos, dim, k, said);
    right.draw(pos, dim, k, said);
    for (const panel of panels) panel.draw(pos, k);
  });
  const stops = [watch(model, ["pos", "dim", "k"], draw), onTheme(left.paint)];
  el.append(frame("cw-position", words.title, h("p", { class: "cw-note" }, words.help),
    h("div", { class: "cw-controls" }, ...Object.values(bars).map(b => b.root)), formula, pair,
    h("div", { class: "top" }, h("div", { class: "scroll" }, left.root, caption), right.root),
    compare, h("div", { class: "schemes" }, ...panels.map(panel => panel.root))));
  left.paint();
  draw();
  return () => stops.forEach(stop => stop());
}

export default { render };
