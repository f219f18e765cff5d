import assert from "node:assert/strict";
import { test } from "node:test";
import { nearestPlaces, towards, uncovered } from "../../course/widgets/word_map.js";

test("labels that would cover one another are left out, the first stays", () => {
  assert.deepEqual(uncovered([{ x: 0, y: 0, width: 30 }, { x: 10, y: 3, width: 30 }, { x: 10, y: 20, width: 30 }, { x: 119, y: 0, width: 40 }, { x: 125, y: 2, width: 40 }]),
    [true, false, true, true, false]);
});

test("the nearest in a direction, and none behind the edge", () => {
  const at = Float32Array.from([0, 0, 5, 0, 0, 1]);
  assert.equal(towards(at, 0, [1, 0]), 1);
  assert.equal(towards(at, 0, [-1, 0]), -1);
  assert.deepEqual(nearestPlaces(at, 0, 2), [2, 1]);
});
