import assert from "node:assert/strict";
import { test } from "node:test";
import { beside, nearestYear, ofEvent, ofModel } from "../../course/widgets/era.js";
import { number } from "../../course/widgets/sizes.js";

const words = { domains: ["language", "pictures"], fields: { AI: "", ML: "", DL: "" }, unknown_number: "unknown", doubt: " ({confidence})",
  model: "{name}, {organization}, {day}, {group}, {parameters}, {compute}{doubt}", event: "{day}, {field}: {name}. {what}. {source}" };

test("what is not known is said so, and what is not sure", () => {
  assert.equal(ofModel(["A", "", "2020-01-01", 2020, 1, null, 2e9, "Likely"], words), "A, ?, 2020-01-01, pictures, unknown, 2 billion (likely)");
  assert.equal(ofModel(["A", "B", "2020-01-01", 2020, 0, 5, null, "Confident"], words), "A, B, 2020-01-01, language, 5, unknown");
});

test("a field stands inside all around it", () => {
  assert.equal(ofEvent(["X", "2012-12-03", 2012.9, "DL", "what", "who"], words), "2012-12-03, DL ⊂ ML ⊂ AI: X. what. who");
});

test("keys and large numbers", () => {
  assert.deepEqual([beside([1, 5, 9], 5, 1), beside([1, 5, 9], 9, 1), nearestYear([1, 5, 9], 6)], [9, 9, 1]);
  assert.deepEqual([999, 1e6, 1.755e11, 3.14e23].map(x => number(x)), ["999", "1 million", "176 billion", "3.1 · 10²³"]);
});
