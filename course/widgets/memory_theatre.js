// A Neural Turing Machine runs here, with any of its parts weakened; its heads and its memory over time.
import { fill, frame, h, oncePerFrame, roving, slider, softmax, svg, watch } from "./common.js";

const PARTS = ["strength", "search", "shift", "sharpening", "erasing"], LEAST = 1e-8;
const percent = share => Math.floor(100 * share + 0.5);
const sigmoid = x => 1 / (1 + Math.exp(-x)), softplus = x => (x > 20 ? x : Math.log1p(Math.exp(x)));

/** W x + b. @param {ArrayLike<number>} weight rows after one another */
function linear(weight, bias, x) {
  return Array.from(bias, (b, i) => { let sum = b; for (let j = 0; j < x.length; j++) sum += weight[i * x.length + j] * x[j]; return sum; });
}

/** One step of an LSTM, torch's order of gates: input, forget, new, output. */
function lstm(w, x, hidden, cell) {
  const a = linear(w["controller.weight_ih"], w["controller.bias_ih"], x), b = linear(w["controller.weight_hh"], w["controller.bias_hh"], hidden);
  const n = hidden.length, gate = (k, i) => a[k * n + i] + b[k * n + i];
  const next = cell.map((c, i) => sigmoid(gate(1, i)) * c + sigmoid(gate(0, i)) * Math.tanh(gate(2, i)));
  return [next.map((c, i) => sigmoid(gate(3, i)) * Math.tanh(c)), next];
}

const length = v => Math.max(Math.sqrt(v.reduce((sum, x) => sum + x * x, 0)), 1e-12);

/** Search, gate, shift, sharpen: where a head looks now. */
export function address(memory, key, strength, gate, kernel, sharpness, previous) {
  const n = memory.length, long = length(key);
  const found = softmax(memory.map(slot => strength * slot.reduce((sum, x, i) => sum + x * key[i], 0) / (long * length(slot))));
  const mixed = found.map((c, i) => gate * c + (1 - gate) * previous[i]);
  const moved = mixed.map((w, i) => kernel[0] * mixed[(i + 1) % n] + kernel[1] * w + kernel[2] * mixed[(i + n - 1) % n]);
  return softmax(moved.map(w => sharpness * Math.log(Math.max(w, LEAST))));
}

/** What the controller asks of head 0 (reads) or 1 (writes), weakened. */
function wishes(asked, h_, width, parts) {
  const at = h_ * (width + 6), key = asked.slice(at, at + width).map(Math.tanh);
  const [strength, sharpness, gate] = asked.slice(at + width, at + width + 3), stay = 1 - parts.shift;
  const kernel = softmax(asked.slice(at + width + 3, at + width + 6)).map((k, i) => parts.shift * k + (i === 1 ? stay : 0));
  return [key, parts.strength * softplus(strength), parts.search * sigmoid(gate), kernel, 1 + parts.sharpening * softplus(sharpness)];
}

/** All steps. @param {number[][]} inputs @returns {{read: number[][], write: number[][], memory: number[][][], logits: number[][]}} */
export function run(w, sizes, inputs, slots, start, parts) {
  const { hidden: size, width } = sizes, zeros = n => new Array(n).fill(0);
  let hidden = zeros(size), cell = zeros(size), seen = zeros(width);
  let weights = [zeros(slots).map(() => 1 / slots), zeros(slots).map((_, i) => (i === 0 ? 1 : 0))];
  let memory = zeros(slots).map(() => zeros(width).map(() => start));
  const out = { read: [], write: [], memory: [], logits: [] };
  for (const x of inputs) {
    [hidden, cell] = lstm(w, [...x, ...seen], hidden, cell);
    const asked = linear(w["heads.weight"], w["heads.bias"], hidden), change = linear(w["changes.weight"], w["changes.bias"], hidden);
    weights = weights.map((previous, k) => address(memory, ...wishes(asked, k, width, parts), previous));
    seen = zeros(width).map((_, j) => memory.reduce((sum, slot, i) => sum + weights[0][i] * slot[j], 0));
    const erase = change.slice(0, width).map(e => parts.erasing * sigmoid(e)), add = change.slice(width).map(Math.tanh);
    memory = memory.map((slot, i) => slot.map((m, j) => m * (1 - weights[1][i] * erase[j]) + weights[1][i] * add[j]));
    out.read.push(weights[0]); out.write.push(weights[1]); out.memory.push(memory);
    out.logits.push(linear(w["say.weight"], w["say.bias"], [...hidden, ...seen]));
  }
  return out;
}

/** The copy task: a sign, the rows, a sign, then nothing for as long. @param {number[][]} bits */
export function posed(bits) {
  const width = bits[0].length, blank = () => new Array(width + 2).fill(0);
  const sign = k => { const row = blank(); row[width + k] = 1; return row; };
  return [sign(0), ...bits.map(row => [...row, 0, 0]), sign(1), ...bits.map(blank)];
}

function weightsOf(model) {
  const view = model.get("weights"), all = {};
  for (const [name, at, n] of model.get("places")) all[name] = Float32Array.from({ length: n }, (_, i) => view.getFloat32(4 * (at + i), true));
  return all;
}

const TOP = 18, LABEL = 92, GAP = 16;

/** The sheet of cells: tapes, heads over time, the memory at one step. */
function sheet(words, model, set) {
  const root = svg("svg", { role: "group" });
  const cells = {};
  let turn = () => {}, shape = "", cursor;
  function lay(bits, slots, width) {
    const steps = 2 * bits.length + 2, side = Math.min(15, 470 / steps), down = 8, rows = bits[0].length;
    const grid = (name, x0, y0, rowsOf, columns, w, hgt, extra = () => ({})) => Array.from({ length: rowsOf }, (_, r) => Array.from({ length: columns }, (_, c) =>
      svg("rect", { class: `cell ${name}`, x: x0 + c * w + 0.5, y: y0 + r * hgt + 0.5, width: w - 1, height: hgt - 1, ...extra(r, c) })));
    const label = (text, x, y, anchor = "end") => svg("text", { x, y, "text-anchor": anchor }, text);
    let y = TOP;
    const parts = [], at = {};
    for (const [name, n, hgt] of [["inputs", rows + 2, 10], ["outputs", rows, 10], ["writing", slots, down], ["reading", slots, down]]) {
      at[name] = y;
      cells[name] = grid(name, LABEL, y, n, steps, side, hgt);
      parts.push(label(words[name], LABEL - 8, y + n * hgt / 2 + 4), ...cells[name].flat());
      y += n * hgt + GAP;
    }
    const right = LABEL + steps * side + 46, wide = Math.min(14, 210 / width);
    cells.memory = grid("memory", right, at.writing, slots, width, wide, down);
    cells.caption = label("", right, at.writing - 5, "start");
    cursor = svg("rect", { class: "cursor", x: 0, y: TOP - 4, width: side, height: y - GAP - TOP + 8 });
    const numbers = Array.from({ length: slots }, (_, i) => i).filter(i => i % 4 === 0).flatMap(i => [label(i, right - 6, at.writing + i * down + 8)]);
    root.setAttribute("viewBox", `0 0 ${right + width * wide + 10} ${y}`);
    root.setAttribute("width", right + width * wide + 10);
    root.replaceChildren(cursor, ...parts, cells.caption, ...cells.memory.flat(), ...numbers, label(words.time, LABEL, TOP - 7, "start"));
    cells.side = side;
    for (const name of ["outputs", "writing", "reading"]) for (const row of cells[name]) row.forEach((cell, t) => cell.addEventListener("click", () => set("moment", t + 1)));
    const flat = Array.from({ length: rows }, (_, b) => bits.map((_, i) => [i, b])).flat();  // as they are drawn: time to the right
    const buttons = flat.map(([i, b]) => cells.inputs[b][i + 1]);
    const press = k => turn(...flat[k]);
    buttons.forEach((cell, k) => {
      cell.classList.add("bit"); cell.setAttribute("role", "button");
      cell.addEventListener("click", () => press(k));
      cell.addEventListener("keydown", event => { if (event.key === "Enter" || event.key === " ") { event.preventDefault(); press(k); } });
    });
    roving(buttons, { columns: bits.length });
  }
  const shade = (cell, value) => { cell.style.fillOpacity = (0.05 + 0.95 * Math.min(1, Math.abs(value))).toFixed(3); };
  function draw(bits, found, moment, slots, width) {
    if (shape !== `${bits.length}`) { shape = `${bits.length}`; lay(bits, slots, width); }
    const n = bits.length, inputs = posed(bits);
    inputs.forEach((x, t) => x.forEach((value, b) => shade(cells.inputs[b][t], value)));
    bits.forEach((row, i) => row.forEach((value, b) => {
      cells.inputs[b][i + 1].setAttribute("aria-label", fill(words.bit, { bit: b + 1, row: i + 1, value }));
      cells.inputs[b][i + 1].setAttribute("aria-pressed", value === 1);
    }));
    found.logits.forEach((logits, t) => logits.forEach((logit, b) => {
      const row = t - n - 2, cell = cells.outputs[b][t];
      shade(cell, row < 0 ? 0 : sigmoid(logit));
      cell.classList.toggle("missed", row >= 0 && (logit > 0) !== (bits[row][b] === 1));
    }));
    for (const [name, of] of [["writing", found.write], ["reading", found.read]]) of.forEach((w, t) => w.forEach((value, i) => shade(cells[name][i][t], value)));
    found.memory[moment - 1].forEach((slot, i) => slot.forEach((value, j) => { shade(cells.memory[i][j], value); cells.memory[i][j].classList.toggle("below", value < 0); }));
    cells.caption.textContent = fill(words.memory, { moment });
    cursor.setAttribute("x", LABEL + (moment - 1) * cells.side);
  }
  return { root, draw, onTurn(f) { turn = f; } };
}

function sentence(words, bits, found, moment) {
  const n = bits.length, answers = found.logits.slice(-n);
  const wrong = answers.reduce((sum, logits, i) => sum + logits.filter((x, b) => (x > 0) !== (bits[i][b] === 1)).length, 0);
  const of = n * bits[0].length, top = w => w.reduce((best, x, i) => (x > w[best] ? i : best), 0);
  const what = moment === 1 ? words.begin : moment === n + 2 ? words.answer : fill(moment < n + 2 ? words.row : words.say, { n: moment < n + 2 ? moment - 1 : moment - n - 2 });
  const read = found.read[moment - 1], write = found.write[moment - 1], reads = top(read), writes = top(write);
  return `${fill(wrong ? words.wrong : words.right, { wrong, of, half: Math.floor(of / 2) })} ${fill(words.here, { moment, what, write: percent(write[writes]), writes, read: percent(read[reads]), reads })}`;
}

function render({ model, el }) {
  const words = model.get("words"), weights = weightsOf(model), sizes = model.get("sizes"), slots = model.get("slots");
  const set = (name, value) => { model.set(name, value); model.save_changes(); };
  const spare = model.get("spare"), bits = () => model.get("bits");
  let drawn = 0;
  const rows = n => set("bits", Array.from({ length: n }, (_, i) => bits()[i] ?? spare[(drawn + i) % spare.length]));
  const anew = () => { drawn += bits().length; set("bits", bits().map((_, i) => spare[(drawn + i) % spare.length])); };
  const size = slider({ label: words.length, min: model.get("least"), max: model.get("most"), value: bits().length, change: rows });
  const time = slider({ label: words.moment, min: 1, max: 2 * bits().length + 2, value: model.get("moment"), change: v => set("moment", v) });
  const bars = Object.fromEntries(PARTS.map(name => [name, slider({ label: words[name], min: 0, max: 100, step: 5, value: model.get(name), format: x => `${x} %`, change: v => set(name, v) })]));
  const whole = h("button", { type: "button", onclick: () => { for (const name of PARTS) model.set(name, 100); model.save_changes(); } }, words.whole);
  const other = h("button", { type: "button", onclick: anew }, words.anew);
  const says = h("p", { class: "says", role: "status" }), view = sheet(words, model, set);
  view.onTurn((i, b) => set("bits", bits().map((row, r) => (r === i ? row.map((x, k) => (k === b ? 1 - x : x)) : row))));
  const draw = oncePerFrame(() => {
    const now = bits(), last = 2 * now.length + 2, moment = Math.min(model.get("moment"), last);
    const parts = Object.fromEntries(PARTS.map(name => [name, model.get(name) / 100]));
    const found = run(weights, sizes, posed(now), slots, model.get("start_value"), parts);
    for (const name of PARTS) bars[name].set(model.get(name));
    size.set(now.length);
    time.input.max = last;
    time.set(moment);
    says.textContent = sentence(words, now, found, moment);
    view.draw(now, found, moment, slots, sizes.width);
  });
  const stop = watch(model, ["bits", "moment", ...PARTS], draw);
  el.append(frame("cw-theatre", words.title,
    h("div", { class: "cw-controls" }, size.root, time.root, other),
    h("div", { class: "cw-controls" }, ...PARTS.map(name => bars[name].root), whole),
    says, view.root, h("p", { class: "cw-note" }, words.note)));
  draw();
  return stop;
}

export default { render };
