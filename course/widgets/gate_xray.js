// Every cell of an LSTM over a text: one row a cell, one column a character; below, the gates of the chosen cell.
import { linear, path } from "./chart.js";
import { fill, fixed, frame, h, isDark, oncePerFrame, onTheme, svg, watch } from "./common.js";
import { picture, prepare, ramp, rampStops } from "./explorer_draw.js";
import { sentenceBox } from "./sentence.js";
import { precise, scaleEnd, walkCells } from "./tensor_map.js";

const PITCH = 14, THIN = 2, LINES = 150;
const GATES = ["forget", "input", "output", "cell"];

/** A character as a label shows it. */
export const shownAs = c => ({ " ": "␣", "\n": "↵" })[c] ?? c;

/** Steps until half is left, if the gate stays as it is. @param {number} forget */
export const halfLife = forget => Math.log(0.5) / Math.log(Math.min(1 - 1e-7, Math.max(1e-12, forget)));

/** A half-life in characters, for people. @param {number} steps @param {{below: string, one: string, more: string}} words */
export function lasting(steps, words) {
  if (steps < 1) return words.below;
  return Math.round(steps) === 1 ? words.one : fill(words.more, { n: Math.min(steps, 9999).toFixed(0) });
}

/** What is left, in per cent. @param {number} part */
export function leftOver(part) {
  const percent = 100 * part;
  return percent < 0.1 ? "under 0.1 %" : percent < 1 ? `${percent.toFixed(1)} %` : `${percent.toFixed(0)} %`;
}

/** What the chosen cell does at a character, in words.
 *  @param {number[][]} lines forget, input, output and content over the text @param {number} at */
export function cellSentence(lines, at, cell, character, words) {
  const percent = x => `${(100 * x).toFixed(0)}%`, [forget, input, output, holds] = lines.map(line => line[at]);
  const said = fill(words.cell, { cell, character: shownAs(character), forget: percent(forget), input: percent(input), output: percent(output),
    holds: fixed(holds), lasts: fill(words.lasts, { steps: lasting(halfLife(forget), words) }) });
  return `${said} ${fill(words.through, { share: leftOver(lines[0].slice(1).reduce((a, b) => a * b, 1)) })}`;
}

/** The three gates and tanh of the content as curves, on the columns of the picture above. */
function gateCurves() {
  const root = svg("svg", { role: "img", height: LINES });
  const draw = (lines, at, label) => {
    const n = lines[0].length, width = n * PITCH, x = i => (i + 0.5) * PITCH, y = linear(-1, 1, LINES - 6, 6);
    root.setAttribute("viewBox", `0 0 ${width} ${LINES}`);
    root.setAttribute("width", width);
    root.setAttribute("aria-label", label);
    root.replaceChildren(
      ...[-1, 0, 1].map(v => svg("line", { x1: 0, x2: width, y1: y(v), y2: y(v), class: "axis" })),
      ...lines[3].map((c, i) => { const v = Math.tanh(c); return svg("rect", { x: x(i) - 4, width: 8, y: Math.min(y(0), y(v)), height: Math.abs(y(v) - y(0)), class: "holds" }); }),
      svg("line", { x1: x(at), x2: x(at), y1: 0, y2: LINES, class: "marker" }),
      ...[0, 1, 2].map(c => svg("path", { d: path(Array.from(lines[c], (v, i) => [x(i), y(v)])), class: `curve ${GATES[c]}` })));
  };
  return { root, draw };
}

function render({ model, el, experimental }) {
  const words = model.get("words"), box = sentenceBox(model, experimental);
  const set = values => { for (const [name, value] of Object.entries(values)) model.set(name, value); model.save_changes(); };
  const buttons = GATES.map(name => h("button", { type: "button", onclick: () => set({ channel: name }) }, words.channels[name]));
  const canvas = h("canvas", { tabindex: 0, role: "application" }), row = h("div", { class: "xr-row" }), column = h("div", { class: "xr-column" });
  const letters = h("div", { class: "xr-letters", "aria-hidden": "true" }), legend = h("div", { class: "xr-legend" }), stage = h("div", { class: "xr-stage" }, canvas, row, column);
  const below = gateCurves(), caption = h("figcaption"), says = h("p", { role: "status", class: "says" });
  const key = h("p", { class: "xr-key" }, ...["forget", "input", "output"].map(c => h("span", { class: c }, words.channels[c])), h("span", { class: "holds" }, "tanh(c)"));
  let values = null, n = 0;
  const open = () => {
    const view = model.get("data");
    values = Float32Array.from({ length: view.byteLength / 4 }, (_, i) => view.getFloat32(4 * i, true));
    n = model.get("characters").length;
  };
  const line = (channel, cell) => { const cells = model.get("order").length, start = (channel * cells + cell) * n; return Array.from(values.subarray(start, start + n)); };
  const paint = oncePerFrame(() => {
    const [characters, order, channel, cell, at] = ["characters", "order", "channel", "cell", "at"].map(name => model.get(name));
    const which = GATES.indexOf(channel), signed = channel === "cell", shown = new Float32Array(order.length * n);
    order.forEach((c, r) => shown.set(values.subarray((which * order.length + c) * n, (which * order.length + c + 1) * n), r * n));
    const end = signed ? scaleEnd(shown) : 1, dark = isDark(), ctx = prepare(canvas, n * PITCH, order.length * THIN);
    ctx.imageSmoothingEnabled = false;
    ctx.drawImage(picture(shown, order.length, n, { max: end, signed, mask: null, colours: ramp(dark, signed) }), 0, 0, n * PITCH, order.length * THIN);
    const bar = h("span", { class: "xr-ramp" });
    bar.style.background = `linear-gradient(to right, ${rampStops(dark, signed).join(", ")})`;
    legend.replaceChildren(h("span", {}, signed ? precise(-end) : "0"), bar, h("span", {}, signed ? precise(end) : "1"), h("span", {}, fill(words.rows, { n: order.length })));
    letters.replaceChildren(...characters.map((c, i) => h("bdi", { class: i === at ? "now" : "" }, shownAs(c))));
    Object.assign(row.style, { top: `${order.indexOf(cell) * THIN}px`, width: `${n * PITCH}px`, height: `${THIN}px` });
    Object.assign(column.style, { left: `${at * PITCH}px`, width: `${PITCH}px`, height: `${order.length * THIN}px` });
    buttons.forEach((b, i) => b.setAttribute("aria-pressed", GATES[i] === channel));
    const lines = GATES.map((_, c) => line(c, cell));
    caption.textContent = fill(words.lines, { cell });
    says.textContent = cellSentence(lines, at, cell, characters[at], words);
    below.draw(lines, at, says.textContent);
    canvas.setAttribute("aria-label", `${says.textContent} ${words.keys}`);
  });
  const place = event => set({ cell: model.get("order")[Math.min(model.get("order").length - 1, Math.floor(event.offsetY / THIN))], at: Math.min(n - 1, Math.floor(event.offsetX / PITCH)) });
  canvas.addEventListener("click", place);
  canvas.addEventListener("pointermove", event => { if (event.buttons) place(event); });
  canvas.addEventListener("keydown", event => {
    const order = model.get("order"), to = walkCells([order.indexOf(model.get("cell")), model.get("at")], event.key, order.length, n);
    if (!to) return;
    event.preventDefault();
    event.stopPropagation();
    set({ cell: order[to[0]], at: to[1] });
  });
  const reopen = () => { open(); paint(); };
  open();
  const stops = [box.stop, onTheme(paint), watch(model, ["channel", "cell", "at"], paint), watch(model, ["characters", "order", "data"], reopen)];
  el.append(frame("cw-xray", words.title, box.root, h("div", { class: "cw-controls" }, ...buttons), says,
    h("div", { class: "xr-scroll" }, letters, stage, h("figure", {}, caption, below.root)), key, legend));
  paint();
  return () => stops.forEach(stop => stop());
}

export default { render };
