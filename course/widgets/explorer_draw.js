// What the explorer puts on a canvas. Each function draws from its arguments alone.

// Lightness falls steadily along each ramp, so colour-blind readers and grey printers see the same order.
const RAMPS = {
  light: ["#ffffff", "#d3e4f3", "#93c4de", "#4a98c9", "#1764ab", "#08306b"],
  dark: ["#161616", "#14304f", "#1b558c", "#3a86c2", "#84bfe8", "#f2f9ff"],
  lightSigned: ["#7f3b08", "#d9751a", "#f6c68a", "#ffffff", "#93c4de", "#2a7ab9", "#08306b"],
  darkSigned: ["#ffe0b8", "#e8923a", "#8a4a10", "#161616", "#1b558c", "#5aa5dc", "#e3f2ff"],
};
const channels = colour => [1, 3, 5].map(i => parseInt(colour.slice(i, i + 2), 16));

/** @typedef {{dark: boolean, fg: string, bg: string, line: string, accent: string, query: string, key: string}} Theme */

/** The colours of a ramp, 256 steps of red, green, blue. @param {boolean} dark @param {boolean} signed */
export function ramp(dark, signed) {
  return (ramps[`${dark} ${signed}`] ??= makeRamp(dark, signed));
}
const ramps = {};

function makeRamp(dark, signed) {
  const stops = rampStops(dark, signed).map(channels), out = new Uint8ClampedArray(768);
  for (let i = 0; i < 256; i++) {
    const x = i / 255 * (stops.length - 1), a = Math.min(Math.floor(x), stops.length - 2);
    for (let c = 0; c < 3; c++) out[3 * i + c] = stops[a][c] + (x - a) * (stops[a + 1][c] - stops[a][c]);
  }
  return out;
}
export const rampStops = (dark, signed) => RAMPS[(dark ? "dark" : "light") + (signed ? "Signed" : "")];

/** Where on the ramp a value lies, 0 to 255. */
export const level = (value, max, signed) =>
  max === 0 ? (signed ? 128 : 0) : Math.min(255, Math.max(0, Math.round(255 * (signed ? (value / max + 1) / 2 : value / max))));

/** A matrix as RGBA pixels, one a cell; masked cells are left clear, for the hatching under them.
 *  @param {Float32Array} matrix @param {{max: number, signed: boolean, mask: Uint8Array|null, colours: Uint8Array}} o */
export function pixels(matrix, { max, signed, mask, colours }) {
  const out = new Uint8ClampedArray(4 * matrix.length);
  for (let i = 0, j = 0; i < matrix.length; i++, j += 4) {
    if (mask && !mask[i] && matrix[i] === 0) continue;
    const at = 3 * level(matrix[i], max, signed);
    out[j] = colours[at]; out[j + 1] = colours[at + 1]; out[j + 2] = colours[at + 2]; out[j + 3] = 255;
  }
  return out;
}

/** A canvas with one pixel a cell, to be drawn larger without smoothing. */
export function picture(matrix, rows, columns, o) {
  const canvas = new OffscreenCanvas(columns, rows);
  canvas.getContext("2d").putImageData(new ImageData(pixels(matrix, o), columns, rows), 0, 0);
  return canvas;
}

/** Give a canvas its size in CSS pixels and clear it. @returns {CanvasRenderingContext2D} scaled to CSS pixels */
export function prepare(canvas, width, height) {
  const ratio = devicePixelRatio || 1, w = Math.max(1, Math.round(width * ratio)), h = Math.max(1, Math.round(height * ratio));
  if (canvas.width !== w || canvas.height !== h) {
    Object.assign(canvas, { width: w, height: h });
    Object.assign(canvas.style, { width: `${width}px`, height: `${height}px` });
  }
  const ctx = canvas.getContext("2d");
  ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
  ctx.clearRect(0, 0, width, height);
  return ctx;
}

/** Grey with thin diagonals: cannot be taken for a weight of zero. @param {Theme} theme */
export function hatch(ctx, theme) {
  const tile = new OffscreenCanvas(7, 7), t = tile.getContext("2d");
  t.fillStyle = theme.dark ? "#3a3a3a" : "#e4e4e4";
  t.fillRect(0, 0, 7, 7);
  t.strokeStyle = theme.dark ? "#6a6a6a" : "#b0b0b0";
  t.beginPath();
  for (const x of [-7, 0, 7]) { t.moveTo(x - 1, 8); t.lineTo(x + 8, -1); }
  t.stroke();
  const pattern = ctx.createPattern(tile, "repeat");
  pattern.setTransform(new DOMMatrix().scale(1 / (devicePixelRatio || 1)));
  return pattern;
}

/** The heat map. @param {{matrix: Float32Array, queries: number, keys: number, max: number, signed: boolean, mask: Uint8Array|null}} pane
 *  (and, of a pass with padding, its places)
 *  @param {OffscreenCanvas} image @param {number} cell @param {{focus: Focus, pinned: boolean, theme: Theme, number: (x: number) => string}} o */
export function drawHeatmap(canvas, pane, image, cell, { focus, pinned, theme, number }) {
  const { queries, keys } = pane, width = keys * cell, height = queries * cell, ctx = prepare(canvas, width, height);
  ctx.fillStyle = pane.mask ? hatch(ctx, theme) : theme.bg;
  ctx.fillRect(0, 0, width, height);
  ctx.imageSmoothingEnabled = false;
  ctx.drawImage(image, 0, 0, width, height);
  if (cell >= 30) drawNumbers(ctx, pane, cell, theme, number);
  if (pane.padding) veilPadding(ctx, pane.padding, cell, width, height, theme);
  if (pinned) dimOthers(ctx, focus, cell, width, height, theme);
  ctx.strokeStyle = theme.line;
  ctx.strokeRect(0.5, 0.5, width - 1, height - 1);
  ctx.strokeStyle = theme.fg;
  ctx.lineWidth = Math.max(1, Math.min(2, cell / 6));
  if (focus.query !== null) ctx.strokeRect(0.5, focus.query * cell, width - 1, cell);
  if (focus.key !== null) ctx.strokeRect(focus.key * cell, 0.5, cell, height - 1);
}

function drawNumbers(ctx, { matrix, queries, keys, max, signed, mask }, cell, theme, number) {
  ctx.font = `${Math.min(13, cell / 2.9)}px system-ui, sans-serif`;
  ctx.textAlign = "center";
  ctx.textBaseline = "middle";
  for (let q = 0; q < queries; q++)
    for (let k = 0; k < keys; k++) {
      const x = matrix[q * keys + k];
      if (mask && !mask[q * keys + k] && x === 0) continue;
      ctx.fillStyle = inkOn(level(x, max, signed), theme.dark, signed);
      ctx.fillText(number(x), (k + 0.5) * cell, (q + 0.5) * cell + 0.5);
    }
}

/** Black or white, whichever is read better on that step of the ramp. */
export const inkOn = (step, dark, signed) =>
  (inks[`${dark} ${signed}`] ??= Array.from({ length: 256 }, (_, at) => makeInk(at, dark, signed)))[step];
const inks = {};

function makeInk(step, dark, signed) {
  const [r, g, b] = ramp(dark, signed).subarray(3 * step, 3 * step + 3);
  const light = [r, g, b].map(c => (c / 255 <= 0.04045 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4));
  return 0.2126 * light[0] + 0.7152 * light[1] + 0.0722 * light[2] > 0.179 ? "#000000" : "#ffffff";
}

/** Veil the rows and columns of padding. */
function veilPadding(ctx, { rows, columns }, cell, width, height, theme) {
  ctx.save();
  ctx.globalAlpha = 0.6;
  ctx.fillStyle = theme.bg;
  for (const q of rows) ctx.fillRect(0, q * cell, width, cell);
  for (const k of columns) ctx.fillRect(k * cell, 0, cell, height);
  ctx.restore();
}

/** Veil what lies outside the focused row and column. */
function dimOthers(ctx, { query, key }, cell, width, height, theme) {
  const spans = (at, n) => (at === null ? [[0, n]] : [[0, at * cell], [(at + 1) * cell, n]]);
  ctx.save();
  ctx.globalAlpha = 0.6;
  ctx.fillStyle = theme.bg;
  for (const [top, bottom] of spans(query, height))
    for (const [left, right] of spans(key, width)) ctx.fillRect(left, top, right - left, bottom - top);
  ctx.restore();
}

const STRENGTHS = 16;

/** Lines from queries (left) to keys (right), opacity and width by weight; one path a strength keeps 16 000 lines quick.
 *  @param {number[]} links indices into the matrix @param {{row: number, width: number, theme: Theme}} o */
export function drawLines(canvas, { matrix, queries, keys, max, signed }, links, { row, width, theme }) {
  const ctx = prepare(canvas, width, row * Math.max(queries, keys));
  const paths = new Map();
  for (const i of links) {
    const strength = Math.ceil(Math.abs(matrix[i]) / max * STRENGTHS) * (matrix[i] < 0 ? -1 : 1);
    if (!paths.has(strength)) paths.set(strength, new Path2D());
    const path = paths.get(strength), k = i % keys, q = (i - k) / keys;
    path.moveTo(0, (q + 0.5) * row);
    path.lineTo(width, (k + 0.5) * row);
  }
  const [minus, plus] = theme.dark ? ["#f0a350", "#6bb6ff"] : ["#b85a00", "#0063a6"];
  for (const [strength, path] of [...paths].sort(([a], [b]) => Math.abs(a) - Math.abs(b))) {
    const s = Math.abs(strength) / STRENGTHS;
    ctx.globalAlpha = 0.04 + 0.96 * s;
    ctx.lineWidth = 0.6 + Math.min(3, row / 8) * s;
    ctx.strokeStyle = signed && strength < 0 ? minus : plus;
    ctx.stroke(path);
  }
}

/** The overview: one thumbnail a head. @param {(OffscreenCanvas)[][]} images layers × heads
 *  @param {{side: number, gap: number, chosen: [number, number]|null, ablated: Set<string>, theme: Theme}} o */
export function drawOverview(canvas, images, { side, gap, chosen, ablated, theme }) {
  const pitch = side + gap, ctx = prepare(canvas, images[0].length * pitch, images.length * pitch);
  const hatching = hatch(ctx, theme);
  images.forEach((row, l) => row.forEach((image, x) => {
    const left = x * pitch + gap / 2, top = l * pitch + gap / 2;
    ctx.fillStyle = hatching;
    ctx.fillRect(left, top, side, side);
    ctx.imageSmoothingEnabled = image.width > side;
    ctx.drawImage(image, left, top, side, side);
    ctx.lineWidth = 1;
    ctx.strokeStyle = theme.line;
    ctx.strokeRect(left - 0.5, top - 0.5, side + 1, side + 1);
    if (ablated.has(`${l},${x}`)) cross(ctx, left, top, side, theme);
  }));
  if (!chosen) return;
  ctx.lineWidth = 3;
  ctx.strokeStyle = theme.accent;
  ctx.strokeRect(chosen[1] * pitch + 1.5, chosen[0] * pitch + 1.5, pitch - 3, pitch - 3);
}

function cross(ctx, left, top, side, theme) {
  ctx.lineWidth = 2;
  ctx.strokeStyle = theme.dark ? "#ff9a4d" : "#b34f00";
  ctx.beginPath();
  ctx.moveTo(left, top); ctx.lineTo(left + side, top + side);
  ctx.moveTo(left + side, top); ctx.lineTo(left, top + side);
  ctx.stroke();
}

/** Signed bars around a middle line, as in the arithmetic. @param {ArrayLike<number>} values @param {string} colour */
export function drawBars(canvas, values, { width, height, max, colour, theme }) {
  const ctx = prepare(canvas, width, height), bar = width / values.length, middle = height / 2;
  ctx.fillStyle = colour;
  for (let i = 0; i < values.length; i++) {
    const length = max ? values[i] / max * (middle - 1) : 0;
    ctx.fillRect(i * bar, Math.min(middle, middle - length), Math.max(1, bar - 1), Math.abs(length));
  }
  ctx.fillStyle = theme.line;
  ctx.fillRect(0, middle - 0.5, width, 1);
}
