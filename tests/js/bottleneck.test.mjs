import assert from "node:assert/strict";
import { test } from "node:test";
import { facts, letter } from "../../course/widgets/bottleneck.js";

test("the example's letters are sixteen", () => {
  assert.equal(new Set(Array.from({ length: 16 }, (_, i) => letter(i))).size, 16);
});

test("a sentence's numbers are whole per cents", () => {
  const at = { right: 0.546, low: 0.5, high: 0.6, places: [0.999, 0.4, 0.123] };
  assert.deepEqual(facts(at, 8, 3), { size: 8, n: 3, right: 55, low: 50, high: 60, first: 100, last: 12 });
});
