// What a bar and a number say; that answers are shown is in tests/widgets and tests/browser.
import assert from "node:assert/strict";
import { test } from "node:test";
import { chance, wide } from "../../course/widgets/ask_box.js";

test("a bar stays within its track", () => {
  assert.deepEqual([0, 0.5, 2, -1].map(wide), ["0.0%", "50.0%", "100.0%", "0.0%"]);
});

test("a small chance keeps its digits, and the smallest is not nothing", () => {
  assert.deepEqual([1, 0.25, 0.0997, 0.03, 0.0001].map(chance), ["1.00", "0.25", "0.10", "0.030", "< 0.001"]);
});
