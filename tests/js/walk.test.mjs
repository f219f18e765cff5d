import assert from "node:assert/strict";
import { test } from "node:test";
import { covers, known, look, valueAt } from "../../course/widgets/walk.js";

const STEPS = [
  { output: null, reads: [["x", 0, null]], writes: [["query", 0, null]] },
  { output: 0, reads: [["query", 0, null]], writes: [["weighted", 1, null]] },
  { output: 1, reads: [["query", 0, 1]], writes: [["weighted", 0, null]] },
];

test("a region with null covers all rows or columns", () => {
  assert.ok(covers(["x", 0, null], "x", 0, 7));
  assert.ok(!covers(["x", 0, null], "x", 1, 7) && !covers(["x", 0, null], "y", 0, 7));
});

test("a number is known from the step that writes it", () => {
  assert.ok(known(STEPS, 0, "query", 0, 1) && !known(STEPS, 0, "weighted", 1, 0));
  assert.ok(known(STEPS, 1, "weighted", 1, 0));
});

test("the weighted values of one output are gone when the next begins", () => {
  assert.ok(!known(STEPS, 2, "weighted", 1, 0) && known(STEPS, 2, "weighted", 0, 0));
});

test("a cell is written, read, known or still empty", () => {
  assert.equal(look(STEPS, 0, false, "query", 0, 1), "writes");
  assert.equal(look(STEPS, 1, false, "query", 0, 1), "reads");
  assert.equal(look(STEPS, 2, false, "query", 0, 0), "known");
  assert.equal(look(STEPS, 2, false, "output", 0, 0), "");
  assert.equal(look(STEPS, 2, true, "x", 3, 0), "known");
});

test("a stack of matrices shows the one of the present output", () => {
  assert.equal(valueAt([[[1]], [[2]]], STEPS[2], 0, 0), 2);
  assert.equal(valueAt([[[1]], [[2]]], STEPS[0], 0, 0), 1);
  assert.equal(valueAt([[5, 6]], STEPS[2], 0, 1), 6);
});
