// That the numbers are those of course.positions is in tests/widgets/test_position_explorer.py.
import assert from "node:assert/strict";
import { test } from "node:test";
import { blockOf, curve, curveGap, floats, pairAt, rotationError, speed, turn, verdict } from "../../course/widgets/position_explorer.js";

test("packed numbers are read wherever they lie in their buffer", () => {
  const bytes = new Uint8Array(13);
  bytes.set(new Uint8Array(Float32Array.of(1.5, -2).buffer), 5);
  assert.deepEqual([...floats(new DataView(bytes.buffer, 5, 8))], [1.5, -2]);
});

test("both dimensions of a pair have the pair's speed", () => {
  assert.equal(speed(0, 4), 1);
  assert.equal(speed(2, 4), speed(3, 4));
  assert.ok(Math.abs(speed(2, 4) - 0.01) < 1e-12);
});

const clock = angle => [Math.sin(angle), Math.cos(angle)];
const table = [0, 1, 2].flatMap(pos => [...clock(pos), ...clock(0.01 * pos)]);
const block = angle => [Math.cos(angle), Math.sin(angle), -Math.sin(angle), Math.cos(angle)];
const rotations = [-2, -1, 0, 1, 2].flatMap(k => [...block(k), ...block(0.01 * k)]);

test("a block turns a pair on by k", () => {
  const [x, y] = turn(blockOf(rotations, 3, 4, 2, 3), pairAt(table, 4, 0, 3));
  assert.ok(Math.abs(x - Math.sin(0.02)) < 1e-12 && Math.abs(y - Math.cos(0.02)) < 1e-12);
});

test("the rotation's error is the largest over all dimensions", () => {
  const data = { table, rotations, n: 3, dModel: 4 };
  assert.ok(rotationError(data, 2, -1) < 1e-12);
  assert.ok(Math.abs(rotationError({ ...data, table: table.map((v, i) => (i === 7 ? v + 0.25 : v)) }, 0, 1) - 0.25) < 1e-12);
});

test("a curve runs over the distances of its query; gaps count shared distances alone", () => {
  const near = [9, 1, 0, 1, 9, 1, 0, 1, 9], other = [...near];
  other[8] = 5;
  assert.deepEqual(curve(near, 3, 1), [[-1, 1], [0, 9], [1, 1]]);
  assert.equal(curveGap([near], 3, 0, 2), 0);
  assert.equal(curveGap([near, other], 3, 0, 2), 4);
});

test("equal curves say distance; k = 0 says nothing", () => {
  assert.deepEqual([verdict(1e-6, 10, 3), verdict(2, 10, 3), verdict(0, 10, 0)], ["alone", "apart", "one"]);
});
