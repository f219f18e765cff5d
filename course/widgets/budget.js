// What training a GPT costs: the formulas of course.studies.budget, moved by sliders.
import { fill, frame, h, newId, oncePerFrame, slider, svg, watch } from "./common.js";
import { logarithmic } from "./chart.js";
import { number, raised } from "./sizes.js";

const YEAR = 365.25 * 24 * 3600, KINDS = ["weights", "gradients", "moments", "activations"], W = 460, H = 260;

/** Parameters, operations, memory by kind, seconds, kilowatt-hours. @param {Object<string, any>} s sizes and settings */
export function bill({ layers, width: d, length: n, vocabulary: v, batch, tokens, half, rate, watts }) {
  const f = 4 * d, parameters = layers * (4 * (d * d + d) + 2 * d * f + f + d + 4 * d) + (v + n) * d + 2 * d;
  const flops = 3 * tokens * (layers * (8 * d * d + 4 * d * n + 4 * d * f) + 2 * d * v);
  const block = half ? 2 * (13 * d + 2 * f) : 4 * (9 * d + 2 * f), ends = half ? 16 * d : 12 * d, logits = (half ? 14 : 12) * v;
  const activations = Math.trunc(batch * n * (layers * block + ends + logits) + (half ? 2 * parameters : 0));
  const memory = { weights: 4 * parameters, gradients: 4 * parameters, moments: 8 * parameters, activations };
  const seconds = flops / rate;
  return { parameters, flops, memory, peak: 12 * parameters + Math.max(4 * parameters, activations), seconds, kilowattHours: seconds * watts / 3.6e6 };
}

/** Three digits that count, and no power of ten. @param {number} x */
export function three(x) {
  const r = Number(x.toPrecision(3));
  return x >= 1000 ? r.toLocaleString("en-US", { maximumFractionDigits: 0 }) : String(Number(r.toFixed(6)));
}

/** Bytes for people. @param {number} x */
export function bytes(x) {
  for (const [limit, unit, name] of [[1e6, 1e3, "kB"], [1e9, 1e6, "MB"], [1e12, 1e9, "GB"], [1e15, 1e12, "TB"]]) if (x < 0.9995 * limit) return `${three(x / unit)} ${name}`;
  return `${three(x / 1e15)} PB`;
}

/** Energy for people. @param {number} x kilowatt-hours */
export const energy = x => (x >= 1e6 ? `${number(x, "")} kWh` : x >= 0.1 ? `${three(x)} kWh` : `${three(1000 * x)} Wh`);

/** Seconds for people. @param {number} s @param {string[]} names */
export function duration(s, names) {
  const i = [120, 7200, 172800, 2 * YEAR].findIndex(limit => s < limit), at = i < 0 ? 4 : i, x = s / [1, 60, 3600, 86400, YEAR][at];
  return `${x < 1e6 ? three(x) : number(x, "")} ${names[at]}`;
}

/** The sentence. */
export function says(s, words) {
  const b = bill(s);
  return fill(words.says, { parameters: number(b.parameters, ""), flops: number(b.flops, ""), peak: bytes(b.peak), rate: number(s.rate, ""), time: duration(b.seconds, words.units), watts: three(s.watts), energy: energy(b.kilowattHours) });
}

const NAMES = ["layers", "width", "length", "vocabulary", "batch"];

function render({ model, el }) {
  const words = model.get("words"), choices = model.get("choices"), known = model.get("known");
  const state = () => Object.fromEntries([...NAMES, "tokens", "half", "rate", "watts"].map(name => [name, model.get(name)]));
  const set = values => { for (const [name, value] of Object.entries(values)) model.set(name, value); model.save_changes(); draw(); };
  const nearest = (list, x) => list.reduce((best, y, i) => (Math.abs(Math.log(y / x)) < Math.abs(Math.log(list[best] / x)) ? i : best), 0);
  const sliders = Object.fromEntries(NAMES.map(name => {
    const list = choices[name];
    return [name, slider({ label: words[name], min: 0, max: list.length - 1, value: nearest(list, model.get(name)), format: i => list[Math.round(i)].toLocaleString("en-US"), change: i => set({ [name]: list[i] }) })];
  }));
  const tokens = slider({ label: words.tokens, min: 5, max: 13.5, step: 0.1, value: Math.log10(model.get("tokens")), format: x => number(10 ** x, ""), change: x => set({ tokens: Number((10 ** x).toPrecision(3)) }) });
  const half = h("input", { type: "checkbox", onchange: () => set({ half: half.checked }) });
  const id = newId(), start = h("select", { id, onchange: () => {
    const run = known[Number(start.value)];
    if (run) set({ layers: run[1], width: run[2], length: run[3], vocabulary: run[4], tokens: run[5] });
  } }, h("option", { value: "-1" }, words.own), ...known.map((run, i) => h("option", { value: String(i) }, run[0])));
  const told = h("p", { class: "says", role: "status" }), memory = svg("svg", { viewBox: `0 0 ${W} 140`, class: "bd-memory", role: "group", "aria-label": words.title });
  const chart = svg("svg", { viewBox: `0 0 ${W} ${H}`, class: "bd-chart", role: "group", "aria-label": words.chart });
  const text = (x, y, content, attributes = {}) => svg("text", { x, y, ...attributes }, content);
  const draw = oncePerFrame(() => {
    const s = state(), b = bill(s);
    for (const name of NAMES) { sliders[name].set(nearest(choices[name], s[name])); const output = sliders[name].root.querySelector("output"); output.textContent = s[name].toLocaleString("en-US"); }
    tokens.set(Math.log10(s.tokens));
    half.checked = s.half;
    start.value = String(known.findIndex(run => run[1] === s.layers && run[2] === s.width && run[3] === s.length && run[4] === s.vocabulary && run[5] === s.tokens));
    told.textContent = says(s, words);
    const most = Math.max(...KINDS.map(kind => b.memory[kind]));
    memory.replaceChildren(...KINDS.map((kind, i) => svg("g", { role: "img", "aria-label": fill(words.bar, { kind: words.kinds[kind], bytes: bytes(b.memory[kind]) }) },
      text(138, 24 + 32 * i, words.kinds[kind], { "text-anchor": "end" }), svg("rect", { class: `bd-bar bd-${kind}`, x: 146, y: 10 + 32 * i, width: Math.max(1, 220 * b.memory[kind] / most), height: 20 }),
      text(152 + Math.max(1, 220 * b.memory[kind] / most), 24 + 32 * i, bytes(b.memory[kind])))));
    const x = logarithmic(1e5, 1e13, 60, W - 10), y = logarithmic(1e12, 1e26, H - 30, 10), power = p => `10${raised(p)}`;
    const grid = [...[6, 8, 10, 12].map(p => text(x(10 ** p), H - 10, power(p), { "text-anchor": "middle", class: "bd-tick" })), ...[13, 16, 19, 22, 25].map(p => text(52, y(10 ** p) + 4, power(p), { "text-anchor": "end", class: "bd-tick" })),
      svg("path", { class: "bd-axis", d: `M60 10V${H - 30}H${W - 10}` })];
    const dot = (name, count, flops, own, below = 4) => svg("g", { role: "img", "aria-label": fill(words.dot, { name, parameters: number(count, ""), flops: number(flops, "") }) },
      svg("circle", { class: own ? "bd-you" : "bd-dot", cx: x(count), cy: y(flops), r: own ? 7 : 4 }), text(x(count) + (own ? -10 : 8), y(flops) + below, name, own ? { "text-anchor": "end", class: "bd-own" } : {}));
    chart.replaceChildren(...grid, ...known.map((run, i) => dot(run[0], run[6], run[7], false, i % 2 ? -3 : 12)), dot(words.you, b.parameters, b.flops, true));
  });
  const stop = watch(model, [...NAMES, "tokens", "half", "rate", "watts"], draw);
  el.append(frame("cw-budget", words.title, h("div", { class: "cw-controls" }, h("div", { class: "cw-control" }, h("label", { for: id }, words.start), start), ...NAMES.map(name => sliders[name].root), tokens.root,
    h("label", { class: "cw-control" }, half, words.half)), told, h("div", { class: "bd-pictures" }, memory, chart), h("p", { class: "cw-note" }, words.note)));
  draw();
  return stop;
}

export default { render };
