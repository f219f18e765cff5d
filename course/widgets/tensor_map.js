// A tensor as a heat map: a row for each token, every column there is, the value of each cell on pointing and by keys.
import { fill, fixed, h, isDark, onTheme } from "./common.js";
import { picture, prepare, ramp, rampStops } from "./explorer_draw.js";
import { elide, visible } from "./explorer_math.js";

const ROW = 18, LABEL = 104, WIDEST = 18, NARROWEST = 2;

/** Where the colours end: what 99 % of the values do not exceed in size, so that one outlier does not pale the rest.
 *  @param {Float32Array} values */
export function scaleEnd(values) {
  const sizes = Float32Array.from(values, Math.abs).sort();
  return sizes[Math.ceil(0.99 * sizes.length) - 1] || sizes.at(-1);
}

/** The share of the values beyond that, for people: "" or "0.8 %". */
export function shareBeyond(values, end) {
  const n = values.reduce((count, x) => count + (Math.abs(x) > end), 0);
  return n === 0 ? "" : `${(100 * n / values.length).toPrecision(1)} %`;
}

/** The width of a column: labelled ones take a label's, others share what room there is. */
export const columnWidth = (room, n, labelled) => (labelled ? WIDEST : Math.min(WIDEST, Math.max(NARROWEST, room / n)));

/** The cell that a key leads to. @param {[number, number]} cell @returns {[number, number]|null} */
export function walkCells([row, column], key, rows, columns) {
  const to = { ArrowUp: [row - 1, column], ArrowDown: [row + 1, column], ArrowLeft: [row, column - 1], ArrowRight: [row, column + 1],
               Home: [row, 0], End: [row, columns - 1] }[key];
  return to ? [Math.min(rows - 1, Math.max(0, to[0])), Math.min(columns - 1, Math.max(0, to[1]))] : null;
}

/** A value for people: 0.532, and 3e-5 where that would be 0.000. */
export const precise = x => (x !== 0 && Math.abs(x) < 0.0005 ? x.toExponential(1).replace(/-/g, "\u2212") : fixed(x, 3));

/** @typedef {{values: Float32Array, rows: string[], columns: string[]|null, n: number, signed: boolean,
 *             say: (row: number, column: number, value: string) => string}} Matrix  n columns; columns: their labels
 *  @param {{beyond: string, keys: string}} words
 *  @returns {{root: HTMLElement, draw: (caption: string, matrix: Matrix) => void, stop: () => void}} */
export function tensorMap(words) {
  const caption = h("figcaption"), rows = h("div", { class: "tm-rows", "aria-hidden": "true" }), columns = h("div", { class: "tm-columns", "aria-hidden": "true" });
  const canvas = h("canvas", { tabindex: 0, role: "application" }), cursor = h("div", { class: "tm-cursor" });
  const stage = h("div", { class: "tm-stage" }, canvas, cursor), legend = h("div", { class: "tm-legend" }), says = h("p", { class: "tm-says cw-number" });
  const root = h("figure", { class: "tm" }, caption,
    h("div", { class: "tm-scroll" }, h("div", { class: "tm-grid" }, h("div", { class: "tm-corner" }), columns, rows, stage)), legend, says);
  let matrix = null, cell = [0, 0], width = 1;

  const at = event => [Math.min(matrix.rows.length - 1, Math.floor(event.offsetY / ROW)), Math.min(matrix.n - 1, Math.floor(event.offsetX / width))];
  const sentence = ([row, column]) => matrix.say(row, column, precise(matrix.values[row * matrix.n + column]));
  canvas.addEventListener("pointermove", event => { says.textContent = sentence(at(event)); });
  canvas.addEventListener("pointerleave", () => mark());
  canvas.addEventListener("click", event => { cell = at(event); mark(); });
  canvas.addEventListener("keydown", event => {
    const to = walkCells(cell, event.key, matrix.rows.length, matrix.n);
    if (!to) return;
    event.preventDefault();
    event.stopPropagation();
    cell = to;
    mark();
    cursor.scrollIntoView({ block: "nearest", inline: "nearest" });
  });

  function mark() {
    Object.assign(cursor.style, { top: `${cell[0] * ROW}px`, left: `${cell[1] * width}px`, width: `${Math.max(3, width)}px`, height: `${ROW}px` });
    says.textContent = sentence(cell);
    canvas.setAttribute("aria-label", `${says.textContent}. ${words.keys}`);
  }

  function paint() {
    if (!matrix || !root.clientWidth) return;
    const { values, n, signed } = matrix, dark = isDark(), end = signed ? scaleEnd(values) : Math.max(...values);
    width = columnWidth(root.clientWidth - LABEL - 4, n, matrix.columns !== null);
    const ctx = prepare(canvas, n * width, matrix.rows.length * ROW);
    ctx.imageSmoothingEnabled = false;
    const colours = ramp(dark, signed);
    ctx.drawImage(picture(values, matrix.rows.length, n, { max: end, signed, mask: null, colours }), 0, 0, n * width, matrix.rows.length * ROW);
    const bar = h("span", { class: "tm-ramp" }), beyond = signed && shareBeyond(values, end);
    bar.style.background = `linear-gradient(to right, ${rampStops(dark, signed).join(", ")})`;
    legend.replaceChildren(h("span", {}, signed ? precise(-end) : "0"), bar, h("span", {}, precise(end)),
      ...(beyond ? [h("span", {}, fill(words.beyond, { share: beyond }))] : []));
    mark();
  }

  function draw(title, next) {
    const same = matrix && matrix.rows.length === next.rows.length && matrix.n === next.n;
    if (!same) cell = [0, 0];
    matrix = next;
    caption.textContent = title;
    const label = token => h("bdi", { title: visible(token).slice(0, 2000) }, elide(visible(token)));
    rows.replaceChildren(...matrix.rows.map(label));
    columns.replaceChildren(...(matrix.columns ?? []).map(label));
    paint();
  }

  const resized = new ResizeObserver(paint);
  resized.observe(root);
  const stopTheme = onTheme(paint);
  return { root, draw, stop: () => { resized.disconnect(); stopTheme(); } };
}
