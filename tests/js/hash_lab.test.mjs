import assert from "node:assert/strict";
import { test } from "node:test";
import { hash, looks, neighbours, recall, sorted } from "../../course/widgets/hash_lab.js";

test("opposite points fall in opposite buckets", () => {
  const rotation = [[1, 0.2, -0.7], [0.3, 1, 0.5]];
  const [a, b] = hash([0.1, 0.6], rotation);
  assert.equal((a + 3) % 6, b);
});

test("sorting keeps points of one bucket as they stood", () => assert.deepEqual(sorted([2, 0, 2, 0, 1]), [1, 3, 4, 0, 2]));

test("the first chunk has none before it", () => {
  assert.deepEqual(looks([2, 0, 3, 1], 2), [[true, false, true, false], [true, true, true, true], [true, false, true, false], [true, true, true, true]]);
});

test("the nearest go round the circle", () => assert.deepEqual(neighbours([0.02, 0.5, 0.97], 1), [[2], [2], [0]]));

test("rounds together find what any of them found", () => {
  const near = [[1], [0]], yes = [[true, true], [false, true]], no = [[true, false], [true, true]];
  assert.deepEqual(recall([yes, no], near, 0), { p: 0.5, all: 1, looks: 2, found: 1 });
});
