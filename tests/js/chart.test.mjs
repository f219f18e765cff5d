import assert from "node:assert/strict";
import { test } from "node:test";
import { between, linear, logarithmic, path, ticks } from "../../course/widgets/chart.js";

test("a scale takes its ends to its ends", () => {
  const x = linear(-1, 1, 100, 0), log = logarithmic(1, 1024, 0, 10);
  assert.deepEqual([x(-1), x(0), x(1)], [100, 50, 0]);
  assert.deepEqual([1, 32, 1024].map(v => Math.round(log(v) * 1e9) / 1e9), [0, 5, 10]);
  assert.equal(linear(3, 3, 7, 9)(3), 7);  // a scale of one point
});

test("ticks are round, inside, and about four", () => {
  assert.deepEqual(ticks(0, 1), [0, 0.25, 0.5, 0.75, 1]);
  assert.deepEqual(ticks(0, 32), [0, 10, 20, 30]);
  assert.deepEqual(ticks(-15.75, 0).map(v => v + 0), [-15, -10, -5, 0]);
  for (const top of [0.3, 2.08, 7, 63, 1234]) assert.ok(ticks(0, top).length >= 3 && ticks(0, top).at(-1) < top + 1e-9);
});

test("paths go through their points; a band goes there and back", () => {
  assert.equal(path([[0, 1], [2.25, 3]]), "M0.0 1.0L2.3 3.0");
  assert.equal(between([0, 1], [5, 6], [1, 2]), "M0.0 1.0L1.0 2.0L1.0 6.0L0.0 5.0Z");
});
