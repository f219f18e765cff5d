// That the probabilities are those of course.text.sampling is in tests/widgets/test_sampling_playground.py.
import assert from "node:assert/strict";
import { test } from "node:test";
import { choicesOfK, draw, fullBar, percent, ranked, sieve, summary, taken, visible } from "../../course/widgets/sampling_playground.js";

const LOGITS = [0.4, 0.3, 0.2, 0.1].map(Math.log);
const near = (xs, ys) => xs.forEach((x, i) => assert.ok(Math.abs(x - ys[i]) < 1e-9, `${[...xs]} is not ${ys}`));

test("the order is that of the logits; equal ones stay as they were", () => {
  assert.deepEqual([...ranked(Float32Array.of(1, 3, 2, 3))], [1, 3, 2, 0]);
});

test("without filters nothing is taken out, and the temperature sharpens or evens out", () => {
  const plain = sieve(LOGITS, { temperature: 1, topK: null, topP: null });
  near(plain.before, [0.4, 0.3, 0.2, 0.1]);
  near(plain.after, plain.before);
  assert.ok(sieve(LOGITS, { temperature: 0.5, topK: null, topP: null }).after[0] > 0.5);
  near(sieve(LOGITS, { temperature: 1e9, topK: null, topP: null }).after, [0.25, 0.25, 0.25, 0.25]);
});

test("top-p keeps the token that crosses, and always one", () => {
  const kept = topP => sieve(LOGITS, { temperature: 1, topK: null, topP }).by.filter(name => !name).length;
  assert.deepEqual([0.05, 0.39, 0.41, 0.69, 0.71, 1].map(kept), [1, 1, 2, 2, 3, 4]);
});

test("top-k keeps what ties with the last", () => {
  assert.deepEqual(sieve([2, 1, 1, 0], { temperature: 1, topK: 2, topP: null }).by, ["", "", "", "top_k"]);
});

test("temperature 0 leaves the first of the likeliest", () => {
  const { after, by } = sieve([1, 1, 0], { temperature: 0, topK: 2, topP: 0.5 });
  assert.deepEqual([...after], [1, 0, 0]);
  assert.deepEqual(by, ["", "temperature", "temperature"]);
});

test("a number falls on a bar that is not empty", () => {
  assert.deepEqual([0, 0.69, 0.71, 0.999].map(u => draw([0.7, 0, 0.3], u)), [0, 0, 2, 2]);
});

test("what cannot be seen gets a sign", () => {
  assert.deepEqual([" the", "\n", "", "a b", "  ", "\t猫"].map(visible), ["␣the", "↵", "∅", "a b", "␣␣", "⇥猫"]);
});

test("numbers for people", () => {
  assert.deepEqual([0.5, 0.0321, 1].map(percent), ["50 %", "3.2 %", "100 %"]);
  assert.deepEqual([0.03, 0.2, 0.26, 0.9].map(fullBar), [0.1, 0.25, 0.5, 1]);
  assert.deepEqual(choicesOfK(5), [1, 2, 3, 4, null]);
});

test("the sentences count", () => {
  const words = { nothing: "nothing", summary: "{n} {bits} {perplexity}", took: "{filter} {n} {share};", top_k: "K", top_p: "P", temperature: "T" };
  assert.equal(summary([null], words), "nothing");
  assert.equal(summary([null, 1, 3], words), "2 2.00 4.0");
  assert.equal(taken(sieve(LOGITS, { temperature: 1, topK: 3, topP: 0.5 }), words), "K 1 10 %; P 1 20 %;");
});
