import assert from "node:assert/strict";
import { test } from "node:test";
import { LAST, lookUp, positionOf, reach, sectors, sentence, temperatureAt, vector, writtenOut } from "../../course/widgets/dictionary.js";

const KEYS = [[2, 0], [0, 1]], VALUES = [[10], [20]];

test("temperature 0 gives the best key's value, a high one the plain average", () => {
  assert.deepEqual(lookUp([1, 1], KEYS, VALUES, 0), { scores: [2, 1], weights: [1, 0], output: [10] });
  assert.ok(Math.abs(lookUp([1, 1], KEYS, VALUES, 1e6).output[0] - 15) < 1e-4);
});

test("the slider's positions and temperatures go there and back", () => {
  assert.equal(temperatureAt(0), 0);
  assert.ok(Math.abs(temperatureAt(1) - 0.01) < 1e-12 && Math.abs(temperatureAt(LAST) - 10) < 1e-9);
  for (let p = 0; p <= LAST; p++) assert.equal(positionOf(temperatureAt(p)), p);
  assert.deepEqual([positionOf(1e-9), positionOf(1e9)], [1, LAST]);
});

test("a sum is written out as it is added", () => {
  assert.equal(vector([1, -0.5]), "(1, −0.5)");
  assert.equal(writtenOut([0.25, 0.75], VALUES, [17.5]), "0.25 · 10 + 0.75 · 20 = 17.5");
});

test("the square holds every point", () => {
  assert.equal(reach([[1, -4], [2, 0]]), 5);
  assert.ok(reach([[0, 0]]) > 0);
});

test("the sentence says look-up, soft look-up or average", () => {
  const words = { hard: "only {key}: {output}", soft: "{percent} % {key}", average: "average {output}" };
  const say = (weights, temperature) => sentence({ weights, output: [12] }, ["cat", "dog"], temperature, words);
  assert.equal(say([1, 0], 0), "only cat: 12");
  assert.equal(say([0.2, 0.8], 1), "80 % dog");
  assert.equal(say([0.51, 0.49], 9), "average 12");
});

test("the regions go once round, and in each of them its key is the best match", () => {
  const keys = [[2, 0], [1, 2], [-1.5, 1]], found = sectors(keys);
  assert.deepEqual(new Set(found.map(s => s.key)), new Set([0, 1, 2]));
  assert.equal(found[0].from, 0);
  assert.ok(Math.abs(found.at(-1).to - 2 * Math.PI) < 1e-12);
  for (const { key, from, to } of found) {
    const a = (from + to) / 2;
    assert.equal(lookUp([Math.cos(a), Math.sin(a)], keys, [[0], [0], [0]], 0).weights[key], 1);
  }
});
