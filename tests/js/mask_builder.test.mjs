// That masks and Python agree over many settings is in tests/widgets/test_mask_builder.py.
import assert from "node:assert/strict";
import { test } from "node:test";
import { expression, flip, maskedWeights, sentence } from "../../course/widgets/mask_builder.js";

test("the Python shown is what a person would write", () => {
  assert.equal(expression(4, { causal: true }), "mask = causal_mask(4)");
  assert.equal(expression(4, { causal: true, padding: 0 }), "mask = combine(causal_mask(4), padding_mask([0], 4))");
  assert.equal(expression(2, {}), "mask = torch.ones(2, 2, dtype=torch.bool)");
  assert.match(expression(4, { window: 1 }, [[0, 3], [2, 0]]), /flips\[\[0, 2\], \[3, 0\]\] = True\nmask = window_mask\(4, 1\) \^ flips$/);
});

test("a second flip undoes the first", () => {
  assert.deepEqual(flip([[0, 1]], 2, 3), [[0, 1], [2, 3]]);
  assert.deepEqual(flip([[0, 1], [2, 3]], 0, 1), [[2, 3]]);
});

test("the weights of a row sum to one over the keys left, or are zeros", () => {
  assert.deepEqual(maskedWeights([[0, 0, 9], [1, 2, 3]], [[true, true, false], [false, false, false]]), [[0.5, 0.5, 0], [0, 0, 0]]);
});

test("the sentence tells what became of a score", () => {
  const words = { kept: "{query}{key} {score} {total} {weight} {before}", masked: "{score} gone, was {before}", empty: "{query} nowhere" };
  const say = (mask, k) => sentence(["a", "b"], [[0, 0], [0, 0]], [mask, mask], 0, k, words);
  assert.equal(say([true, true], 1), "ab 0.00 2.00 0.50 0.50");
  assert.equal(say([true, false], 1), "0.00 gone, was 0.50");
  assert.equal(say([false, false], 1), "a nowhere");
});
