import assert from "node:assert/strict";
import { test } from "node:test";
import * as math from "../../course/widgets/explorer_math.js";

const near = (a, b, tolerance = 1e-6) => assert.ok(Math.abs(a - b) <= tolerance, `${a} is not ${b}`);
const nearAll = (a, b, tolerance) => {
  assert.equal(a.length, b.length);
  Array.from(b).forEach((x, i) => near(a[i], x, tolerance));
};
const NOTHING = { query: null, key: null };

/** A pass of 2 layers × 2 heads, 2 queries × 3 keys, in a buffer that does not begin where its memory does. */
function samplePass({ bytes = false, mask = null } = {}) {
  const shape = [2, 2, 2, 3], n = 24, memory = new ArrayBuffer(256), offset = 8, arrays = {};
  if (bytes) {
    new Uint8Array(memory, offset, n).set(Array.from({ length: n }, (_, i) => (i * 10) % 256));
    new Float32Array(memory, offset + 24, 8).set([1, 0.5, 0.25, 0, 1, 1, 1, 1]);
    Object.assign(arrays, { weights: { start: 0, dtype: "uint8", shape }, row_max: { start: 24, dtype: "float32", shape: [2, 2, 2] } });
  } else {
    new Uint16Array(memory, offset, n).set(Array.from({ length: n }, (_, i) => (i % 2 ? 0x3800 : 0x3c00) - 0x400 * (i >> 2)));
    arrays.weights = { start: 0, dtype: "float16", shape };
  }
  if (mask) {
    new Uint8Array(memory, offset + 64, mask.length).set(mask);
    arrays.mask = { start: 64, dtype: "uint8", shape: [2, 1, 2, 3] };
  }
  return math.openPass({ name: "", rows: ["a", "b"], columns: ["x", "y", "z"], self: false, scale: null, arrays }, new DataView(memory, offset));
}

test("16 bits are read as IEEE 754 says", () => {
  const known = { 0x0000: 0, 0x3c00: 1, 0x3555: 0.333251953125, 0x0001: 2 ** -24, 0x03ff: 1023 * 2 ** -24, 0x0400: 2 ** -14,
                  0x7bff: 65504, 0xc000: -2, 0x7c00: Infinity, 0xfc00: -Infinity };
  for (const [bits, value] of Object.entries(known)) assert.equal(math.half(Number(bits)), value);
  assert.ok(Number.isNaN(math.half(0x7e00)));
});

test("a pass is opened from the middle of a buffer, sizes and all", () => {
  const pass = samplePass();
  assert.deepEqual([pass.layers, pass.heads, pass.queries, pass.keys], [2, 2, 2, 3]);
  nearAll(math.headWeights(pass, 0, 0), [1, 0.5, 1, 0.5, 0.5, 0.25]);
});

test("bytes are roots of shares of their row's largest weight", () => {
  const pass = samplePass({ bytes: true }), share = byte => (byte / 255) ** 2;
  nearAll(math.headWeights(pass, 0, 0), [share(0), share(10), share(20), share(30) / 2, share(40) / 2, share(50) / 2]);
  nearAll(math.headWeights(pass, 0, 1), [share(60) / 4, share(70) / 4, share(80) / 4, 0, 0, 0]);
});

test("without padding a pass has the other rows and columns, of every array", () => {
  const pass = { ...samplePass({ mask: [1, 0, 0, 1, 1, 0, 0, 0, 1, 1, 0, 0] }), padding: { rows: [0], columns: [1] } };
  const bare = math.withoutPadding(pass);
  assert.deepEqual([bare.rows, bare.columns, bare.queries, bare.keys], [["b"], ["x", "z"], 1, 2]);
  nearAll(math.headWeights(bare, 1, 0), [3, 5].map(i => math.headWeights(pass, 1, 0)[i]));
  assert.deepEqual([...math.chosenMask(bare, 0, 0)], [1, 0]);
  assert.equal(math.withoutPadding(pass), bare);  // made once
  const whole = samplePass();
  assert.equal(math.withoutPadding({ ...whole, padding: null }).rows, whole.rows);
});

test("the strongest come in order, and ties keep theirs", () => {
  const values = Array.from({ length: 200 }, (_, i) => ((i * 7919) % 37) / 37 - 0.5);
  const sorted = values.map((_, i) => i).sort((a, b) => Math.abs(values[b]) - Math.abs(values[a]) || a - b);
  for (const n of [0, 1, 3, 20, 199, 200, 500]) assert.deepEqual(math.strongest(values, n), sorted.slice(0, n));
});

test("mean and max go over heads first, then layers", () => {
  const pass = samplePass(), one = (l, x) => math.headWeights(pass, l, x);
  nearAll(math.chosenWeights(pass, 1, "mean"), one(1, 0).map((x, i) => (x + one(1, 1)[i]) / 2));
  nearAll(math.chosenWeights(pass, "max", 0), one(0, 0).map((x, i) => Math.max(x, one(1, 0)[i])));
  nearAll(math.chosenWeights(pass, "max", "mean"),
          one(0, 0).map((x, i) => Math.max((x + one(0, 1)[i]) / 2, (one(1, 0)[i] + one(1, 1)[i]) / 2)));
  assert.equal(math.chosenWeights(pass, 1, "mean"), math.chosenWeights(pass, 1, "mean"));  // computed once
});

test("a mask of size 1 holds for every head; together a cell is allowed if any layer allows it", () => {
  const pass = samplePass({ mask: [1, 0, 0, 1, 1, 0, 0, 0, 1, 1, 0, 0] });
  assert.deepEqual([...math.chosenMask(pass, 0, 1)], [1, 0, 0, 1, 1, 0]);
  assert.deepEqual([...math.chosenMask(pass, "mean", 0)], [1, 0, 1, 1, 1, 0]);
  assert.equal(math.chosenMask(samplePass(), 0, 0), null);
});

test("a difference is the second less the first, and its extent has no sign", () => {
  const d = math.difference(Float32Array.of(0.5, 0), Float32Array.of(0.25, 0.125));
  assert.deepEqual([...d], [-0.25, 0.125]);
  assert.equal(math.extent(d), 0.25);
});

test("a thumbnail keeps the entry of each block that is farthest from zero", () => {
  const matrix = new Float32Array(36);
  matrix[7] = 0.9; matrix[8] = -1; matrix[35] = 0.1;
  const { values, rows, columns } = math.pool(matrix, 6, 6, 2);
  assert.deepEqual([rows, columns], [2, 2]);
  nearAll(values, [-1, 0, 0, 0.1]);
  assert.equal(math.pool(matrix, 6, 6, 50).rows, 6);
});

test("the strongest come first and ties keep their order", () => {
  assert.deepEqual(math.strongest([0.1, -0.5, 0.5, 0.2], 3), [1, 2, 3]);
  const matrix = Float32Array.of(0, 0.25, 0.5, 0.5, 0, -0.75);
  assert.deepEqual(math.strongestLinks(matrix, 3, 3), [{ query: 1, key: 2, weight: -0.75 }, { query: 0, key: 2, weight: 0.5 },
                                                       { query: 1, key: 0, weight: 0.5 }]);
  assert.deepEqual(math.strongestLinks(new Float32Array(4), 2, 5), []);
});

test("links are drawn by threshold, by rank within a query, and of the focused token alone", () => {
  const matrix = Float32Array.of(0.6, 0.3, 0.1, 0, 0.5, 0.5), all = { threshold: 0, top: 0, focus: NOTHING };
  const links = o => math.drawnLinks(matrix, 2, 3, { ...all, ...o }).sort();
  assert.deepEqual(links({}), [0, 1, 2, 4, 5]);
  assert.deepEqual(links({ threshold: 0.3 }).length, matrix.filter(x => x >= 0.3).length);
  assert.deepEqual(links({ top: 1 }), [0, 4]);
  assert.deepEqual(links({ top: 2, focus: { query: 0, key: null } }), [0, 1]);
  assert.deepEqual(links({ focus: { query: null, key: 1 } }), [1, 4]);
  assert.deepEqual(links({ focus: { query: 1, key: 0 } }), []);
});

test("the arithmetic of one weight goes from q and k to the softmax over the row", () => {
  const pass = { heads: 1, layers: 1, queries: 1, keys: 2, d_k: 2, query: Float32Array.of(1, 2), key: Float32Array.of(3, 4, 1, 0),
                 weights: Uint16Array.of(0x3c00, 0), scale: null, cache: new Map() };
  const a = math.arithmetic(pass, 0, 0, 0, 1), other = 11 / Math.SQRT2, own = 1 / Math.SQRT2;
  assert.deepEqual([[...a.query], [...a.key], [...a.products], a.dot], [[1, 2], [1, 0], [1, 0], 1]);
  near(a.score, own);
  near(a.weight, Math.exp(own) / (Math.exp(own) + Math.exp(other)));
  const masked = math.arithmetic({ ...pass, cache: new Map(), mask: Uint8Array.of(0, 1), maskShape: [1, 1, 1, 2], scale: 0.5 }, 0, 0, 0, 0);
  assert.deepEqual([masked.allowed, masked.weight, masked.weights, masked.scale], [false, 0, [0, 1], 0.5]);
});

test("arrow keys walk a map by query and key, a list by its one side, and stop at the ends", () => {
  const size = { queries: 2, keys: 3 }, at = (query, key) => ({ query, key });
  assert.deepEqual(math.walk("ArrowDown", NOTHING, size, "both"), at(0, 0));
  assert.deepEqual(math.walk("ArrowDown", at(0, 2), size, "both"), at(1, 2));
  assert.deepEqual(math.walk("ArrowDown", at(1, 2), size, "both"), at(1, 2));
  assert.deepEqual(math.walk("ArrowLeft", at(1, 2), size, "both"), at(1, 1));
  assert.deepEqual(math.walk("End", at(1, 0), size, "both"), at(1, 2));
  assert.deepEqual(math.walk("ArrowRight", NOTHING, size, "query"), at(0, null));
  assert.deepEqual(math.walk("ArrowRight", at(0, null), size, "query"), at(1, null));
  assert.deepEqual(math.walk("Home", at(null, 2), size, "key"), at(null, 0));
  assert.equal(math.walk("a", at(0, 0), size, "both"), null);
});

test("what cannot be seen in a token is shown", () => {
  assert.equal(math.visible(""), "∅");
  assert.equal(math.visible(" \n\t"), "␣↵⇥");
  assert.equal(math.visible("a b"), "a b");
  assert.equal(math.visible("a\u0007b"), "a␇b");
  assert.equal(math.visible("\u202eabc"), "⟨U+202E⟩abc");
  for (const kept of ["我爱", "مرحبا", "👩‍👩‍👧", "<script>", "é"]) assert.equal(math.visible(kept), kept);
});

test("a long token is cut between characters as readers count them", () => {
  assert.equal(math.elide("short"), "short");
  assert.equal(math.elide("x".repeat(100_000), 5), "xxxx…");
  assert.equal(math.elide("👩‍👩‍👧".repeat(6), 4), "👩‍👩‍👧".repeat(3) + "…");
  assert.equal(math.elide("👩‍👩‍👧".repeat(3), 4), "👩‍👩‍👧".repeat(3));
});

test("a text runs as its first letter with a direction does", () => {
  for (const tokens of [["the", "سلام"], ["我", "爱"], ["1", "."], []]) assert.equal(math.direction(tokens), "ltr", tokens);
  for (const tokens of [["سلام", "the"], ["1", "«", "שלום", "the"], ["ܫܠܡܐ"], ["ދިވެހި"]]) assert.equal(math.direction(tokens), "rtl", tokens);
});
