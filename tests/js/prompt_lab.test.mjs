import assert from "node:assert/strict";
import { test } from "node:test";
import { answers, outcome, seal, shown, together } from "../../course/widgets/prompt_lab.js";

const words = { outcome: "{answer} ({probability})", right: "right", wrong: "not {expected}", unknown: "unknown", turned: "turned {written}", sealed: "{before} = {after} after {count}", broken: "{before} ≠ {after}" };
const steps = [{ probability: 0.5 }, { probability: 0.5 }];

test("a reply to an earlier prompt is none to this one", () => {
  assert.ok(answers({ prompt: "1+1=" }, "1+1="));
  assert.ok(!answers({ prompt: "1+1=" }, "1+12="));
});

test("the answer's probability is the product of its tokens'", () => {
  assert.equal(together(steps), 0.25);
  assert.equal(together([]), 1);
});

test("the outcome says whether the answer is right, if that is known", () => {
  const say = (answer, expected, problem = "", written = answer) => outcome({ answer, expected, problem, written, steps }, words);
  assert.equal(say("2", "2"), "2 (0.25) right");
  assert.equal(say("2", "3"), "2 (0.25) not 3");
  assert.equal(say("2", null), "2 (0.25) unknown");
  assert.equal(say("", null, "too long"), "");
  assert.equal(say("12", "12", "", "21"), "12 (0.25) right turned 21");
});

test("what would be invisible is shown by a sign", () => {
  assert.deepEqual(["\n", " ", "", " a", "猫"].map(shown), ["↵", "␣", "∅", " a", "猫"]);
});

test("the seal says so when the weights change", () => {
  assert.equal(seal({ before: "a", after: "a", count: 3 }, words), "a = a after 3");
  assert.match(seal({ before: "a", after: "b", count: 3 }, words), /≠/);
});
