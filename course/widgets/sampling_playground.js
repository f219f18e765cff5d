// The next token: its logits come once a step; temperature, top-k and top-p act here, without the kernel.
import { fill, fixed, frame, h, newId, oncePerFrame, roving, slider, watch } from "./common.js";

const ROWS = 20, MANY = 20;  // bars shown; tokens that "Write 20" writes

/** The ids from the greatest logit to the least; equal ones in the vocabulary's order.
 *  @param {ArrayLike<number>} logits @returns {Uint32Array} */
export const ranked = logits => Uint32Array.from(logits, (_, id) => id).sort((a, b) => logits[b] - logits[a] || a - b);

/** What course.text.sampling.next_token_probabilities makes of logits, greatest first.
 *  @param {ArrayLike<number>} logits @param {{temperature: number, topK: ?number, topP: ?number}} settings null: no such filter
 *  @returns {{before: Float64Array, after: Float64Array, by: string[]}} for each rank: the probability at this
 *    temperature, that after the filters, and what took the token out: "temperature", "top_k", "top_p" or "" */
export function sieve(logits, { temperature, topK, topP }) {
  const n = logits.length;
  if (temperature === 0) {
    const before = new Float64Array(n).fill(1, 0, 1);
    return { before, after: before, by: Array.from(before, p => (p ? "" : "temperature")) };
  }
  const before = Float64Array.from(logits, x => Math.exp((x - logits[0]) / temperature));
  const by = new Array(n).fill("");
  const sum = () => before.reduce((total, p, rank) => (by[rank] ? total : total + p), 0);
  const all = sum();
  if (topK !== null) for (let rank = n - 1; logits[rank] < logits[Math.min(topK, n) - 1]; rank--) by[rank] = "top_k";
  if (topP !== null) {
    const left = sum();
    for (let rank = 0, likelier = 0; rank < n && !by[rank]; rank++) {
      if (likelier / left >= topP) by[rank] = "top_p";
      likelier += before[rank];
    }
  }
  const left = sum();
  return { before: before.map(p => p / all), after: before.map((p, rank) => (by[rank] ? 0 : p / left)), by };
}

/** The rank that a number between 0 and 1 falls on when the probabilities are laid end to end.
 *  @param {ArrayLike<number>} probabilities @param {number} chance */
export function draw(probabilities, chance) {
  let sum = 0, last = 0;
  for (let rank = 0; rank < probabilities.length; rank++) {
    if (probabilities[rank] === 0) continue;
    sum += probabilities[rank];
    last = rank;
    if (chance < sum) break;
  }
  return last;
}

/** A token that can be seen: spaces at its ends, line breaks and the empty token get signs. @param {string} token */
export const visible = token =>
  token.replace(/^ +| +$/g, spaces => "␣".repeat(spaces.length)).replace(/\n/g, "↵").replace(/\t/g, "⇥") || "∅";

/** The values that the slider of top-k runs through; the last one, all tokens, is null. @param {number} n */
export const choicesOfK = n =>
  [...[1, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 40, 50, 75, 100, 200, 500, 1000, 5000, 10000].filter(k => k < n), null];

/** A probability for people, with more digits where it is small. @param {number} p */
export const percent = p => `${fixed(100 * p, p < 0.0995 ? 1 : 0)} %`;

/** The smallest of some round numbers that is no less than p: what a full bar stands for. @param {number} p */
export const fullBar = p => [0.1, 0.25, 0.5].find(x => p <= x) ?? 1;

const mean = xs => xs.reduce((a, b) => a + b, 0) / xs.length;

/** The text so far in a sentence: how many tokens were predicted, how well. @param {?number[]} surprises */
export function summary(surprises, words) {
  const bits = surprises.filter(x => x !== null);
  if (bits.length === 0) return words.nothing;
  return fill(words.summary, { n: bits.length, bits: fixed(mean(bits)), perplexity: fixed(2 ** mean(bits), 1) });
}

/** What each filter took, in sentences. */
export function taken({ before, by }, words) {
  const of = name => before.reduce(([n, p], x, rank) => (by[rank] === name ? [n + 1, p + x] : [n, p]), [0, 0]);
  return ["temperature", "top_k", "top_p"].map(name => [name, ...of(name)]).filter(([, n]) => n)
    .map(([name, n, p]) => fill(words.took, { filter: words[name], n, share: percent(p) })).join(" ");
}

function textSoFar(words, { back, say }) {
  const root = h("div", { class: "sp-text", role: "group", "aria-label": words.text });
  function draw(tokens, surprises, live) {
    const buttons = tokens.map((token, i) => {
      const bits = surprises[i];
      const says = bits === null ? fill(words.first, { token: visible(token) })
        : fill(words.token, { token: visible(token), bits: fixed(bits), p: percent(2 ** -bits) });
      const button = h("button", { type: "button", class: "sp-token", "aria-label": says, "aria-disabled": !live || i === 0,
        onpointerenter: () => say(says), onclick: () => live && i > 0 && back(i) }, h("bdi", {}, token.includes("\n") ? visible(token) : token));
      button.style.setProperty("--tint", `${Math.min(100, 9 * (bits ?? 0))}%`);
      return button;
    });
    roving(buttons, { enter: buttons.length - 1, move: i => say(buttons[i].getAttribute("aria-label")) });
    const lines = buttons.flatMap((button, i) => (tokens[i].endsWith("\n") ? [button, h("br")] : [button]));
    const focused = root.contains(root.getRootNode().activeElement);
    root.replaceChildren(...lines);
    if (focused) buttons.at(-1).focus();
  }
  root.addEventListener("pointerleave", () => say(null));
  root.addEventListener("focusout", () => say(null));
  return { root, draw };
}

function bars(words, choose) {
  const rows = Array.from({ length: ROWS }, (_, rank) => {
    const part = { label: h("bdi", { class: "sp-label" }), before: h("i", { class: "sp-before" }), after: h("i", { class: "sp-after" }),
                   share: h("span", { class: "sp-share" }), note: h("span", { class: "sp-note" }) };
    const root = h("button", { type: "button", class: "sp-row", onclick: () => root.getAttribute("aria-disabled") !== "true" && choose(rank) },
                   part.label, h("span", { class: "sp-track" }, part.before, part.after), part.share, part.note);
    return { root, ...part };
  });
  roving(rows.map(row => row.root), { columns: 1 });
  const scale = h("p", { class: "cw-note" });
  const root = h("div", { class: "sp-bars", role: "group", "aria-label": words.bars }, scale, ...rows.map(row => row.root));
  function draw(tokens, { before, after, by }, drawn, live) {
    const full = fullBar(Math.max(before[0], after[0]));
    scale.textContent = fill(words.scale, { full: percent(full) });
    rows.forEach((row, rank) => {
      row.root.hidden = rank >= before.length;
      if (row.root.hidden) return;
      row.label.textContent = visible(tokens[rank]);
      row.before.style.width = `${Math.min(100, 100 * before[rank] / full)}%`;
      row.after.style.width = `${Math.min(100, 100 * after[rank] / full)}%`;
      row.share.textContent = percent(after[rank]);
      row.note.textContent = by[rank] ? fill(words.out, { filter: words[by[rank]] }) : rank === drawn ? words.drawn : "";
      row.root.classList.toggle("sp-out", by[rank] !== "");
      row.root.setAttribute("aria-disabled", !live);
      row.root.setAttribute("aria-label", fill(by[rank] ? words.row_out : words.row, {
        token: visible(tokens[rank]), before: percent(before[rank]), after: percent(after[rank]), filter: words[by[rank]] }));
    });
  }
  return { root, draw };
}

function labelled(text, input) {
  const id = newId();
  input.id = id;
  return h("div", { class: "cw-control" }, h("label", { for: id }, text), input);
}

function render({ model, el }) {
  const [words, vocabulary] = ["words", "vocabulary"].map(name => model.get(name));
  const live = Boolean(model.widget_manager);  // an exported page has nobody to ask for the next logits
  const set = (name, value) => { model.set(name, value); model.save_changes(); };
  const ks = choicesOfK(vocabulary.length), placeOfK = k => (k === null ? ks.length - 1 : ks.findLastIndex(x => x !== null && x <= k));
  const end = vocabulary.indexOf("<eos>"), ended = () => end >= 0 && model.get("ids").at(-1) === end;
  let order, logits, sieved, toWrite = 0;

  const said = h("p", { class: "sp-said", role: "status" });
  const say = text => { said.textContent = text ?? [summary(model.get("surprises"), words), ended() ? words.ended : ""].join(" ").trim(); };
  const choose = rank => set("ids", [...model.get("ids"), order[rank]]);
  const text = textSoFar(words, { back: i => set("ids", model.get("ids").slice(0, i)), say });
  const next = bars(words, choose);
  const heat = slider({ label: words.temperature, min: 0, max: 3, step: 0.05, value: model.get("temperature"),
                        format: x => (x === 0 ? words.greedy : fixed(x)), change: x => set("temperature", x) });
  const topK = slider({ label: words.top_k, min: 0, max: ks.length - 1, value: placeOfK(model.get("top_k")),
                        format: i => ks[i] ?? words.off, change: i => set("top_k", ks[i]) });
  const topP = slider({ label: words.top_p, min: 0.05, max: 1, step: 0.01, value: model.get("top_p") ?? 1,
                        format: x => (x < 1 ? fixed(x) : words.off), change: x => set("top_p", x < 1 ? x : null) });
  const button = (label, press) => h("button", { type: "button", disabled: !live, onclick: press }, label);
  const sample = button(words.sample, () => choose(draw(sieved.after, model.get("chance"))));
  const many = button(fill(words.many, { n: MANY }), () => { toWrite = MANY; writeOn(); });
  const undo = button(words.undo, () => set("ids", model.get("ids").slice(0, -1)));
  const again = button(words.again, () => set("ids", model.get("start")));
  const prompt = h("textarea", { rows: Math.min(12, model.get("prompt").split("\n").length), spellcheck: "false", disabled: !live,
                                 oninput: () => { toWrite = 0; set("prompt", prompt.value); } });
  const seed = h("input", { type: "number", min: 0, step: 1, disabled: !live, onchange: () => seed.checkValidity() && set("seed", Number(seed.value)) });
  const problem = h("p", { class: "sp-problem", role: "alert" });
  const removed = h("p", { class: "sp-removed" }), chance = h("p", { class: "cw-note" });

  const filtered = () => sieve(logits, { temperature: model.get("temperature"), topK: model.get("top_k"), topP: model.get("top_p") });
  /** One token more of those that were asked for; the next comes once the kernel has read this one. */
  function writeOn() {
    if (toWrite === 0 || ended()) { toWrite = 0; return; }
    toWrite--;
    choose(draw(filtered().after, model.get("chance")));
  }

  const redraw = oncePerFrame(() => {
    sieved = filtered();
    const drawn = draw(sieved.after, model.get("chance"));
    next.draw(Array.from(order.subarray(0, ROWS), id => vocabulary[id]), sieved, drawn, live);
    removed.textContent = taken(sieved, words) || words.took_none;
    chance.textContent = fill(words.chance, { chance: fixed(model.get("chance"), 3), token: visible(vocabulary[order[drawn]]) });
  });
  function arrived() {  // the prediction for another text
    const view = model.get("logits"), sent = new Float32Array(view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength));
    order = ranked(sent);
    logits = Float32Array.from(order, id => sent[id]);
    text.draw(model.get("ids").map(id => vocabulary[id]), model.get("surprises"), live);
    for (const press of [sample, many]) press.disabled = !live || ended();
    undo.disabled = !live || model.get("ids").length < 2;
    again.disabled = !live || String(model.get("ids")) === String(model.get("start"));
    say(null);
    redraw();
    writeOn();
  }
  function settings() {
    heat.set(model.get("temperature"));
    topK.set(placeOfK(model.get("top_k")));
    topP.set(model.get("top_p") ?? 1);
    if (prompt.value !== model.get("prompt")) prompt.value = model.get("prompt");  // else the cursor would jump
    seed.value = model.get("seed");
    problem.textContent = model.get("problem");
    problem.hidden = !model.get("problem");
    redraw();
  }

  el.append(frame("cw-sampling", words.title,
    h("div", { class: "cw-controls" }, labelled(words.prompt, prompt), problem), text.root, said,
    h("div", { class: "cw-controls" }, heat.root, topK.root, topP.root),
    h("div", { class: "cw-controls" }, sample, many, undo, again, labelled(words.seed, seed), ...(live ? [] : [h("span", { class: "cw-note" }, words.saved)])),
    next.root, removed, chance));
  arrived();
  settings();
  const stops = [watch(model, ["logits"], arrived), watch(model, ["temperature", "top_k", "top_p", "chance", "seed", "prompt", "problem"], settings)];
  return () => stops.forEach(stop => stop());
}

export default { render };
