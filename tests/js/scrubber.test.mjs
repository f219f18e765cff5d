import assert from "node:assert/strict";
import { test } from "node:test";
import { curve, path } from "../../course/widgets/scrubber.js";

test("the loss curve runs by step, not by index, and falls as the loss falls", () => {
  const [[x0, y0], [x1, y1], [x2, y2]] = curve([0, 100, 400], [3, 2, 1]);
  assert.ok(Math.abs((x1 - x0) / (x2 - x0) - 0.25) < 1e-9);
  assert.ok(y0 < y1 && y1 < y2);
});

test("a loss that never changes is a level line", () => {
  assert.deepEqual(curve([1, 2], [0.5, 0.5]).map(([, y]) => y), [51, 51]);
});

test("a loss that is no number leaves a gap", () => {
  const points = curve([0, 1, 2, 3], [2, null, 1, 0]);
  assert.ok(Number.isNaN(points[1][1]) && points.filter((_, i) => i !== 1).flat().every(Number.isFinite));
  assert.equal(path(points).replace(/[\d. ]+/g, ""), "MML");
});
