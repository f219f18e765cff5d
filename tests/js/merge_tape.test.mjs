import assert from "node:assert/strict";
import { test } from "node:test";
import { asBytes, encode, marksTo, ranksOf, shown, tokensOf, tree, wordPieces } from "../../course/widgets/merge_tape.js";

const merges = [["t", "h"], ["th", "e"], ["Ġ", "the"]], ranks = ranksOf(merges);

test("the merge learned first is made first, and only the first n are", () => {
  assert.deepEqual(encode("the", ranks, 0), ["t", "h", "e"]);
  assert.deepEqual(encode("the", ranks, 1), ["th", "e"]);
  assert.deepEqual(tokensOf("the the", ranks, 3), ["the", "Ġthe"]);
});

test("a token's tree goes down to its bytes", () => {
  assert.deepEqual(tree("the", merges, 3), { token: "the", rank: 1, parts: [{ token: "th", rank: 0, parts: [{ token: "t" }, { token: "h" }] }, { token: "e" }] });
  assert.deepEqual(tree("x", merges, 3), { token: "x" });
});

test("bytes that are no character are shown as numbers, markup as text", () => {
  assert.equal(shown(asBytes("新").slice(0, 1)), "<E6>");
  assert.equal(shown(asBytes(" 新")), "·新");
  assert.equal(shown(asBytes("<b>")), "<b>");
});

test("WordPiece gives up a whole word", () => {
  assert.deepEqual(wordPieces("Cats zz", new Set(["cat", "##s", "z"])), ["cat", "##s", "[UNK]"]);
  assert.deepEqual(marksTo(0), [0]);
});
