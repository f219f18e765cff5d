import assert from "node:assert/strict";
import { test } from "node:test";
import { fill, fixed, softmax, subscripts, tidy } from "../../course/widgets/common.js";

test("numbers carry a true minus sign and never a negative zero", () => {
  assert.equal(fixed(-1.234), "−1.23");
  assert.equal(fixed(-0.001), "0.00");
  assert.equal(fixed(-0.4, 0), "0");
  assert.equal(tidy(4), "4");
  assert.equal(tidy(-0.501), "−0.5");
  assert.equal(tidy(100, 0), "100");
});

test("fill puts values where their names stand and leaves markup as text", () => {
  assert.equal(fill("{a} of {b}, {a}", { a: 1, b: "<b>" }), "1 of <b>, 1");
});

test("softmax survives large scores and rows that may attend nowhere", () => {
  assert.deepEqual(softmax([1000, 1000]), [0.5, 0.5]);
  assert.deepEqual(softmax([-Infinity, -Infinity]), [0, 0]);
  assert.deepEqual(softmax([0, -Infinity]), [1, 0]);
});

test("only d_k and the W's carry subscripts, not a token with an underscore", () => {
  globalThis.document = { createElement: () => ({ setAttribute() {}, append(text) { this.text = text; } }) };
  const lowered = text => subscripts(text).filter(part => typeof part === "object").map(part => part.text);
  assert.deepEqual(lowered("√d_k = 8, W_Q"), ["k", "Q"]);
  assert.deepEqual(lowered("_start old_king"), []);
  delete globalThis.document;
});
