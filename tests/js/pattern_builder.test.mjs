import assert from "node:assert/strict";
import { test } from "node:test";
import { buildPattern, hops, way } from "../../course/widgets/pattern_builder.js";

const lots = Array.from({ length: 36 }, (_, i) => (17 * i) % 101);

test("a row picks the free cells with the smallest lots, and no more than are free", () => {
  const kinds = buildPattern(lots, 6, 6, 1, 1, 2);
  for (const [i, row] of kinds.entries()) if (i) assert.equal(row.filter(k => k === "random").length, Math.min(2, row.filter(k => k === "random" || k === "").length));
  assert.ok(kinds[0].every(k => k === "global") && kinds.every(row => row[0] === "global"));
  assert.deepEqual(buildPattern(lots, 6, 4, 6, 0, 3).flat().filter(k => k !== "window"), []);
});

test("ways run along cells that are there", () => {
  const kinds = buildPattern(lots, 6, 6, 1, 0, 0), steps = hops(kinds);
  assert.equal(steps[5][0], 5);
  assert.deepEqual(way(kinds, steps, 5, 2), [5, 4, 3, 2]);
  assert.deepEqual(way(kinds, steps, 3, 3), [3]);
  const alone = buildPattern(lots, 6, 6, 0, 0, 0);
  assert.equal(hops(alone)[0][1], -1);
  assert.deepEqual(way(alone, hops(alone), 0, 1), []);
});
