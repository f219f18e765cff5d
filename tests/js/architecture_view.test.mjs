import assert from "node:assert/strict";
import { test } from "node:test";
import { blocks, bypassed, shapeText, values } from "../../course/widgets/architecture_view.js";
import { columnWidth, precise, scaleEnd, shareBeyond, walkCells } from "../../course/widgets/tensor_map.js";

const parts = (...kinds) => kinds.map(kind => ({ kind, layer: 0 }));
const kinds = groups => groups.map(group => group.map(part => part.kind));

test("a shape names its axes", () => {
  assert.equal(shapeText([["source", 9], ["d_model", 256]]), "source 9 × d_model 256");
});

test("values come out of the buffer where they lie, also the second of two matrices", () => {
  const buffer = new DataView(Uint16Array.from([0, 0x3c00, 0xbc00, 0x3800, 0x4000]).buffer);  // 0, 1, -1, 0.5, 2
  assert.deepEqual([...values(buffer, { start: 2, shape: [2, 2] })], [1, -1, 0.5, 2]);
  assert.deepEqual([...values(buffer, { start: 2, shape: [2, 1, 2] }, 1)], [0.5, 2]);
});

test("what is summed stands side by side, what a block holds in it, the rest by itself", () => {
  const [embedding, positions, sum, norm] = ["embedding", "positions", "embedded", "last_norm"].map(kind => ({ kind, layer: null }));
  const block = { kind: "encoder_block", layer: 0 }, inside = parts("self_attention", "add");
  assert.deepEqual(blocks([embedding, positions, sum, block, ...inside, norm]),
    [{ inside: [embedding, positions] }, { inside: [sum] }, { block, inside }, { inside: [norm] }]);
});

test("post-norm: the connection passes by the sublayer, and the norm comes after", () => {
  assert.deepEqual(kinds(bypassed(parts("self_attention", "add", "norm", "feed_forward", "add", "norm"))),
    [["self_attention", "add"], ["norm"], ["feed_forward", "add"], ["norm"]]);
});

test("pre-norm: the connection passes by the norm too", () => {
  assert.deepEqual(kinds(bypassed(parts("norm", "self_attention", "add", "norm", "feed_forward", "add"))),
    [["norm", "self_attention", "add"], ["norm", "feed_forward", "add"]]);
});

test("one outlier in two hundred does not set the scale, and is owned up to", () => {
  const sample = Float32Array.from({ length: 200 }, (_, i) => (i === 0 ? -50 : (i % 2 ? 1 : -1) * i / 200));
  assert.ok(scaleEnd(sample) < 1 && scaleEnd(sample) > 0.9);
  assert.equal(shareBeyond(sample, 1), "0.5 %");
  assert.equal(shareBeyond(sample, 50), "");
  assert.equal(scaleEnd(Float32Array.from([0, 0, 0])), 0);
});

test("columns share the room, but none is too narrow to point at", () => {
  assert.deepEqual([columnWidth(512, 256, false), columnWidth(512, 1024, false), columnWidth(512, 16, false), columnWidth(10, 40, true)], [2, 2, 18, 18]);
});

test("keys walk over the cells and stop at the edges", () => {
  assert.deepEqual(walkCells([0, 0], "ArrowUp", 3, 5), [0, 0]);
  assert.deepEqual(walkCells([0, 0], "ArrowDown", 3, 5), [1, 0]);
  assert.deepEqual(walkCells([1, 2], "End", 3, 5), [1, 4]);
  assert.equal(walkCells([1, 2], "Enter", 3, 5), null);
});

test("no value but 0 reads as 0", () => {
  assert.deepEqual([0, -0.5324, 0.00002, -0.00002].map(precise), ["0.000", "\u22120.532", "2.0e\u22125", "\u22122.0e\u22125"]);
});
