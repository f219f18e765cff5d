import assert from "node:assert/strict";
import { test } from "node:test";
import { searched } from "../../course/widgets/glossary.js";

const TERMS = [
  { english: "mask", chinese: "掩码", meaning: "which query may attend" },
  { english: "query, key", chinese: "查询、键", meaning: "what asks" },
  { english: "GLUE", chinese: "GLUE 基准", meaning: "nine tasks" },
];
const names = text => searched(TERMS, text).map(t => t.english);

test("names come before meanings, in either language and either case", () => {
  assert.deepEqual(names("query"), ["query, key", "mask"]);
  assert.deepEqual(names(" glue "), ["GLUE"]);
  assert.deepEqual(names("掩"), ["mask"]);
});

test("nothing searched for finds all, nonsense nothing", () => {
  assert.equal(names("").length, 3);
  assert.deepEqual(names("zzz"), []);
});
