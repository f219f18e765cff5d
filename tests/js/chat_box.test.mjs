import assert from "node:assert/strict";
import { test } from "node:test";
import { head, isRead } from "../../course/widgets/chat_box.js";

test("the newest turns are read", () => {
  assert.deepEqual(isRead(3, 1), [false, false, true]);
  assert.deepEqual(isRead(2, 5), [true, true]);
});

test("the head counts", () => {
  const words = { says: "{turns} {read} {ids} {most}", empty: "nothing" };
  assert.deepEqual([head(0, [0, 0], 256, words), head(4, [2, 31], 256, words)], ["nothing", "4 2 31 256"]);
});
