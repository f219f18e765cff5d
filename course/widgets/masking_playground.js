// What BERT's masking does to a text: chance is drawn here, so that nothing needs the kernel but another text.
import { fill, fixed, frame, h, newId, oncePerFrame, roving, slider, watch } from "./common.js";

/** What may become of a token: it is special, it is left alone, or it is chosen and then one of three. */
export const FATES = ["special", "left", "masked", "replaced", "kept"];
const CHOSEN = FATES.slice(2), MOST = 10000, MANY = 1000, Z = 1.96;

/** The i-th random number of a roll, in [0, 1): mulberry32, whose state after i numbers is known at once.
 *  @param {number} seed @param {number} i */
export function chance(seed, i) {
  const a = (Math.imul(seed, 0x9e3779b1) + Math.imul(i + 1, 0x6d2b79f5)) | 0;
  let t = Math.imul(a ^ (a >>> 15), a | 1);
  t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
  return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
}

/** What becomes of each token: one number chooses it, a second decides its fate, as in course.masking.corrupt.
 *  @param {boolean[]} special @param {number} seed @param {number} rate @param {number[]} split shares of [MASK], random, unchanged
 *  @returns {string[]} names in FATES */
export const roll = (special, seed, rate, split) =>
  special.map((skip, i) => {
    if (skip) return "special";
    if (chance(seed, 3 * i) >= rate) return "left";
    const fate = chance(seed, 3 * i + 1);
    return CHOSEN[fate < split[0] ? 0 : fate < split[0] + split[1] ? 1 : 2];
  });

/** Which of n tokens a replaced one becomes. @param {number} seed @param {number} i its place @param {number} n */
export const replacement = (seed, i, n) => Math.floor(chance(seed, 3 * i + 2) * n);

/** How often each fate came in the rolls first, first + 1, ..., last. @returns {Object<string, number>} */
export function tally(special, first, last, rate, split) {
  const counts = Object.fromEntries(FATES.map(name => [name, 0]));
  for (let seed = first; seed <= last; seed++) for (const name of roll(special, seed, rate, split)) counts[name]++;
  return counts;
}

/** Wilson's 95 % interval for a share of which k of n were seen. @param {number} k @param {number} n @returns {number[]} low, high */
export function interval(k, n) {
  if (n === 0) return [0, 1];
  const p = k / n, middle = p + Z * Z / (2 * n), spread = Z * Math.sqrt(p * (1 - p) / n + Z * Z / (4 * n * n));
  const low = (middle - spread) / (1 + Z * Z / n), high = (middle + spread) / (1 + Z * Z / n);
  return [k === 0 ? 0 : Math.max(0, low), k === n ? 1 : Math.min(1, high)];
}

/** The four shares that theory speaks of: name, how many, of how many, expected. */
export function shares(counts, rate, split) {
  const chosen = CHOSEN.reduce((sum, name) => sum + counts[name], 0);
  return [["chosen", chosen, chosen + counts.left, rate], ...CHOSEN.map((name, i) => [name, counts[name], chosen, split[i]])]
    .map(([name, k, n, expected]) => ({ name, k, n, expected, share: n ? k / n : 0, interval: interval(k, n) }));
}

/** Three shares of which one has been moved: the other two keep their proportion (or are equal), and all sum to 1.
 *  @param {number[]} split @param {number} which @param {number} value */
export function rebalance(split, which, value) {
  const others = split.reduce((sum, share, i) => (i === which ? sum : sum + share), 0);
  return split.map((share, i) => (i === which ? value : others ? (1 - value) * share / others : (1 - value) / 2));
}

/** A share for people. @param {number} p @param {number} digits */
export const percent = (p, digits = 0) => `${fixed(100 * p, digits)} %`;

function tokenRow(words, say) {
  const root = h("div", { class: "mp-text", role: "group", "aria-label": words.text });
  function draw(tokens, fates, became, guesses) {
    const boxes = tokens.map((token, i) => {
      const name = fates[i], is = CHOSEN.includes(name);
      const says = fill(words[`is_${name}`], { token, became: became[i] });
      return h("button", { type: "button", class: `mp-token mp-${name}`, "aria-label": says, onpointerenter: () => say(says) },
        h("bdi", { class: "mp-read" }, became[i]), h("span", { class: "mp-tag" }, is ? words[`tag_${name}`] : " "),
        h("bdi", { class: "mp-asked" }, is ? token : " "),
        ...(guesses.length ? [h("bdi", { class: "mp-guess" }, guesses[i] ? `${guesses[i] === token ? "✓" : "✗"} ${guesses[i]}` : " ")] : []));
    });
    roving(boxes, { move: i => say(boxes[i].getAttribute("aria-label")) });
    root.replaceChildren(...boxes);
  }
  root.addEventListener("pointerleave", () => say(null));
  root.addEventListener("focusout", () => say(null));
  return { root, draw };
}

function table(words) {
  const body = h("tbody"), head = ["", "count", "share", "interval", "theory", "picture"].map(name => h("th", { scope: "col" }, name && words[name]));
  const root = h("table", { class: "mp-table" }, h("caption", {}, words.caption), h("thead", {}, h("tr", {}, ...head)), body);
  const place = p => `${fixed(100 * p, 2)}%`;
  function draw(found) {
    body.replaceChildren(...found.map(({ name, k, n, share, expected, interval: [low, high] }) => {
      const inside = low <= expected && expected <= high;
      const track = h("span", { class: "mp-track", "aria-hidden": "true" }, h("i", { class: `mp-range mp-${name}` }), h("i", { class: "mp-dot" }), h("i", { class: "mp-theory" }));
      const [range, dot, theory] = track.children;
      range.style.insetInlineStart = place(low);
      range.style.width = place(high - low);
      dot.style.insetInlineStart = place(share);
      theory.style.insetInlineStart = place(expected);
      return h("tr", {}, h("th", { scope: "row" }, words[name]), h("td", {}, fill(words.of, { k, n })), h("td", {}, n ? percent(share, 1) : "–"),
        h("td", {}, n ? fill(words.range, { low: percent(low, 1), high: percent(high, 1) }) : "–"), h("td", {}, percent(expected, 1)),
        h("td", {}, track, " ", n ? words[inside ? "inside" : "outside"] : ""));
    }));
  }
  return { root, draw };
}

function render({ model, el }) {
  const words = model.get("words"), candidates = model.get("candidates");
  const live = Boolean(model.widget_manager);  // an exported page has nobody to cut another text into tokens
  const set = changes => { for (const [name, value] of Object.entries(changes)) model.set(name, value); model.save_changes(); };
  const said = h("p", { class: "mp-said", role: "status" });
  const say = text => { said.textContent = text ?? words.hint; };
  const row = tokenRow(words, say), counts = table(words);

  const anew = changes => set({ ...changes, first: model.get("seed") });  // other settings: count from here on
  const of = (name, which) => slider({ label: words[name], min: 0, max: 1, step: 0.05, value: model.get("split")[which], format: x => percent(x),
                                       change: x => anew({ split: rebalance(model.get("split"), which, x) }) });
  const rate = slider({ label: words.rate, min: 0.01, max: 1, step: 0.01, value: model.get("rate"), format: x => percent(x), change: x => anew({ rate: x }) });
  const parts = CHOSEN.map(of);
  const again = h("button", { type: "button", onclick: () => set({ seed: model.get("seed") + 1 }) }, words.again);
  const many = h("button", { type: "button", onclick: () => set({ seed: model.get("seed") + MANY }) }, fill(words.many, { n: MANY }));
  const hide = h("button", { type: "button", "aria-pressed": "false", onclick: () => {
    const hidden = row.root.classList.toggle("mp-hide");
    hide.setAttribute("aria-pressed", String(hidden));
  } }, words.hide);
  const bert = h("button", { type: "button", hidden: !(live && model.get("fills")), onclick: () => model.send({ fill: true }) }, words.fill);
  const found = h("p", { class: "mp-said", role: "status" });
  const fresh = h("button", { type: "button", onclick: () => anew({}) }, words.fresh);
  const id = newId(), text = h("input", { type: "text", id, disabled: !live, oninput: () => set({ source: text.value }) });
  const problem = h("p", { class: "mp-problem", role: "alert" });

  const redraw = oncePerFrame(() => {
    const [tokens, special, seed, p, split, first] = ["tokens", "special", "seed", "rate", "split", "first"].map(name => model.get(name));
    const fates = roll(special, seed, p, split);
    const put = { masked: () => words.mask, replaced: i => candidates[replacement(seed, i, candidates.length)] };
    const guesses = model.get("guesses").length === tokens.length ? model.get("guesses") : [];
    row.draw(tokens, fates, tokens.map((token, i) => put[fates[i]]?.(i) ?? token), guesses);
    found.textContent = guesses.length ? fill(words.guessed, { k: guesses.filter((guess, i) => guess === tokens[i]).length, n: guesses.filter(Boolean).length }) : "";
    counts.draw(shares(tally(special, first, seed, p, split), p, split));
    counts.root.caption.textContent = fill(seed === first ? words.caption_one : words.caption, { rolls: seed - first + 1 });
    rate.set(p);
    parts.forEach((part, which) => part.set(split[which]));
    many.disabled = seed - first + MANY >= MOST;
    if (text.value !== model.get("source")) text.value = model.get("source");  // else the cursor would jump
    problem.textContent = model.get("problem");
    problem.hidden = !model.get("problem");
  });

  el.append(frame("cw-masking", words.title,
    h("div", { class: "cw-controls" }, h("div", { class: "cw-control mp-source" }, h("label", { for: id }, words.source), text), problem,
      ...(live ? [] : [h("span", { class: "cw-note" }, words.saved)])),
    h("div", { class: "cw-controls" }, rate.root, ...parts.map(part => part.root)),
    row.root, said, h("div", { class: "cw-controls" }, again, many, fresh, hide, bert), found, counts.root, h("p", { class: "cw-note" }, words.note)));
  say(null);
  redraw();
  return watch(model, ["tokens", "special", "seed", "rate", "split", "first", "source", "problem", "guesses"], redraw);
}

export default { render };
