// Where does a patch look? Its attention as light on the picture, in every layer and head, and through all layers.
import { fill, fixed, frame, h, oncePerFrame, roving, slider, svg, watch } from "./common.js";

const S = 360, GAP = 70, SIDE = 44;

/** The weights of one place: of a head, of the mean of all heads, or through all layers.
 *  @param {Float32Array} weights @param {Float32Array} flows @param {number[]} sizes pictures, layers, heads, n */
export function shown(weights, flows, [, layers, heads, n], picture, layer, head, token) {
  if (layer >= layers) return Array.from(flows.slice((picture * n + token) * n, (picture * n + token + 1) * n));
  const row = of => { const start = (((picture * layers + layer) * heads + of) * n + token) * n; return weights.slice(start, start + n); };
  if (head < heads) return Array.from(row(head));
  const all = Array.from({ length: heads }, (_, of) => row(of));
  return Array.from({ length: n }, (_, k) => all.reduce((sum, r) => sum + r[k], 0) / heads);
}

/** Of how many places, the greatest first, half of the whole is. @param {number[]} weights */
export function half(weights) {
  const sorted = [...weights].sort((a, b) => b - a), total = sorted.reduce((a, b) => a + b, 0);
  let sum = 0, n = 0;
  while (n < sorted.length && (sum += sorted[n]) < 0.5 * total) n++;
  return n + 1;
}

const floats = view => new Float32Array(view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength));
const percent = x => `${fixed(100 * x, 1)} %`;

function render({ model, el }) {
  const words = model.get("words"), names = model.get("names"), sizes = model.get("sizes"), pictures = model.get("pictures");
  const [count, layers, heads, n] = sizes, side = Math.round(Math.sqrt(n - 1)), cell = S / side;
  const weights = floats(model.get("weights")), flows = floats(model.get("flows"));
  const set = (name, value) => { model.set(name, value); model.save_changes(); };
  const who = k => (k === 0 ? words.class : fill(words.patch, { row: Math.floor((k - 1) / side) + 1, column: (k - 1) % side + 1 }));
  const stop = (label, name, last, all) => slider({ label, min: 1, max: last, value: model.get(name) + 1, change: v => set(name, v - 1),
    format: v => (all && v > last - 1 ? all : String(v)) });
  const controls = { picture: stop(words.picture, "picture", count), layer: stop(words.layer, "layer", layers + 1, words.all_layers),
    head: stop(words.head, "head", heads + 1, words.all_heads) };
  const image = svg("image", { x: GAP, width: S, height: S, style: "image-rendering: pixelated" });
  const at = k => (k === 0 ? { x: 8, y: 26, width: SIDE, height: SIDE }
    : { x: GAP + (k - 1) % side * cell, y: Math.floor((k - 1) / side) * cell, width: cell, height: cell });
  const first = svg("rect", { ...at(0), class: "first" });
  const lights = Array.from({ length: n }, (_, k) => svg("rect", { ...at(k), class: "light" }));
  const here = svg("rect", { class: "here" });
  const picks = Array.from({ length: n }, (_, k) => svg("rect", { ...at(k), class: "pick", role: "img", onpointerenter: () => set("token", k), onclick: () => { set("token", k); open(k); } }));
  // Arrow keys walk over the patches; up from the top row and left from the first column lead to the class token.
  const open = roving(picks.slice(1), { columns: side, move: k => set("token", k + 1) });
  picks[0].setAttribute("tabindex", 0);
  picks[0].addEventListener("focus", () => set("token", 0));
  picks[0].addEventListener("keydown", event => { if (event.key === "ArrowRight") { event.preventDefault(); picks[1].focus(); } });
  const label = svg("text", { x: 8, y: 18 }, "class");
  const root = svg("svg", { viewBox: `0 0 ${GAP + S} ${S}`, role: "group", "aria-label": words.title }, image, first, ...lights, label, ...picks, here);
  const says = h("p", { class: "says", role: "status" });
  const draw = oncePerFrame(() => {
    const [picture, layer, head, token] = ["picture", "layer", "head", "token"].map(name => model.get(name));
    const row = shown(weights, flows, sizes, picture, layer, head, token), most = Math.max(...row.slice(1), 1e-9);
    controls.picture.set(picture + 1);
    controls.layer.set(layer + 1);
    controls.head.set(head + 1);
    controls.head.input.disabled = layer >= layers;
    image.setAttribute("href", `data:image/png;base64,${pictures[picture]}`);
    lights.forEach((light, k) => light.setAttribute("fill-opacity", (0.75 * Math.min(1, row[k] / most)).toFixed(3)));
    picks.forEach((pick, k) => pick.setAttribute("aria-label", fill(words.lit, { who: who(k), weight: percent(row[k]) })));
    for (const [name, value] of Object.entries(at(token))) here.setAttribute(name, value);
    const others = row.map((w, k) => (k === 0 || k === token ? -1 : w)), best = others.indexOf(Math.max(...others));
    says.textContent = fill(layer >= layers ? words.through : words.says, { name: names[picture], layer: layer + 1, head: head >= heads ? words.all_heads : head + 1,
      who: who(token), own: percent(row[token]), best: who(best), most: percent(row[best]), half: half(row), n });
  });
  const end = watch(model, ["picture", "layer", "head", "token"], draw);
  el.append(frame("cw-gaze", words.title, h("div", { class: "cw-controls" }, controls.picture.root, controls.layer.root, controls.head.root), says,
    h("div", { class: "row" }, root), h("p", { class: "cw-note" }, words.help)));
  draw();
  return end;
}

export default { render };
