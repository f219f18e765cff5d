import assert from "node:assert/strict";
import { test } from "node:test";
import { each, facts, power } from "../../course/widgets/memory_tape.js";

test("small numbers are written as powers", () => {
  assert.deepEqual([0.35, 12, 3.2e-5, 9.96e-4].map(power), ["0.35", "12", "3.2 · 10⁻⁵", "1.0 · 10⁻³"]);
});

test("facts are of the depth that is shown", () => {
  const measured = { stored: [1000, 2600], reversible: [500, 500], errors: { float32: [[1e-7], [3e-7, 1e-7]] } };
  assert.deepEqual(facts(measured, 2, "float32"), { depth: 2, dtype: "float32", stored: 3, reversible: 1, times: 5, error: "3.0 · 10⁻⁷" });
  assert.deepEqual(each(measured.stored), [1000, 1600]);
});
