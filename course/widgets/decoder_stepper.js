// The decoder stepped token by token. The steps of the present path are all here; only another path needs the kernel.
import { fill, fixed, frame, h, newId, watch } from "./common.js";
import { elide, half, visible } from "./explorer_math.js";
import { hasKernel, sentenceBox } from "./sentence.js";

/** ln P of the first tokens of a path. @param {{log_p: number}[]} path @param {number} at */
export const total = (path, at) => path.slice(0, at).reduce((sum, { log_p }) => sum + log_p, 0);

/** Is a path still awaited that begins as asked? @param {number[]} begun @param {{id: number}[]} path */
export const awaited = (begun, path) => begun.some((id, i) => path[i]?.id !== id);

/** What taking a token as the next changes: along the path only the place; elsewhere the path too, if a kernel can compute it.
 *  @returns {{at: number, begun?: number[]}|null} null where it cannot be taken */
export function take({ path, at }, id, kernel) {
  if (path[at].id === id) return { at: at + 1 };
  return kernel ? { begun: [...path.slice(0, at).map(token => token.id), id], at: at + 1 } : null;
}

/** The cross-attention of one step: of a head, or (null) the mean of the layer's. @param {DataView} buffer float16
 *  @param {{layers: number, heads: number, source: number}} sizes @returns {number[]} one weight a source token */
export function lookedAt(buffer, { layers, heads, source }, step, layer, head) {
  const weight = (x, s) => half(buffer.getUint16(2 * (((step * layers + layer) * heads + x) * source + s), true));
  const chosen = head === null ? Array.from({ length: heads }, (_, x) => x) : [head];
  return Array.from({ length: source }, (_, s) => chosen.reduce((sum, x) => sum + weight(x, s), 0) / chosen.length);
}

/** A probability for people: 0.532, or 2e-5 where that would be 0.000. */
export const chance = p => (p > 0 && p < 0.0005 ? p.toExponential(0).replace("-", "\u2212") : fixed(p, 3));

/** A token as it is drawn, with a sign for a space at either end. */
const shown = token => elide(visible(token).replace(/^ +| +$/g, spaces => "␣".repeat(spaces.length)), 24);
const bdi = token => h("bdi", { title: visible(token).slice(0, 2000) }, shown(token));

/** Tokens in a row, each with a number under it. @param {[string, string][]} pairs */
const chips = pairs => pairs.map(([token, number]) => h("li", {}, bdi(token), h("span", { class: "cw-number" }, number)));

function chooser(label, options, change) {
  const id = newId();
  const select = h("select", { id, onchange: () => change(options[select.selectedIndex][0]) }, ...options.map(([, name]) => h("option", {}, name)));
  return { root: h("div", { class: "cw-control" }, h("label", { for: id }, label), select), set(value) { select.selectedIndex = options.findIndex(([x]) => x === value); } };
}

/** The likeliest tokens as buttons, which stay in place from step to step so that the focus does. */
function makeCandidates(n, words, choose) {
  const rows = Array.from({ length: n }, () => {
    const [name, bar, number] = [h("bdi"), h("span", { class: "ds-bar" }), h("span", { class: "cw-number" })];
    const button = h("button", { type: "button", class: "ds-candidate" }, name, h("span", { class: "ds-track" }, bar), number);
    return { button, name, bar, number };
  });
  const root = h("div", { class: "ds-candidates", role: "group", onkeydown(event) {
    const by = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    if (!by) return;
    event.preventDefault();
    rows[rows.findIndex(({ button }) => button === document.activeElement) + by]?.button.focus();
  } }, ...rows.map(({ button }) => button));
  const draw = candidates => rows.forEach(({ button, name, bar, number }, i) => {
    const { id, token, log_p } = candidates[i], p = chance(Math.exp(log_p));
    name.textContent = shown(token);
    bar.style.width = `${100 * Math.exp(log_p)}%`;
    number.textContent = p;
    button.setAttribute("aria-label", fill(words.candidate, { token: shown(token), p, rank: i + 1 }));
    button.onclick = () => choose(id);
  });
  return { root, draw };
}

function render({ model, el, experimental }) {
  const get = name => model.get(name), words = get("words"), kernel = hasKernel(experimental);
  let refused = "";
  const set = changes => {
    for (const [name, value] of Object.entries(changes)) model.set(name, value);
    model.save_changes();
  };
  const sentence = sentenceBox(model, experimental);
  const sizes = get("sizes"), numbered = n => Array.from({ length: n }, (_, i) => [i, String(i)]);
  const layer = chooser(words.layer, numbered(sizes.layers), x => set({ layer: x }));
  const head = chooser(words.head, [[null, words.mean], ...numbered(sizes.heads)], x => set({ head: x }));
  const [source, written] = [h("ul", { class: "ds-tokens ds-source" }), h("ol", { class: "ds-tokens ds-written" })];
  const [sum, asks, rest] = [h("p", { class: "ds-total cw-number" }), h("h4"), h("p", { class: "cw-note" })];
  const says = h("p", { class: "ds-says", role: "status" });
  const candidates = makeCandidates(get("candidates")[0].length, words, choose);
  const next = h("button", { type: "button", class: "ds-next", onclick: go });
  const undo = h("button", { type: "button", onclick: back }, words.undo);
  const restart = h("button", { type: "button", onclick: () => { refused = ""; set({ at: 0 }); } }, words.restart);

  /** The token that Next takes: the best; without a kernel the path's, which alone can be followed. */
  const following = () => (kernel ? get("candidates") : get("path").map(token => [token]))[get("at")]?.[0];
  function choose(id) {
    const changes = take({ path: get("path"), at: get("at") }, id, kernel);
    const token = get("candidates")[get("at")].find(c => c.id === id)?.token ?? "";
    refused = changes ? "" : fill(words.kernel, { token: shown(token) });
    changes ? set(changes) : draw();
  }
  function go() { if (!next.disabled) choose(following().id); }
  function back() { if (!undo.disabled) { refused = ""; set({ at: get("at") - 1 }); } }

  function draw() {
    const busy = awaited(get("begun"), get("path"));
    root.setAttribute("aria-busy", busy);
    if (busy) {
      says.textContent = words.busy;
      for (const button of root.querySelectorAll("button")) button.disabled = true;
      return;
    }
    const [path, at] = [get("path"), Math.min(get("at"), get("path").length)];
    const over = at === path.length, step = Math.min(at, path.length - 1), options = get("candidates")[step];
    drawTokens(path, at, step);
    asks.textContent = fill(words.step, { step: step + 1, written: path.slice(0, at).map(t => visible(t.token)).join("") || words.start });
    candidates.draw(options);
    rest.textContent = fill(words.rest, { n: get("sizes").vocabulary - options.length,
                                          p: chance(Math.max(0, 1 - options.reduce((p, c) => p + Math.exp(c.log_p), 0))) });
    const hadFocus = over && (candidates.root.contains(document.activeElement) || document.activeElement === next);
    for (const e of [asks, candidates.root, rest]) e.hidden = over;
    for (const button of root.querySelectorAll("button")) button.disabled = false;
    next.disabled = over;
    next.textContent = over ? fill(words.next, { token: "–" }) : fill(words.next, { token: shown(following().token) });
    undo.disabled = restart.disabled = at === 0;
    if (hadFocus) undo.focus();
    const { token } = path.at(-1), ending = token === "<eos>" ? words.ended : fill(words.stopped, { n: path.length });
    says.textContent = refused || (over ? ending : "");
  }

  function drawTokens(path, at, step) {
    const weights = lookedAt(get("attention"), get("sizes"), step, get("layer"), get("head"));
    source.replaceChildren(...chips(get("source").map((token, i) => [token, fixed(weights[i], 2)])));
    [...source.children].forEach((chip, i) => chip.style.setProperty("--weight", weights[i]));
    written.replaceChildren(...chips(path.slice(0, at).map(({ token, log_p }) => [token, fixed(log_p, 2)])));
    if (at === 0) written.replaceChildren(h("li", { class: "ds-nothing" }, words.nothing));
    sum.textContent = fill(words.total, { total: fixed(total(path, at), 2) });
    layer.set(get("layer"));
    head.set(get("head"));
  }

  const root = frame("ds", words.title, sentence.root,
    h("h4", {}, words.source), source, h("div", { class: "cw-controls" }, layer.root, head.root),
    h("h4", {}, words.written), written, sum,
    h("div", { class: "cw-controls" }, next, undo, restart), asks, candidates.root, rest, says, h("p", { class: "cw-note" }, words.hint));
  root.addEventListener("keydown", event => {
    const act = { ArrowRight: go, ArrowLeft: back }[event.key];
    if (!act || event.target.matches("input, select")) return;
    event.preventDefault();
    act();
  });
  el.append(root);
  draw();
  const stop = watch(model, ["begun", "path", "candidates", "attention", "at", "layer", "head"], draw);
  return () => { sentence.stop(); stop(); };
}

export default { render };
