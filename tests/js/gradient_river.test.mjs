import assert from "node:assert/strict";
import { test } from "node:test";
import { decades, factorOf, power } from "../../course/widgets/gradient_river.js";

test("numbers of any size can be read", () => {
  assert.deepEqual([0.35, 1, 12.4, 999.4, 1000, 0.0099, 3.17e-5, 9.96e-9, 2.5e21].map(power),
    ["0.35", "1.00", "12", "999", "1.0 · 10³", "9.9 · 10⁻³", "3.2 · 10⁻⁵", "1.0 · 10⁻⁸", "2.5 · 10²¹"]);
});

test("clipping shortens what is too long and nothing else", () => {
  assert.equal(factorOf([1, 3, 4], null), 1);
  assert.equal(factorOf([1, 3, 4], 8), 1);
  assert.equal(factorOf([1, 3, 4], 2), 0.25);
});

test("marks are few, and one is among them", () => {
  assert.deepEqual(decades(-2, 3), [-2, -1, 0, 1, 2, 3]);
  for (const [low, high] of [[-30, 1], [-1, 18], [-7, 90]]) {
    const marks = decades(low, high);
    assert.ok(marks.length <= 9 && marks.includes(0) && marks[0] >= low && marks.at(-1) <= high);
  }
});
