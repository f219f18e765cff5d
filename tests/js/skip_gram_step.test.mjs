import assert from "node:assert/strict";
import { test } from "node:test";
import { shares, sigmoid, step } from "../../course/widgets/skip_gram_step.js";

test("at right angles σ is a half and each loss is ln 2", () => {
  assert.equal(sigmoid(0), 0.5);
  const { found, loss } = shares([1, 0], [[0, 1], [0, -2]]);
  assert.deepEqual(found, [0.5, 0.5]);
  assert.ok(Math.abs(loss - 2 * Math.LN2) < 1e-12);
});

test("the true pair comes nearer and the negative goes away", () => {
  const { centre, others } = step([1, 0], [[0, 1], [1, 0]], 0.1);
  assert.ok(centre[1] > 0 && others[0][0] > 0 && others[1][0] < 1);
});
