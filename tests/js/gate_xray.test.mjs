import assert from "node:assert/strict";
import { test } from "node:test";
import { cellSentence, halfLife, lasting, leftOver, shownAs } from "../../course/widgets/gate_xray.js";

const WORDS = { below: "none", one: "one", more: "{n} of them", cell: "{cell} {character} {forget} {input} {output} {holds} {lasts}",
                lasts: "half after {steps}.", through: "{share} left." };

test("a gate of one half halves at every step", () => {
  assert.equal(halfLife(0.5), 1);
  assert.ok(Math.abs(halfLife(0.99) - 68.97) < 0.01);
  assert.ok(Number.isFinite(halfLife(1)) && halfLife(0) > 0);
});

test("a half-life and a share are written for people", () => {
  assert.deepEqual([0.4, 1.2, 34.4, 1e9].map(x => lasting(x, WORDS)), ["none", "one", "34 of them", "9999 of them"]);
  assert.deepEqual([0.5, 0.004, 1e-6].map(leftOver), ["50 %", "0.4 %", "under 0.1 %"]);
  assert.deepEqual(["a", " ", "\n"].map(shownAs), ["a", "␣", "↵"]);
});

test("the sentence speaks of the cell at the character", () => {
  const lines = [[0.1, 0.5, 0.5], [0.2, 0.3, 0.4], [0.6, 0.7, 0.8], [0.1, -0.2, -0.5]];
  assert.equal(cellSentence(lines, 2, 7, " ", WORDS), "7 ␣ 50% 40% 80% −0.50 half after one. 25 % left.");
});
