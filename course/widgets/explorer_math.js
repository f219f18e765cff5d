// The explorer's arithmetic: no element, no canvas, nothing that needs a browser (tests/js runs it in node).

import { softmax } from "./common.js";

/**
 * What Python says about one forward pass: its tokens, and where its arrays lie in the buffer.
 * @typedef {{start: number, dtype: "float16"|"float32"|"uint8", shape: number[]}} Place
 * @typedef {{rows: number[], columns: number[]}} Padding  the places of tokens that only fill a batch up
 * @typedef {{name: string, rows: string[], columns: string[], self: boolean, scale: number|null, padding: Padding|null, note: string,
 *            arrays: {weights: Place, row_max?: Place, mask?: Place, query?: Place, key?: Place}}} Heading
 *
 * The same, opened: sizes and typed arrays.
 * @typedef {{name: string, rows: string[], columns: string[], self: boolean, scale: number|null, padding: Padding|null, note: string,
 *            layers: number, heads: number, queries: number, keys: number, weights: Uint16Array|Uint8Array,
 *            row_max?: Float32Array, mask?: Uint8Array, maskShape?: number[],
 *            query?: Float32Array, key?: Float32Array, d_k?: number, cache: Map<string, any>}} Pass
 *
 * @typedef {number|"mean"|"max"} Choice  one layer (or head), or all of them taken together
 * @typedef {{query: number|null, key: number|null}} Focus
 */

const KINDS = { float16: Uint16Array, float32: Float32Array, uint8: Uint8Array };

/** @param {Heading} heading @param {DataView} buffer @returns {Pass} */
export function openPass(heading, buffer) {
  const array = ({ start, dtype, shape }) => {
    const kind = KINDS[dtype], from = buffer.byteOffset + start;
    return new kind(buffer.buffer.slice(from, from + shape.reduce((a, b) => a * b, 1) * kind.BYTES_PER_ELEMENT));
  };
  const { arrays, ...rest } = heading;
  const opened = Object.fromEntries(Object.entries(arrays).map(([name, place]) => [name, array(place)]));
  const [layers, heads, queries, keys] = arrays.weights.shape;
  return { ...rest, ...opened, layers, heads, queries, keys, maskShape: arrays.mask?.shape,
           d_k: arrays.query?.shape[3], cache: new Map() };
}

/** The number that 16 bits stand for (IEEE 754 binary16). @param {number} bits */
export function half(bits) {
  const sign = bits & 0x8000 ? -1 : 1, exponent = (bits >> 10) & 31, fraction = bits & 1023;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

let halves;  // every float16, decoded once: looking up is ten times faster than computing
const decoded = () => (halves ??= Float32Array.from({ length: 65536 }, (_, bits) => half(bits)));

/** One head's weights, row by row. @param {Pass} pass @returns {Float32Array} queries × keys */
export function headWeights(pass, layer, head) {
  const { queries, keys, weights, row_max } = pass, size = queries * keys;
  const start = (layer * pass.heads + head) * size, out = new Float32Array(size);
  if (!row_max) {
    const table = decoded();
    for (let i = 0; i < size; i++) out[i] = table[weights[start + i]];
    return out;
  }
  for (let q = 0, i = 0; q < queries; q++) {
    const most = row_max[start / keys + q];
    for (let k = 0; k < keys; k++, i++) out[i] = most * SHARES[weights[start + i]];
  }
  return out;
}

/** A byte is the root of a share, so that small weights keep theirs. */
const SHARES = Float64Array.from({ length: 256 }, (_, byte) => (byte / 255) ** 2);

const range = n => Array.from({ length: n }, (_, i) => i);

/** The same pass without the rows and columns of padding. @param {Pass} pass @returns {Pass} */
export function withoutPadding(pass) {
  if (!pass.padding) return pass;
  if (pass.cache.has("bare")) return pass.cache.get("bare");
  const kept = (n, gone) => range(n).filter(i => !gone.includes(i));
  const rows = kept(pass.queries, pass.padding.rows), columns = kept(pass.keys, pass.padding.columns);
  const cut = (array, height, width, rs, cs) => {
    const blocks = array.length / (height * width), out = new array.constructor(blocks * rs.length * cs.length);
    for (let block = 0, i = 0; block < blocks; block++)
      for (const r of rs) for (const c of cs) out[i++] = array[(block * height + r) * width + c];
    return out;
  };
  const { queries, keys, d_k } = pass, bare = { ...pass, padding: null, queries: rows.length, keys: columns.length, cache: new Map() };
  bare.rows = rows.map(i => pass.rows[i]);
  bare.columns = columns.map(i => pass.columns[i]);
  bare.weights = cut(pass.weights, queries, keys, rows, columns);
  if (pass.row_max) bare.row_max = cut(pass.row_max, queries, 1, rows, [0]);
  if (pass.mask) Object.assign(bare, { mask: cut(pass.mask, queries, keys, rows, columns), maskShape: [...pass.maskShape.slice(0, 2), rows.length, columns.length] });
  if (pass.query) Object.assign(bare, { query: cut(pass.query, queries, d_k, rows, range(d_k)), key: cut(pass.key, keys, d_k, columns, range(d_k)) });
  pass.cache.set("bare", bare);
  return bare;
}

/** @param {Iterable<Float32Array>} matrices @param {number} count @param {Choice} how */
function together(matrices, count, how) {
  let out;
  for (const m of matrices) {
    if (!out) out = Float32Array.from(m);
    else if (how === "max") for (let i = 0; i < m.length; i++) out[i] = Math.max(out[i], m[i]);
    else for (let i = 0; i < m.length; i++) out[i] += m[i];
  }
  return how === "mean" && count > 1 ? out.map(x => x / count) : out;
}

/** The weights of a choice of layer and head; heads are taken together first, then layers.
 *  @param {Pass} pass @param {Choice} layer @param {Choice} head @returns {Float32Array} queries × keys */
export function chosenWeights(pass, layer, head) {
  const name = `weights ${layer} ${head}`;
  if (pass.cache.has(name)) return pass.cache.get(name);
  const layers = typeof layer === "number" ? [layer] : range(pass.layers);
  const heads = typeof head === "number" ? [head] : range(pass.heads);
  const ofLayer = l => together(function* () { for (const x of heads) yield headWeights(pass, l, x); }(), heads.length, head);
  const out = together(function* () { for (const l of layers) yield ofLayer(l); }(), layers.length, layer);
  pass.cache.set(name, out);
  return out;
}

/** Where a choice of layer and head may attend (1) or not (0): allowed if any head of it is. Null without a mask.
 *  @param {Pass} pass @param {Choice} layer @param {Choice} head @returns {Uint8Array|null} */
export function chosenMask(pass, layer, head) {
  if (!pass.mask) return null;
  const [layers, heads, queries, keys] = pass.maskShape, size = queries * keys;
  const pick = (choice, n) => (n === 1 ? [0] : typeof choice === "number" ? [choice] : range(n));
  const out = new Uint8Array(size);
  for (const l of pick(layer, layers))
    for (const x of pick(head, heads))
      for (let i = 0, start = (l * heads + x) * size; i < size; i++) out[i] |= pass.mask[start + i];
  return out;
}

/** @param {Float32Array} a @param {Float32Array} b @returns {Float32Array} b − a */
export const difference = (a, b) => b.map((x, i) => x - a[i]);

/** The largest absolute value. @param {Float32Array} values */
export function extent(values) {
  let top = 0;
  for (const x of values) if (Math.abs(x) > top) top = Math.abs(x);
  return top;
}

/** A smaller matrix in which each cell holds its block's entry farthest from zero: thin stripes survive.
 *  @param {Float32Array} matrix @param {number} rows @param {number} columns @param {number} most side of the result
 *  @returns {{values: Float32Array, rows: number, columns: number}} */
export function pool(matrix, rows, columns, most) {
  const r = Math.min(rows, most), c = Math.min(columns, most), values = new Float32Array(r * c);
  const across = Uint16Array.from(range(columns), k => Math.floor(k * c / columns));
  for (let q = 0, i = 0; q < rows; q++) {
    const row = Math.floor(q * r / rows) * c;
    for (let k = 0; k < columns; k++, i++) {
      const at = row + across[k], x = matrix[i];
      if (Math.abs(x) > Math.abs(values[at])) values[at] = x;
    }
  }
  return { values, rows: r, columns: c };
}

/** The indices of the n values farthest from zero, farthest first; ties keep their order. @param {ArrayLike<number>} values */
export function strongest(values, n) {
  const best = [];  // kept in order: for the few that are asked for, sorting all would take ten times as long
  for (let i = 0; i < values.length && n > 0; i++) {
    const x = Math.abs(values[i]);
    if (best.length === n && x <= Math.abs(values[best[n - 1]])) continue;
    let at = Math.min(best.length, n - 1);
    for (; at > 0 && Math.abs(values[best[at - 1]]) < x; at--) best[at] = best[at - 1];
    best[at] = i;
  }
  return best;
}

/** The n strongest links of a matrix. @returns {{query: number, key: number, weight: number}[]} */
export function strongestLinks(matrix, keys, n) {
  const best = [];
  for (let i = 0; i < matrix.length; i++) {
    const x = Math.abs(matrix[i]);
    if (x === 0 || (best.length === n && x <= Math.abs(matrix[best[n - 1]]))) continue;
    const at = best.findIndex(j => Math.abs(matrix[j]) < x);
    best.splice(at < 0 ? best.length : at, 0, i);
    best.length = Math.min(best.length, n);
  }
  return best.map(i => ({ query: Math.floor(i / keys), key: i % keys, weight: matrix[i] }));
}

/** Which links a picture draws: at least `threshold`, at most `top` a query (0: all), of the focused tokens if any.
 *  @param {Float32Array} matrix @param {number} queries @param {number} keys
 *  @param {{threshold: number, top: number, focus: Focus}} o @returns {number[]} indices into the matrix */
export function drawnLinks(matrix, queries, keys, { threshold, top, focus }) {
  const out = [], rows = focus.query === null ? range(queries) : [focus.query];
  for (const q of rows) {
    const row = matrix.subarray(q * keys, (q + 1) * keys);
    for (const k of top && top < keys ? strongest(row, top) : range(keys))
      if ((focus.key === null || focus.key === k) && row[k] !== 0 && Math.abs(row[k]) >= threshold) out.push(q * keys + k);
  }
  return out;
}

/** Every step from a query and a key to their weight, recomputed from the vectors.
 *  @param {Pass} pass @param {number} layer @param {number} head @param {number} query @param {number} key */
export function arithmetic(pass, layer, head, query, key) {
  const { d_k, queries, keys } = pass, at = layer * pass.heads + head;
  const q = pass.query.subarray((at * queries + query) * d_k, (at * queries + query + 1) * d_k);
  const k = j => pass.key.subarray((at * keys + j) * d_k, (at * keys + j + 1) * d_k);
  const dot = j => k(j).reduce((sum, x, i) => sum + x * q[i], 0);
  const scale = pass.scale ?? 1 / Math.sqrt(d_k), mask = chosenMask(pass, layer, head);
  const allowed = j => !mask || mask[query * keys + j] === 1;
  const scores = range(keys).map(j => (allowed(j) ? dot(j) * scale : -Infinity));
  const weights = softmax(scores);
  return { query: q, key: k(key), products: q.map((x, i) => x * k(key)[i]), dot: dot(key), scale, scores, weights,
           allowed: allowed(key), score: dot(key) * scale, weight: weights[key],
           given: chosenWeights(pass, layer, head)[query * keys + key] };
}

/** The focus after an arrow key, Home or End; null if the key means nothing here. Where two axes can be walked
 *  (a map), up and down walk the queries, left and right the keys; else every arrow walks the one side.
 *  @param {string} name KeyboardEvent.key @param {Focus} focus @param {{queries: number, keys: number}} size
 *  @param {"both"|"query"|"key"} axes @returns {Focus|null} */
export function walk(name, focus, { queries, keys }, axes) {
  const step = { ArrowUp: ["query", -1], ArrowDown: ["query", 1], ArrowLeft: ["key", -1], ArrowRight: ["key", 1],
                 Home: ["key", -Infinity], End: ["key", Infinity] }[name];
  if (!step) return null;
  if (axes === "both" && (focus.query === null || focus.key === null)) return { query: focus.query ?? 0, key: focus.key ?? 0 };
  const side = axes === "both" ? step[0] : axes, n = side === "query" ? queries : keys;
  const next = focus[side] === null ? 0 : Math.min(n - 1, Math.max(0, focus[side] + step[1]));
  return axes === "both" ? { ...focus, [side]: next } : { query: null, key: null, [side]: next };
}

const CONTROLS = { "\n": "↵", "\r": "␍", "\t": "⇥", " ": "␣", "\u00a0": "⍽" };

/** A token as it is drawn: control characters, bare spaces and marks that turn the writing direction made visible.
 *  @param {string} token */
export function visible(token) {
  if (token.trim() === "") return [...token].map(c => CONTROLS[c] ?? "␣").join("") || "∅";
  return token.replace(/[\p{Cc}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069\u200b\u200e\u200f\ufeff]/gu, c => CONTROLS[c]
    ?? (c < " " ? String.fromCharCode(0x2400 + c.charCodeAt(0)) : `⟨U+${c.codePointAt(0).toString(16).toUpperCase().padStart(4, "0")}⟩`));
}

/** The direction in which tokens are read as one text: that of the first letter with one. @param {string[]} tokens @returns {"ltr"|"rtl"} */
export function direction(tokens) {
  const letter = tokens.map(t => t.match(/\p{L}/u)?.[0]).find(Boolean) ?? "";
  return /\p{Script=Arabic}|\p{Script=Hebrew}|\p{Script=Syriac}|\p{Script=Thaana}|\p{Script=Nko}|\p{Script=Adlam}/u.test(letter) ? "rtl" : "ltr";
}

const segmenter = new Intl.Segmenter();

/** The first characters of a long token, as a reader counts them (an emoji family is one). @param {string} text */
export function elide(text, most = 14) {
  if (text.length <= most) return text;
  const characters = Array.from(segmenter.segment(text.slice(0, 40 * most)), s => s.segment);
  return characters.length <= most && text.length <= 40 * most ? text : characters.slice(0, most - 1).join("") + "…";
}
