import assert from "node:assert/strict";
import { test } from "node:test";
import { inkOn, level, pixels, ramp } from "../../course/widgets/explorer_draw.js";

const linear = c => (c / 255 <= 0.04045 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4);
const luminance = rgb => [0.2126, 0.7152, 0.0722].reduce((sum, w, i) => sum + w * linear(rgb[i]), 0);
const contrast = (a, b) => (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
const steps = (dark, signed) => { const r = ramp(dark, signed); return Array.from({ length: 256 }, (_, i) => luminance(r.subarray(3 * i, 3 * i + 3))); };

for (const dark of [false, true]) {
  test(`the ${dark ? "dark" : "light"} ramp changes its lightness in one direction only`, () => {
    const direction = dark ? 1 : -1, s = steps(dark, false);
    for (let i = 1; i < 256; i++) assert.ok(direction * (s[i] - s[i - 1]) >= -1e-9, `step ${i}`);
    assert.ok(contrast(s[0], s[255]) > 7);
  });

  test(`the ${dark ? "dark" : "light"} signed ramp leaves the middle in both directions`, () => {
    const direction = dark ? 1 : -1, s = steps(dark, true);
    for (let i = 129; i < 256; i++) assert.ok(direction * (s[i] - s[i - 1]) >= -2e-3, `step ${i}`);
    for (let i = 126; i >= 0; i--) assert.ok(direction * (s[i] - s[i + 1]) >= -2e-3, `step ${i}`);
  });

  test(`numbers can be read on every step (${dark ? "dark" : "light"})`, () => {
    for (const signed of [false, true])
      steps(dark, signed).forEach((l, i) => assert.ok(contrast(l, inkOn(i, dark, signed) === "#000000" ? 0 : 1) >= 4.5, `step ${i}`));
  });
}

test("a value's step: 0 at the foot, the largest at the head, zero in the middle where there are signs", () => {
  assert.deepEqual([level(0, 1, false), level(1, 1, false), level(2, 1, false)], [0, 255, 255]);
  assert.deepEqual([level(-1, 1, true), level(0, 1, true), level(1, 1, true)], [0, 128, 255]);
  assert.deepEqual([level(0, 0, false), level(0, 0, true)], [0, 128]);
});

test("masked cells are clear, but a weight that leaks through the mask is drawn", () => {
  const colours = ramp(false, false);
  const out = pixels(Float32Array.of(0, 0.5, 0), { max: 1, signed: false, mask: Uint8Array.of(0, 0, 1), colours });
  assert.deepEqual([out[3], out[7], out[11]], [0, 255, 255]);
  assert.deepEqual([...out.subarray(8, 11)], [255, 255, 255]);
});
