// A mask put together from rules and by hand, beside the attention weights that it leaves.
import { fill, fixed, frame, h, roving, slider, softmax, watch } from "./common.js";

/** The rules as course.masks has them: may query q attend to key k? */
const RULES = {
  causal: () => (q, k) => k <= q,
  padding: length => (q, k) => k < length,
  window: width => (q, k) => Math.abs(q - k) <= width,
  prefix: length => (q, k) => k <= q || k < length,
};
const NAMES = Object.keys(RULES);
const isOn = setting => setting !== null && setting !== undefined && setting !== false;
const ticked = rules => NAMES.filter(name => isOn(rules[name]));

/** The mask in rows of booleans, true = may attend.
 *  @param {number} n @param {{causal?: boolean, padding?: number, window?: number, prefix?: number}} rules
 *  @param {number[][]} flips cells [query, key] turned over by hand */
export function buildMask(n, rules, flips = []) {
  const tests = ticked(rules).map(name => RULES[name](rules[name]));
  const mask = Array.from({ length: n }, (_, q) => Array.from({ length: n }, (_, k) => tests.every(test => test(q, k))));
  for (const [q, k] of flips) mask[q][k] = !mask[q][k];
  return mask;
}

/** Python that builds the same mask with course.masks. */
export function expression(n, rules, flips = []) {
  const call = { causal: () => `causal_mask(${n})`, padding: length => `padding_mask([${length}], ${n})`,
                 window: width => `window_mask(${n}, ${width})`, prefix: length => `prefix_mask(${n}, ${length})` };
  const calls = ticked(rules).map(name => call[name](rules[name]));
  const rule = calls.length === 0 ? `torch.ones(${n}, ${n}, dtype=torch.bool)`
    : calls.length === 1 ? calls[0] : `combine(${calls.join(", ")})`;
  if (flips.length === 0) return `mask = ${rule}`;
  const at = axis => `[${flips.map(cell => cell[axis]).join(", ")}]`;
  return `flips = torch.zeros(${n}, ${n}, dtype=torch.bool)\nflips[${at(0)}, ${at(1)}] = True\nmask = ${rule} ^ flips`;
}

/** Row by row softmax over the allowed scores; a row with none gets zeros. */
export const maskedWeights = (scores, mask) =>
  scores.map((row, q) => softmax(row.map((score, k) => (mask[q][k] ? score : -Infinity))));

/** Turn one cell over: a second flip undoes the first. */
export function flip(flips, q, k) {
  const others = flips.filter(([a, b]) => a !== q || b !== k);
  return others.length < flips.length ? others : [...flips, [q, k]];
}

/** What became of one score, in a sentence. */
export function sentence(tokens, scores, mask, q, k, words) {
  const number = { score: fixed(scores[q][k]), before: fixed(softmax(scores[q])[k]) };
  const names = { query: tokens[q], key: tokens[k] };
  if (!mask[q].some(Boolean)) return fill(words.empty, names);
  if (!mask[q][k]) return fill(words.masked, { ...names, ...number });
  const total = scores[q].reduce((sum, score, j) => sum + (mask[q][j] ? Math.exp(score) : 0), 0);
  return fill(words.kept, { ...names, ...number, total: fixed(total), weight: fixed(Math.exp(scores[q][k]) / total) });
}

/** A table with tokens along both sides; cell(q, k) gives what stands in it. */
function grid(tokens, caption, cell, last) {
  const head = h("tr", {}, h("td"), ...tokens.map(t => h("th", { scope: "col", title: t }, t)), ...(last ? [h("th", { scope: "col" }, last)] : []));
  const rows = tokens.map((t, q) => h("tr", {}, h("th", { scope: "row", title: t }, t), ...tokens.map((_, k) => cell(q, k)), ...(last ? [h("td", { class: "mb-sum" })] : [])));
  return h("table", {}, h("caption", {}, caption), h("thead", {}, head), h("tbody", {}, ...rows));
}

function maskTable(tokens, words, { flipped, looked }) {
  const cells = [];
  const table = grid(tokens, words.mask, (q, k) => {
    const button = h("button", { type: "button", class: "mb-cell", onclick: () => flipped(q, k), onpointerenter: () => looked(q, k) });
    cells.push(button);
    return h("td", {}, button);
  });
  roving(cells, { columns: tokens.length, move: i => looked(Math.floor(i / tokens.length), i % tokens.length) });
  return {
    table,
    draw(mask, flips) {
      const byHand = new Set(flips.map(String));
      cells.forEach((button, i) => {
        const [q, k] = [Math.floor(i / tokens.length), i % tokens.length];
        const state = mask[q][k] ? words.allowed : words.forbidden;
        button.setAttribute("aria-pressed", mask[q][k]);
        button.setAttribute("aria-label", fill(words.cell, { q, k, query: tokens[q], key: tokens[k], state }));
        button.classList.toggle("mb-hand", byHand.has(String([q, k])));
      });
    },
  };
}

function weightTable(tokens, words, looked) {
  const cells = tokens.map(() => []);
  const table = grid(tokens, words.weights, (q, k) => (cells[q][k] = h("td", { class: "mb-weight", onpointerenter: () => looked(q, k) })), words.sum);
  const sums = table.querySelectorAll(".mb-sum");
  return {
    table,
    draw(weights, mask) {
      weights.forEach((row, q) => {
        row.forEach((weight, k) => {
          cells[q][k].textContent = mask[q][k] ? fixed(weight) : "0";
          cells[q][k].style.setProperty("--weight", weight);
          cells[q][k].classList.toggle("mb-out", !mask[q][k]);
        });
        sums[q].textContent = fixed(row.reduce((a, b) => a + b, 0));
        sums[q].parentElement.classList.toggle("mb-empty", !mask[q].some(Boolean));
      });
    },
    look(q, k) {
      table.querySelector(".mb-looked")?.classList.remove("mb-looked");
      cells[q][k].classList.add("mb-looked");
    },
  };
}

/** A check box and, but for causal, the slider of its number. The number is kept while the box is not ticked. */
function rule(model, name, n) {
  const [title, what] = model.get("words")[name];
  let kept = isOn(model.get(name)) ? model.get(name) : Math.ceil(n / 2);
  const change = value => { model.set(name, value); model.save_changes(); };
  const box = h("input", { type: "checkbox", onchange: () => change(name === "causal" ? box.checked : box.checked ? kept : null) });
  const label = h("label", { class: "cw-control" }, box, title);
  if (name === "causal") return { root: h("div", {}, label, h("small", {}, what)), sync() { box.checked = model.get(name); } };
  const first = name === "padding" || name === "prefix" ? n : n - 1;
  const number = slider({ label: what, min: 0, max: first, value: kept, change: x => { kept = x; change(x); } });
  return {
    root: h("div", {}, label, number.root),
    sync() {
      box.checked = isOn(model.get(name));
      if (box.checked) number.set((kept = model.get(name)));
      number.root.classList.toggle("mb-off", !box.checked);
    },
  };
}

function code(words) {
  const text = h("code");
  const button = h("button", { type: "button", async onclick() {
    getSelection().selectAllChildren(text);  // where a page may not write to the clipboard, Ctrl+C now does
    await navigator.clipboard?.writeText(text.textContent);
    button.textContent = navigator.clipboard ? words.copied : words.selected;
    setTimeout(() => { button.textContent = words.copy; }, 1500);
  } }, words.copy);
  return { root: h("div", { class: "mb-code", role: "group", "aria-label": words.code }, h("pre", {}, text), button), text };
}

function render({ model, el }) {
  const [tokens, scores, words] = ["tokens", "scores", "words"].map(name => model.get(name));
  const n = tokens.length;
  let looked = [n - 1, 0];
  const setFlips = flips => { model.set("flips", flips); model.save_changes(); };
  const look = (q, k) => { looked = [q, k]; draw(); };

  const rules = NAMES.map(name => rule(model, name, n));
  const left = maskTable(tokens, words, { flipped: (q, k) => { looked = [q, k]; setFlips(flip(model.get("flips"), q, k)); }, looked: look });
  const right = weightTable(tokens, words, look);
  const note = h("p", { class: "cw-note" }, words.both);
  const said = h("p", { class: "mb-said", role: "status" });
  const undo = h("button", { type: "button", onclick: () => setFlips([]) }, words.undo);
  const python = code(words);
  const samples = h("span", { "aria-hidden": "true" },
    h("i", { class: "mb-cell", "aria-pressed": "true" }), words.allowed,
    h("i", { class: "mb-cell", "aria-pressed": "false" }), words.forbidden,
    h("i", { class: "mb-cell mb-hand", "aria-pressed": "false" }), words.by_hand);

  function draw() {
    const chosen = Object.fromEntries(NAMES.map(name => [name, model.get(name)]));
    const flips = model.get("flips");
    const mask = buildMask(n, chosen, flips);
    for (const r of rules) r.sync();
    left.draw(mask, flips);
    right.draw(maskedWeights(scores, mask), mask);
    right.look(...looked);
    said.textContent = sentence(tokens, scores, mask, ...looked, words);
    python.text.textContent = expression(n, chosen, flips);
    note.hidden = !(chosen.causal && isOn(chosen.prefix));
    undo.disabled = flips.length === 0;
  }

  el.append(frame("cw-mask", words.title,
    h("fieldset", { class: "mb-rules" }, h("legend", {}, words.rules), ...rules.map(r => r.root)),
    note, h("div", { class: "mb-pictures" }, h("div", {}, left.table, h("div", { class: "mb-legend" }, samples, undo)), h("div", {}, right.table, said)), python.root));
  draw();
  return watch(model, [...NAMES, "flips"], draw);
}

export default { render };
