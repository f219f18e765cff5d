// A text's letters fuse as the merges of a byte-level BPE go by; each token's tree; pairs recounted; length compared.
import { linear, path } from "./chart.js";
import { fill, fixed, frame, h, newId, oncePerFrame, roving, slider, svg, watch } from "./common.js";

const W = 520, H = 170, TOP = 6;
const ITSELF = [...Array(256).keys()].filter(b => (b >= 0x21 && b < 0x7f) || (b >= 0xa1 && b < 0xad) || b >= 0xae);
const CHARACTERS = (() => { let next = 0x100; return [...Array(256).keys()].map(b => String.fromCharCode(ITSELF.includes(b) ? b : next++)); })();
const BYTES = new Map(CHARACTERS.map((c, b) => [c, b]));
const WORD = /'(?:s|t|re|ve|m|ll|d)| ?[\p{L}\p{Nl}\p{No}]+| ?\p{Nd}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+/gu;
const PLAIN = /[\u3400-\u9fff]|(?:(?![\u3400-\u9fff])[\p{L}\p{N}])+|\S/gu;

/** GPT-2's words. @param {string} text */
export const splitWords = text => text.match(WORD) ?? [];

/** One printable character for each byte of UTF-8. */
export const asBytes = text => Array.from(new TextEncoder().encode(text), b => CHARACTERS[b]).join("");

/** The place of each pair among the merges. @param {string[][]} merges @returns {Map<string, number>} */
export function ranksOf(merges) {
  const ranks = new Map();
  merges.forEach(([a, b], i) => { if (!ranks.has(`${a} ${b}`)) ranks.set(`${a} ${b}`, i); });
  return ranks;
}

/** The tokens of a word, of the first n merges. @param {string} word of characters that stand for bytes */
export function encode(word, ranks, n) {
  let symbols = Array.from(word);
  for (;;) {
    let best = n, pair = null;
    for (let i = 0; i + 1 < symbols.length; i++) {
      const rank = ranks.get(`${symbols[i]} ${symbols[i + 1]}`) ?? Infinity;
      if (rank < best) { best = rank; pair = [symbols[i], symbols[i + 1]]; }
    }
    if (!pair) return symbols;
    const merged = [];
    for (let i = 0; i < symbols.length; i++) {
      if (symbols[i] === pair[0] && symbols[i + 1] === pair[1]) { merged.push(pair[0] + pair[1]); i++; } else merged.push(symbols[i]);
    }
    symbols = merged;
  }
}

/** All tokens of a text. */
export const tokensOf = (text, ranks, n) => splitWords(text).flatMap(word => encode(asBytes(word), ranks, n));

/** The pairs of neighbours in the words of a text, counted; the most frequent first, then the first seen. */
export function pairsOf(text, ranks, n) {
  const words = new Map(), counts = new Map();
  for (const word of splitWords(text)) { const key = encode(asBytes(word), ranks, n).join(" "); words.set(key, (words.get(key) ?? 0) + 1); }
  for (const [key, count] of words) {
    const symbols = key.split(" ");
    for (let i = 0; i + 1 < symbols.length; i++) { const pair = `${symbols[i]} ${symbols[i + 1]}`; counts.set(pair, (counts.get(pair) ?? 0) + count); }
  }
  return [...counts].sort((a, b) => b[1] - a[1]).slice(0, TOP);
}

/** How a token was made: a leaf, or two trees and the number of their merge. */
export function tree(token, merges, n) {
  const symbols = Array.from(token), made = new Map();
  merges.slice(0, n).forEach(([a, b], i) => { if (!made.has(a + b)) made.set(a + b, [a, b, i]); });
  const grow = t => { const m = made.get(t); return Array.from(t).length > 1 && m ? { token: t, rank: m[2], parts: [grow(m[0]), grow(m[1])] } : { token: t }; };
  return symbols.length > 1 ? grow(token) : { token };
}

/** A token for people: spaces as ·, and bytes that are no character as <E4>. */
export function shown(token) {
  const raw = Uint8Array.from(Array.from(token), c => BYTES.get(c));
  try { return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(raw).replaceAll(" ", "·").replaceAll("\n", "↵"); }
  catch { return Array.from(raw, b => (b > 32 && b < 127 ? String.fromCharCode(b) : b === 32 ? "·" : `<${b.toString(16).toUpperCase().padStart(2, "0")}>`)).join(""); }
}

/** WordPiece: the longest piece first; a word with a place where none fits is unknown. */
export function wordPieces(text, vocabulary) {
  const words = text.toLowerCase().normalize("NFD").replace(/\p{Mn}/gu, "").match(PLAIN) ?? [];
  return words.flatMap(word => {
    const letters = Array.from(word), found = [];
    if (letters.length > 100) return ["[UNK]"];
    for (let start = 0; start < letters.length;) {
      let end = letters.length;
      while (end > start && !vocabulary.has((start ? "##" : "") + letters.slice(start, end).join(""))) end--;
      if (end === start) return ["[UNK]"];
      found.push((start ? "##" : "") + letters.slice(start, end).join(""));
      start = end;
    }
    return found;
  });
}

/** Some forty numbers of merges from 0 to n, close together at the start. */
export const marksTo = n => [...new Set([...Array(41).keys()].map(i => Math.round(n * (i / 40) ** 2)))];

function curve(text, ranks, all, n, other, length, words) {
  const marks = marksTo(all), lengths = marks.map(m => tokensOf(text, ranks, m).length), top = Math.max(1, length, ...lengths);
  const x = linear(0, all, 44, W - 90), y = linear(0, top, H - 30, 12), at = (v, name, label) => [svg("line", { x1: 44, x2: W - 90, y1: y(v), y2: y(v), class: name }), svg("text", { x: W - 86, y: y(v) + 4, class: name }, label)];
  return svg("svg", { viewBox: `0 0 ${W} ${H}`, role: "img", "aria-label": words.curve }, svg("line", { x1: 44, x2: W - 90, y1: y(0), y2: y(0), class: "axis" }),
    ...[0, top].map(v => svg("text", { x: 38, y: y(v) + 4, "text-anchor": "end" }, String(v))), ...[0, all].map(v => svg("text", { x: x(v), y: H - 12, "text-anchor": "middle" }, String(v))),
    ...at(length, "characters", "characters"), ...(other === null ? [] : at(other, "wordpiece", "WordPiece")),
    svg("path", { d: path(marks.map((m, i) => [x(m), y(lengths[i])])), class: "bpe" }), svg("line", { x1: x(n), x2: x(n), y1: 12, y2: H - 30, class: "here" }));
}

function render({ model, el }) {
  const words = model.get("words"), merges = model.get("merges"), ranks = ranksOf(merges), all = merges.length, pieces = new Set(model.get("pieces"));
  const set = (name, value) => { model.set(name, value); model.save_changes(); };
  const id = newId(), box = h("textarea", { id, rows: 2, dir: "auto", spellcheck: "false", maxlength: model.get("longest"), oninput: () => set("text", box.value) });
  const n = slider({ label: words.n, min: 0, max: all, value: model.get("n"), change: value => set("n", value) });
  const says = h("p", { class: "says", role: "status" }), tape = h("div", { class: "mt-tape" }), how = h("div", { class: "mt-tree", "aria-live": "polite" });
  const body = h("tbody"), chart = h("div");
  const table = h("table", {}, h("caption", {}, words.pairs), h("thead", {}, h("tr", {}, ...words.pair.map(t => h("th", { scope: "col" }, t)))), body);
  const branch = t => h("li", {}, t.parts ? fill(words.tree, { token: shown(t.token), how: fill(words.made, { left: shown(t.parts[0].token), right: shown(t.parts[1].token), rank: t.rank + 1 }) })
    : fill(words.tree, { token: shown(t.token), how: words.leaf }), ...(t.parts ? [h("ul", {}, ...t.parts.map(branch))] : []));
  const explain = (token, made) => how.replaceChildren(h("ul", {}, branch(tree(token, merges, made))));
  const draw = oncePerFrame(() => {
    const text = model.get("text"), made = model.get("n"), tokens = tokensOf(text, ranks, made), length = Array.from(text).length;
    if (box.value !== text) box.value = text;
    n.set(made);
    const said = fill(words.says, { n: made, all, tokens: tokens.length, characters: length, bytes: new TextEncoder().encode(text).length, per: fixed(length / Math.max(1, tokens.length)) });
    const other = pieces.size ? wordPieces(text, pieces) : null, lost = other ? other.filter(p => p === "[UNK]").length : 0;
    says.textContent = other ? `${said} ${fill(words.compare, { bpe: tokensOf(text, ranks, all).length, wordpiece: other.length, characters: length, unknown: lost ? fill(words.unknown, { n: lost }) : "" })}` : said;
    const chips = tokens.map((token, i) => h("button", { type: "button", class: `chip c${i % 4}`, onclick: () => explain(token, made) }, h("bdi", {}, shown(token))));
    tape.replaceChildren(...chips);
    if (chips.length) roving(chips, { move: i => explain(tokens[i], made) });
    how.replaceChildren(h("p", { class: "cw-note" }, words.token));
    body.replaceChildren(...pairsOf(text, ranks, made).map(([pair, count]) => {
      const [a, b] = pair.split(" "), rank = ranks.get(pair);
      return h("tr", {}, h("th", { scope: "row" }, h("bdi", {}, `${shown(a)} ${shown(b)}`)), h("td", { class: "cw-number" }, String(count)), h("td", { class: "cw-number" }, rank === undefined ? words.never : String(rank + 1)));
    }));
    chart.replaceChildren(h("p", { class: "mt-caption" }, words.curve), curve(text, ranks, all, made, other ? other.length : null, length, words));
  });
  const stop = watch(model, ["text", "n"], draw);
  el.append(frame("cw-tape", words.title, h("label", { for: id }, words.text), box, h("div", { class: "cw-controls" }, n.root), says, tape,
    h("div", { class: "mt-both" }, how, table, chart), h("p", { class: "cw-note" }, words.help)));
  draw();
  return stop;
}

export default { render };
