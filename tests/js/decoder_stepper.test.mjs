import assert from "node:assert/strict";
import { test } from "node:test";
import { awaited, chance, lookedAt, take, total } from "../../course/widgets/decoder_stepper.js";

const PATH = [{ id: 7, log_p: -1 }, { id: 8, log_p: -0.5 }, { id: 2, log_p: -0.25 }];

test("ln P runs along the path", () => {
  assert.deepEqual([0, 1, 3].map(at => total(PATH, at)), [0, -1, -1.75]);
});

test("the token on the path is taken without the kernel", () => {
  assert.deepEqual(take({ path: PATH, at: 1 }, 8, false), { at: 2 });
  assert.deepEqual(take({ path: PATH, at: 1 }, 8, true), { at: 2 });
});

test("another token needs the kernel, and begins another path", () => {
  assert.equal(take({ path: PATH, at: 1 }, 9, false), null);
  assert.deepEqual(take({ path: PATH, at: 1 }, 9, true), { begun: [7, 9], at: 2 });
});

test("a path is awaited until one is there that begins as asked", () => {
  assert.ok(!awaited([], PATH) && !awaited([7, 8], PATH));
  assert.ok(awaited([7, 9], PATH) && awaited([7, 8, 2, 5], PATH));
});

test("a head's weights, or the mean of a layer's, at one step", () => {
  const HALVES = { 0: 0x0000, 0.25: 0x3400, 0.5: 0x3800, 0.75: 0x3a00, 1: 0x3c00 };
  const weights = [[[[1, 0], [0.5, 0.5]]], [[[0.25, 0.75], [0.75, 0.25]]]].flat(3);  // step, layer, head, source
  const buffer = new DataView(Uint16Array.from(weights, w => HALVES[w]).buffer);
  const sizes = { layers: 1, heads: 2, source: 2 };
  assert.deepEqual(lookedAt(buffer, sizes, 1, 0, 0), [0.25, 0.75]);
  assert.deepEqual(lookedAt(buffer, sizes, 0, 0, null), [0.75, 0.25]);
});

test("no probability but 0 reads as 0", () => {
  assert.deepEqual([0, 1e-5, 0.0004, 0.0005, 0.5324, 1].map(chance), ["0.000", "1e\u22125", "4e\u22124", "0.001", "0.532", "1.000"]);
});
