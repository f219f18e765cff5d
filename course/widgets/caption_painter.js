// A caption to type; its picture, square by square; and where the model looked before it wrote each square.
import { fill, fixed, frame, h, newId, oncePerFrame, slider, watch } from "./common.js";
import { hasKernel } from "./sentence.js";

const SIDE = 36, PATCH = 4, SCALE = 9, PACE = 90;  // points, points of a square, pixels a point, milliseconds a square

/** The weights of a square for a choice of heads: the mean of all (-1), of a layer, or one head's.
 *  @param {Uint8Array} bytes [layer, head, square, column] @param {{layers: number, heads: number, n: number}} sizes @returns {number[]} */
export function shares(bytes, { layers, heads, n }, looks, token) {
  const columns = bytes.length / (layers * heads * n), layer = Math.floor(looks / (heads + 1)), head = looks % (heads + 1) - 1;
  const chosen = [];
  for (let l = 0; l < layers; l++) for (let k = 0; k < heads; k++) if (looks < 0 || (l === layer && (head < 0 || k === head))) chosen.push((l * heads + k) * n + token);
  return Array.from({ length: columns }, (_, c) => chosen.reduce((sum, row) => sum + bytes[row * columns + c], 0) / 255 / chosen.length);
}

/** The numbers of the sentence about a square. @param {{words: string[], codes: number[], chances: number[]}} drawing @param {number[]} row */
export function facts(drawing, row, token, { n, grid }) {
  const to = row.slice(0, drawing.words.length), sum = list => list.reduce((a, b) => a + b, 0), most = to.indexOf(Math.max(...to));
  return { token: token + 1, n, row: Math.floor(token / grid) + 1, column: token % grid + 1, code: drawing.codes[token], chance: fixed(drawing.chances[token], 3),
    words: fixed(sum(to)), most: drawing.words[most], most_is: fixed(to[most]), picture: fixed(sum(row.slice(drawing.words.length))) };
}

/** The choices of heads: their numbers and what they are called. */
export function choices({ layers, heads }, words) {
  const of = [[-1, words.every]];
  for (let layer = 0; layer < layers; layer++) {
    of.push([layer * (heads + 1), fill(words.layer, { layer: layer + 1 })]);
    for (let head = 1; head <= heads; head++) of.push([layer * (heads + 1) + head, fill(words.head, { layer: layer + 1, head })]);
  }
  return of;
}

const bytesOf = view => new Uint8Array(view.buffer, view.byteOffset, view.byteLength);

/** Paint the squares written so far, dots on those looked at, and a frame around the one that is looked from. */
function paint(canvas, palette, codes, shown, token, earlier, grid) {
  const ctx = canvas.getContext("2d"), unit = PATCH * SCALE, style = getComputedStyle(canvas), per = PATCH * PATCH;
  ctx.clearRect(0, 0, canvas.width, canvas.height);
  codes.forEach((code, i) => {
    const left = (i % grid) * unit, top = Math.floor(i / grid) * unit;
    if (i >= shown) { ctx.fillStyle = style.getPropertyValue("--cp-empty"); ctx.fillRect(left + 1, top + 1, unit - 2, unit - 2); return; }
    for (let p = 0; p < per; p++) {
      const at = c => palette[code * 3 * per + c * per + p];
      ctx.fillStyle = `rgb(${at(0)} ${at(1)} ${at(2)})`;
      ctx.fillRect(left + (p % PATCH) * SCALE, top + Math.floor(p / PATCH) * SCALE, SCALE, SCALE);
    }
  });
  earlier.forEach((w, i) => {
    if (w < 0.01 || i >= shown) return;
    ctx.beginPath();
    ctx.arc((i % grid + 0.5) * unit, (Math.floor(i / grid) + 0.5) * unit, unit * 0.5 * Math.min(1, Math.sqrt(w) * 1.1), 0, 2 * Math.PI);
    ctx.lineWidth = 4; ctx.strokeStyle = "#ffffff"; ctx.stroke();
    ctx.lineWidth = 2; ctx.strokeStyle = "#111111"; ctx.stroke();
  });
  const left = (token % grid) * unit, top = Math.floor(token / grid) * unit;
  ctx.lineWidth = 5; ctx.strokeStyle = "#ffffff"; ctx.strokeRect(left + 2, top + 2, unit - 4, unit - 4);
  ctx.lineWidth = 3; ctx.strokeStyle = "#d55e00"; ctx.strokeRect(left + 2, top + 2, unit - 4, unit - 4);
}

function captionBox(model, words, live) {
  const id = newId(), problem = h("p", { class: "cp-problem", role: "alert" });
  const send = () => { model.set("caption", input.value); model.save_changes(); };
  const input = h("input", { type: "text", id, dir: "auto", spellcheck: "false", disabled: !live, onkeydown: event => { if (event.key === "Enter" && !event.isComposing) send(); } });
  const again = h("button", { type: "button", onclick: () => { model.set("seed", model.get("seed") + 1); model.save_changes(); } }, words.again);
  const heat = slider({ label: words.heat, min: 0, max: 1.5, step: 0.1, value: model.get("temperature"), format: v => fixed(v, 1), change: v => { model.set("temperature", v); model.save_changes(); } });
  const rest = live ? [h("button", { type: "button", onclick: send }, words.paint), heat.root, again] : [h("span", { class: "cw-note" }, words.saved)];
  const draw = () => {
    input.value = model.get("caption");
    again.disabled = model.get("temperature") === 0;
    heat.set(model.get("temperature"));
    problem.textContent = [model.get("problem"), model.get("drawing").told].filter(Boolean).join(" ");
    problem.hidden = !problem.textContent;
  };
  return { root: h("div", {}, h("div", { class: "cp-field" }, h("label", { for: id }, words.caption), input), h("div", { class: "cw-controls" }, ...rest), problem), draw };
}

function render({ model, el, experimental }) {
  const words = model.get("words"), sizes = model.get("sizes"), palette = bytesOf(model.get("palette"));
  const set = values => { for (const [name, value] of Object.entries(values)) model.set(name, value); model.save_changes(); };
  const box = captionBox(model, words, hasKernel(experimental));
  const canvas = h("canvas", { width: SIDE * SCALE, height: SIDE * SCALE, tabindex: 0, role: "application" });
  const look = token => { stop(); set({ token, shown: Math.max(model.get("shown"), token + 1) }); };
  canvas.addEventListener("click", event => {
    const r = canvas.getBoundingClientRect(), at = (x, side) => Math.min(sizes.grid - 1, Math.max(0, Math.floor(x / side * sizes.grid)));
    look(at(event.clientY - r.top, r.height) * sizes.grid + at(event.clientX - r.left, r.width));
  });
  const moves = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -sizes.grid, ArrowDown: sizes.grid };
  canvas.addEventListener("keydown", event => {
    if (!(event.key in moves)) return;
    event.preventDefault();
    event.stopPropagation();
    const next = model.get("token") + moves[event.key];
    if (next >= 0 && next < sizes.n) look(next);
  });
  const written = slider({ label: words.written, min: 0, max: sizes.n, value: model.get("shown"), change: v => { stop(); set({ shown: v, token: Math.max(0, v - 1) }); } });
  const id = newId(), heads = h("select", { id, onchange: () => set({ looks: Number(heads.value) }) }, ...choices(sizes, words).map(([value, name]) => h("option", { value }, name)));
  const play = h("button", { type: "button", onclick: () => (clock ? stop() : start()) }, words.play);
  let clock = 0;
  const stop = () => { clearInterval(clock); clock = 0; play.textContent = words.play; };
  const start = () => {
    if (model.get("shown") >= sizes.n) set({ shown: 0, token: 0 });
    play.textContent = words.pause;
    clock = setInterval(() => {
      const shown = model.get("shown") + 1;
      set({ shown, token: shown < sizes.n ? shown - 1 : model.get("drawing").telling });
      if (shown >= sizes.n) stop();
    }, PACE);
  };
  const chips = h("ol", { class: "cp-words", "aria-label": words.of }), says = h("p", { class: "says" });
  const draw = oncePerFrame(() => {
    const drawing = model.get("drawing"), token = model.get("token"), shown = model.get("shown");
    const row = shares(bytesOf(model.get("weights")), sizes, model.get("looks"), token), n = drawing.words.length;
    box.draw();
    written.set(shown);
    heads.value = String(model.get("looks"));
    says.textContent = fill(words.says, facts(drawing, row, token, sizes));
    canvas.setAttribute("aria-label", fill(words.canvas, { shown, n: sizes.n, says: says.textContent }));
    chips.replaceChildren(...drawing.words.map((word, i) => {
      const chip = h("li", {}, h("span", {}, word), h("small", { class: "cw-number" }, fixed(row[i])));
      chip.style.setProperty("--look", `${(100 * Math.min(1, Math.sqrt(row[i]))).toFixed(0)}%`);
      return chip;
    }));
    paint(canvas, palette, drawing.codes, shown, token, row.slice(n), sizes.grid);
  });
  const anew = () => {
    stop();
    if (matchMedia("(prefers-reduced-motion: reduce)").matches) { set({ shown: sizes.n }); return; }
    set({ shown: 0, token: 0 });
    start();
  };
  const stops = [watch(model, ["problem", "shown", "token", "looks", "weights", "temperature"], draw), watch(model, ["drawing"], () => { draw(); anew(); })];
  el.append(frame("cw-painter", words.title, box.root, h("div", { class: "cp-row" }, h("div", { class: "cp-left" }, canvas, h("div", { class: "cw-controls" }, play, written.root)),
    h("div", { class: "cp-right" }, h("div", { class: "cw-control" }, h("label", { for: id }, words.looks), heads), chips, says, h("p", { class: "cw-note" }, words.help)))));
  draw();
  return () => { stop(); stops.forEach(f => f()); };
}

export default { render };
