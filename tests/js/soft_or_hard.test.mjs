import assert from "node:assert/strict";
import { test } from "node:test";
import { drawn, estimate, exactGradient, numbers, random, spread } from "../../course/widgets/soft_or_hard.js";

const P = [0.5, 0.3, 0.2], R = [-1, -2, -0.5];

test("random numbers come again from their seed and lie in [0, 1)", () => {
  const [a, b] = [random(4), random(4)], some = Array.from({ length: 500 }, a);
  assert.deepEqual(some.slice(0, 5), Array.from({ length: 5 }, b));
  assert.ok(some.every(u => u >= 0 && u < 1) && Math.abs(some.reduce((x, y) => x + y) / 500 - 0.5) < 0.06);
});

test("a cell is drawn where the probabilities have added up", () => {
  assert.deepEqual([0, 0.49, 0.5, 0.79, 0.8, 0.9999].map(u => drawn(P, u)), [0, 0, 1, 1, 2, 2]);
});

test("the estimates' mean over every possible look is the exact gradient", () => {
  const mean = [0, 0, 0];
  P.forEach((p, k) => estimate(P, [k], R, false).forEach((g, j) => { mean[j] += p * g; }));
  exactGradient(P, R).forEach((g, j) => assert.ok(Math.abs(g - mean[j]) < 1e-12));
  const pairs = [0, 0, 0];
  P.forEach((p, k) => P.forEach((q, l) => estimate(P, [k, l], R, true).forEach((g, j) => { pairs[j] += p * q * g; })));
  exactGradient(P, R).forEach((g, j) => assert.ok(Math.abs(g - pairs[j]) < 1e-12));
});

test("more looks spread less", () => {
  const at = looks => numbers({ scores: [1, 0, 0.5, -1], rewards: [-1, -3, -0.2, -2], pair: [0, 1], temperature: 1, looks, seed: 1 });
  assert.ok(spread(at(32).without) < spread(at(2).without) && spread(at(8).with) < spread(at(8).without));
});
