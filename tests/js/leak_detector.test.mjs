import assert from "node:assert/strict";
import { test } from "node:test";
import { judge, summary, verdict } from "../../course/widgets/leak_detector.js";

const WORDS = { clean: "{position} ({token}) moves {outputs}", leak: "LEAK: {outputs} saw {position} ({token})", nothing: "{position} moves none",
                tight: "0 in {pairs}", leaky: "{leaks} of {pairs}" };

test("an output before the change that moves is a leak; rounding is not movement", () => {
  assert.deepEqual(judge([[1, 1], [1e-8, 1]], 1e-6), [["moved", "moved"], ["still", "moved"]]);
  assert.deepEqual(judge([[1, 1], [1e-3, 1]], 1e-6), [["moved", "moved"], ["leak", "moved"]]);
});

test("a verdict names the outputs", () => {
  assert.equal(verdict(["still", "moved", "moved"], 1, "cat", WORDS), "1 (cat) moves 1, 2");
  assert.equal(verdict(["leak", "moved", "moved"], 1, "cat", WORDS), "LEAK: 0 saw 1 (cat)");
  assert.equal(verdict(["still", "still", "still"], 1, "cat", WORDS), "1 moves none");
});

test("the summary counts leaks among the pairs that could leak", () => {
  assert.equal(summary([["moved", "moved"], ["leak", "moved"]], WORDS), "1 of 1");
  assert.equal(summary([["moved", "moved", "still"], ["still", "moved", "still"], ["still", "still", "moved"]], WORDS), "0 in 3");
});
