import assert from "node:assert/strict";
import { test } from "node:test";
import { bell, localP } from "../../course/widgets/window.js";

test("the bell is 1 at the place and falls with σ = D/2", () => {
  assert.equal(bell(3, 3, 2), 1);
  assert.ok(Math.abs(bell(4, 3, 2) - Math.exp(-0.5)) < 1e-12);
});

test("outside the window there is nothing, inside the sum stays below one", () => {
  const found = localP([0, 1, 2, 3, 4], 1.5, 1);
  assert.deepEqual(found.weights.map(w => w > 0), [false, true, true, false, false]);
  assert.ok(found.sum < 1 && Math.abs(found.softmax.reduce((a, b) => a + b) - 1) < 1e-12);
  assert.ok(Math.abs(found.again.reduce((a, b) => a + b) - 1) < 1e-12);
});

test("a window between two far words holds nothing, and says so without NaN", () => {
  assert.deepEqual(localP([1, 2], 0.5, 0.25), { softmax: [0, 0], weights: [0, 0], again: [0, 0], sum: 0 });
});
