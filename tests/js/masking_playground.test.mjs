// That it rolls as Python does is in tests/widgets/test_masking_playground.py.
import assert from "node:assert/strict";
import { test } from "node:test";
import { chance, interval, percent, rebalance, replacement, roll, shares, tally } from "../../course/widgets/masking_playground.js";

const SPLIT = [0.8, 0.1, 0.1], SPECIAL = [true, ...new Array(40).fill(false), true];

test("random numbers are even, and no two rolls alike", () => {
  const drawn = Array.from({ length: 20000 }, (_, i) => chance(i % 100, i));
  const inBins = drawn.reduce((bins, u) => (bins[Math.floor(10 * u)]++, bins), new Array(10).fill(0));
  for (const n of inBins) assert.ok(Math.abs(n - 2000) < 5 * Math.sqrt(2000 * 0.9), `${inBins}`);
  assert.notEqual(chance(1, 0), chance(2, 0));
});

test("special tokens are never chosen, and a higher rate chooses what a lower one chose", () => {
  for (let seed = 0; seed < 50; seed++) {
    const low = roll(SPECIAL, seed, 0.15, SPLIT), high = roll(SPECIAL, seed, 0.6, SPLIT);
    assert.equal(low[0], "special");
    assert.equal(low.at(-1), "special");
    low.forEach((name, i) => name === "left" || assert.equal(high[i], name));
  }
});

test("shares of one decide alone", () => {
  for (const [split, name] of [[[1, 0, 0], "masked"], [[0, 1, 0], "replaced"], [[0, 0, 1], "kept"]])
    assert.deepEqual(new Set(roll(SPECIAL, 3, 1, split)), new Set(["special", name]));
});

test("counts are those of theory, within five standard deviations", () => {
  const counts = tally(SPECIAL, 0, 999, 0.15, SPLIT);
  assert.equal(counts.special, 2000);
  for (const { k, n, expected } of shares(counts, 0.15, SPLIT))
    assert.ok(Math.abs(k - n * expected) < 5 * Math.sqrt(n * expected * (1 - expected)), `${k} of ${n}, ${expected}`);
});

test("95 % intervals hold the true share in about 95 % of cases", () => {
  let held = 0;
  for (let seed = 0; seed < 2000; seed++) {
    const [{ k, n }] = shares(tally(SPECIAL, seed, seed, 0.15, SPLIT), 0.15, SPLIT);
    const [low, high] = interval(k, n);
    held += low <= 0.15 && 0.15 <= high;
  }
  assert.ok(held > 0.92 * 2000 && held < 0.98 * 2000, `${held}`);
  assert.deepEqual(interval(0, 0), [0, 1]);
  assert.equal(interval(0, 5)[0], 0);
  assert.equal(interval(5, 5)[1], 1);
});

test("three shares stay three shares", () => {
  const near = (xs, ys) => xs.forEach((x, i) => assert.ok(Math.abs(x - ys[i]) < 1e-12, `${xs} is not ${ys}`));
  near(rebalance([0.8, 0.1, 0.1], 0, 0.5), [0.5, 0.25, 0.25]);
  near(rebalance([0.6, 0.3, 0.1], 1, 0.65), [0.3, 0.65, 0.05]);
  near(rebalance([1, 0, 0], 0, 0.4), [0.4, 0.3, 0.3]);
  near(rebalance([0.5, 0.25, 0.25], 2, 1), [0, 0, 1]);
});

test("a replacement is one of the candidates", () => {
  const drawn = Array.from({ length: 1000 }, (_, seed) => replacement(seed, 2, 7));
  assert.deepEqual([...new Set(drawn)].sort(), [0, 1, 2, 3, 4, 5, 6]);
});

test("shares for people", () => assert.deepEqual([percent(0.15), percent(0.1234, 1), percent(1)], ["15 %", "12.3 %", "100 %"]));
