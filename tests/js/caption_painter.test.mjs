import assert from "node:assert/strict";
import { test } from "node:test";
import { choices, facts, shares } from "../../course/widgets/caption_painter.js";

const sizes = { layers: 2, heads: 2, n: 1, grid: 9 };

test("weights of all heads, of a layer and of one head are means of rows", () => {
  const bytes = Uint8Array.from([255, 0, 0, 255, 51, 204, 102, 153]);  // [layer, head, square, column]
  assert.deepEqual(shares(bytes, sizes, -1, 0).map(x => Number(x.toFixed(3))), [0.4, 0.6]);
  assert.deepEqual(shares(bytes, sizes, 0, 0), [0.5, 0.5]);
  assert.deepEqual(shares(bytes, sizes, 4, 0).map(x => Number(x.toFixed(3))), [0.2, 0.8]);
  assert.equal(choices(sizes, { every: "all", layer: "{layer}", head: "{layer}.{head}" }).length, 7);
});

test("the sentence tells of the square's words and of earlier squares", () => {
  const found = facts({ words: ["a", "star"], codes: [7], chances: [0.5] }, [0.25, 0.5, 0.125], 0, { n: 81, grid: 9 });
  assert.deepEqual(found, { token: 1, n: 81, row: 1, column: 1, code: 7, chance: "0.500", words: "0.75", most: "star", most_is: "0.50", picture: "0.13" });
});
