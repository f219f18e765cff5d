import assert from "node:assert/strict";
import { test } from "node:test";
import { bill, bytes, duration, energy, three } from "../../course/widgets/budget.js";

const small = { layers: 4, width: 176, length: 256, vocabulary: 2048, batch: 2, tokens: 512, half: false, rate: 1e9, watts: 36 };

test("the bill of a small GPT", () => {
  const b = bill(small);
  assert.equal(b.parameters, 1901856);
  assert.equal(b.flops, 6782189568);
  assert.equal(b.peak, 12 * b.parameters + b.memory.activations);
  assert.ok(Math.abs(b.kilowattHours - b.seconds * 36 / 3.6e6) < 1e-12);
});

test("amounts for people", () => {
  assert.deepEqual([1234567, 0.0789, 45.64].map(three), ["1,230,000", "0.0789", "45.6"]);
  assert.deepEqual([bytes(7.6e6), energy(0.02), energy(3), duration(90, ["s", "min", "h", "d", "y"]), duration(7.9e7, ["s", "min", "h", "d", "y"])], ["7.6 MB", "20 Wh", "3 kWh", "90 s", "2.5 y"]);
});
