import assert from "node:assert/strict";
import { test } from "node:test";
import { counts, pairNumber, pairsOf, precision, ranked } from "../../course/widgets/contact_map.js";

test("a pair's number is its place in the list of pairs", () => {
  for (const [n, apart] of [[9, 6], [12, 3], [7, 1]]) pairsOf(n, apart).forEach(([i, j], k) => assert.equal(pairNumber(n, apart, i, j), k));
  assert.equal(pairNumber(9, 6, 2, 7), -1);
});

test("the best come first, equal ones as they stand, and near ones are hits", () => {
  const order = ranked([1, 3, 3, 2]);
  assert.deepEqual(order, [1, 2, 3, 0]);
  assert.deepEqual(precision(order, [9, 7, 9, 9], 2, 8), { hits: 1, precision: "0.50", chance: "0.250" });
});

test("letters that stand together more often than they would come first", () => {
  const found = counts([0, 0, 1, 1], [0, 0, 1, 1], [1, 1, 1, 1], "-A", 2);
  assert.deepEqual(found, [["--", 2, 1], ["-A", 0, 1]]);
});
