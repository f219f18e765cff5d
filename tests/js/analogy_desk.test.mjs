import assert from "node:assert/strict";
import { test } from "node:test";
import { answers, plane, vector } from "../../course/widgets/analogy_desk.js";

test("with the inputs left in, c is best where the arrow is short", () => {
  const data = Float32Array.from([1, 0, 0.995, 0.0998, 0, 1, 0.1, 0.995]);
  assert.equal(answers(data, 2, [0, 1, 2], false)[0][0], 2);
  assert.equal(answers(data, 2, [0, 1, 2], true)[0][0], 3);
  assert.deepEqual(vector(Float32Array.from([1, 2, 3, 4]), 2, 1), [3, 4]);
});

test("three words that are one make a plane without NaN", () => {
  assert.ok(plane([1, 0], [1, 0], [1, 0], [0, 1]).flat().every(Number.isFinite));
});
