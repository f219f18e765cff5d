// The attention explorer: state, controls and the panel beside the picture. Drawing is in explorer_views.js.
// The weights arrive once; every change of view, layer, head or token is made here, without the kernel.

import { fill, fixed, frame, h, isDark, newId, oncePerFrame, onTheme, slider, watch } from "./common.js";
import { arithmetic, chosenMask, chosenWeights, difference, elide, extent, openPass, strongest, strongestLinks, visible, withoutPadding } from "./explorer_math.js";
import { drawBars, rampStops } from "./explorer_draw.js";
import { heatmapView, linesView, overviewView, textView } from "./explorer_views.js";
import { EXPLORER_WORDS } from "./explorer_words.js";
import { makeScrubber } from "./scrubber.js";
import { hasKernel } from "./sentence.js";

const VIEWS = { overview: overviewView, heatmap: heatmapView, lines: linesView, text: textView };
const TRAITS = ["view", "layer", "head", "query", "key", "show", "threshold", "top", "direction", "moment", "hide_padding", "full_scale"];
const LISTED = 8;  // tokens named in a list beside the picture

const quote = token => `“${elide(visible(token), 24)}”`;
const number = x => (x !== 0 && Math.abs(x) < 0.005 ? x.toExponential(0).replace("-", "\u2212") : fixed(x, 2));

function render({ model, el, experimental }) {
  const get = name => model.get(name);
  const set = values => {
    for (const [name, value] of Object.entries(values)) model.set(name, value);
    model.save_changes();
  };
  let opened = [], passes = [], stale = true, hovered = null, pieces = [], shape = "", theme = null;
  const update = oncePerFrame(draw);
  const renew = () => { stale = true; update(); };

  const ui = {
    hover(focus) { hovered = focus; update(); },
    pin(focus, { toggle = true } = {}) {
      const same = toggle && focus.query === get("query") && focus.key === get("key");
      set(same ? { query: null, key: null } : focus);
      if (!toggle) hovered = null;
    },
    choose(layer, head) { set({ layer, head }); },
    open() { set({ view: "heatmap" }); },
    name(layer, head) { status.textContent = fill(EXPLORER_WORDS.pane, { layer, head }); },
  };

  const controls = makeControls(get, set);
  const panes = h("div", { class: "ex-panes" });
  const panel = h("div", { class: "ex-panel" });
  const status = h("p", { class: "ex-status", role: "status" });
  const legend = h("div", { class: "ex-legend" });
  const note = h("p", { class: "cw-note ex-note" });
  const working = makeArithmetic();
  const summary = h("p", { class: "cw-hidden" });
  const live = get("options") && (hasKernel(experimental) ? makeLive(get, set) : makeSaved(get));
  const scrubber = get("steps") ? makeScrubber(get, set) : null;
  const present = () => (scrubber ? [passes[get("moment")]] : passes);
  const root = frame("ex", EXPLORER_WORDS.title, ...(live ? [live.root] : []), controls.root,
                     ...(scrubber ? [scrubber.root] : []), h("div", { class: "ex-body" }, panes, panel), legend, note, status, working.root, summary);
  root.addEventListener("keydown", shortcuts);
  el.append(root);

  function open() {
    opened = get("passes").map(heading => openPass(heading, get("buffer")));
    hovered = null;
    shape = "";
    stale = false;
  }

  function shortcuts(event) {
    if (event.target.matches("input, select") || event.ctrlKey || event.metaKey || event.altKey) return;
    const { layers, heads } = passes[0], turn = (x, d, n) => ((Number(x) || 0) + d + n) % n;
    const changes = { Escape: { query: null, key: null }, "[": { head: turn(get("head"), -1, heads) }, "]": { head: turn(get("head"), 1, heads) },
                      "{": { layer: turn(get("layer"), -1, layers) }, "}": { layer: turn(get("layer"), 1, layers) } }[event.key];
    if (!changes) return;
    event.preventDefault();
    set(changes);
  }

  /** What is shown: one pane, two side by side, or the difference of two. @returns {Pane[]} */
  function makePanes() {
    const layer = get("layer"), head = get("head");
    const one = pass => {
      const matrix = chosenWeights(pass, layer, head);
      return { ...pass, title: pass.name, passes: [pass], matrix, mask: chosenMask(pass, layer, head), max: get("full_scale") ? 1 : extent(matrix), signed: false };
    };
    // One colour scale for all of training, else a head that learns would only seem to change its pattern.
    if (scrubber && !get("full_scale")) return [{ ...one(present()[0]), max: Math.max(...passes.map(p => extent(chosenWeights(p, layer, head)))) }];
    if (scrubber || passes.length === 1 || get("show") === "first") return [one(present()[0])];
    const [a, b] = passes.map(one);
    if (get("show") === "second") return [b];
    if (get("show") === "both") return [a, b].map(pane => ({ ...pane, max: Math.max(a.max, b.max) }));
    const matrix = difference(a.matrix, b.matrix);
    return [{ ...a, title: fill(EXPLORER_WORDS.difference, { a: a.title, b: b.title }), passes, matrix, max: extent(matrix), signed: true }];
  }

  function draw() {
    if (!root.isConnected || !panes.clientWidth) return;
    if (stale) open();
    passes = get("hide_padding") ? opened.map(withoutPadding) : opened;
    const view = get("view"), shown = makePanes();
    theme ??= themeOf(root);
    if (shape !== `${view} ${shown.length}`) {
      shape = `${view} ${shown.length}`;
      pieces = shown.map(() => ({ ...VIEWS[view](ui), title: h("h4", { class: "ex-title" }) }));
      panes.replaceChildren(...pieces.map(p => h("div", { class: "ex-pane" }, p.title, p.root)));
    }
    const pinned = { query: get("query"), key: get("key") };
    // A pinned token may lie beyond the end of a shorter text: nothing is in focus there.
    const within = ({ query, key }, pane) => ((query ?? 0) < pane.queries && (key ?? 0) < pane.keys ? { query, key } : { query: null, key: null });
    const foci = shown.map(pane => within(hovered ?? pinned, pane)), any = ({ query, key }) => query !== null || key !== null;
    const scene = { view, layer: get("layer"), head: get("head"), theme, threshold: get("threshold"), top: get("top"), direction: get("direction"), number: x => fixed(x, 2),
                    ablated: new Set((get("ablated") ?? []).map(String)) };
    pieces.forEach((piece, i) => {
      piece.title.textContent = shown[i].title;
      piece.title.hidden = !shown[i].title;
      piece.draw(shown[i], { ...scene, focus: foci[i], pinned: !hovered && any(foci[i]) });
    });
    const wide = shown[0].keys > 48 && view === "heatmap";
    root.classList.toggle("ex-wide", wide);
    tell(shown, foci, scene);
    controls.refresh(present());
    note.textContent = present().map(pass => pass.note).filter(Boolean).join(" ");
    note.hidden = !note.textContent;
    live?.refresh();
    scrubber?.refresh();
    drawLegend(shown[0], theme, view);
  }

  function tell(shown, foci, scene) {
    const [pane] = shown, [focus] = foci;
    if (scene.view !== "overview") status.textContent = sentence(pane, focus) || EXPLORER_WORDS.hint;
    panel.replaceChildren(...shown.flatMap((p, i) => lists(p, foci[i])));
    panel.hidden = get("view") === "overview" || !panel.children.length;
    working.draw(pane, focus, scene);
    const links = strongestLinks(pane.matrix, pane.keys, 5).map(l => linkText(pane, l)).join("; ");
    summary.textContent = fill(EXPLORER_WORDS.summary, { title: fill(EXPLORER_WORDS.pane, scene), links: links || EXPLORER_WORDS.none });
  }

  function drawLegend(pane, { dark }, view) {
    const stops = rampStops(dark, pane.signed).join(", ");
    const bar = h("span", { class: "ex-ramp" });
    bar.style.background = `linear-gradient(to right, ${stops})`;
    const ends = pane.signed ? [fixed(-pane.max, 2), fixed(pane.max, 2)] : ["0", number(pane.max)];
    legend.replaceChildren(h("span", {}, ends[0]), bar, h("span", {}, ends[1]),
      ...(pane.mask ? [h("span", { class: "ex-hatch" }), h("span", {}, EXPLORER_WORDS.masked)] : []));
    legend.hidden = view === "overview" && !pane.mask;
  }

  const stops = [watch(model, TRAITS, update), watch(model, ["text", "temperature", "mask", "ablated", "effect", "problem"], update), watch(model, ["passes", "buffer"], renew), onTheme(() => { theme = null; update(); })];
  const resized = new ResizeObserver(update);
  resized.observe(panes);
  update();
  return () => { scrubber?.stop(); stops.forEach(stop => stop()); resized.disconnect(); };
}

const linkText = ({ rows, columns }, { query, key, weight }) =>
  fill(EXPLORER_WORDS.link, { query: quote(rows[query]), key: quote(columns[key]), weight: fixed(weight, 3) });

function sentence(pane, { query, key }) {
  if (query !== null && key !== null) {
    const i = query * pane.keys + key, link = { query, key, weight: pane.matrix[i] };
    return pane.mask && !pane.mask[i] && pane.matrix[i] === 0
      ? fill(EXPLORER_WORDS.linkMasked, { query: quote(pane.rows[query]), key: quote(pane.columns[key]) }) : linkText(pane, link);
  }
  const i = query ?? key;
  return i === null ? "" : fill(EXPLORER_WORDS.token, { token: quote((query === null ? pane.columns : pane.rows)[i]), n: i });
}

/** The focused token's row and column in numbers. @param {Pane} pane @param {Focus} focus */
function lists(pane, { query, key }) {
  const { matrix, queries, keys, rows, columns } = pane, column = key ?? (pane.self ? query : null), out = [];
  if (query !== null)
    out.push(list(fill(EXPLORER_WORDS.attends, { token: quote(rows[query]) }), matrix.subarray(query * keys, (query + 1) * keys), columns, pane.max));
  if (column !== null)
    out.push(list(fill(EXPLORER_WORDS.attendedOf, { token: quote(columns[column]) }),
                  Float32Array.from({ length: queries }, (_, q) => matrix[q * keys + column]), rows, pane.max));
  return out;
}

const list = (title, values, tokens, max) => h("div", { class: "ex-list" }, h("h4", {}, title),
  h("ol", {}, ...strongest(values, LISTED).filter(i => values[i] !== 0).map(i => {
    const bar = h("span", { class: "ex-bar" });
    bar.style.width = `${100 * Math.abs(values[i]) / max}%`;
    return h("li", {}, h("bdi", { title: visible(tokens[i]).slice(0, 2000) }, elide(visible(tokens[i]), 16)), h("span", { class: "ex-track" }, bar),
             h("span", { class: "cw-number" }, fixed(values[i], 3)));
  })));

/** Colours of the page as a canvas needs them: resolved, where a custom property may hold light-dark(). @returns {Theme} */
function themeOf(root) {
  const probe = h("span", { hidden: true });
  root.append(probe);
  const colours = ["fg", "bg", "line", "accent", "query", "key"].map(name => {
    probe.style.color = `var(--cw-${name})`;
    return [name, getComputedStyle(probe).color];
  });
  probe.remove();
  return { dark: isDark(), ...Object.fromEntries(colours) };
}

function choice(text, options, change) {
  const id = newId();
  const select = h("select", { id, onchange: () => change(options[select.selectedIndex][0]) },
                   ...options.map(([, name]) => h("option", {}, name)));
  const root = h("div", { class: "cw-control" }, h("label", { for: id }, text), select);
  return { root, set(value) { select.selectedIndex = options.findIndex(([x]) => x === value); } };
}

function box(text, change) {
  const id = newId(), input = h("input", { type: "checkbox", id, onchange: () => change(input.checked) });
  return { root: h("div", { class: "cw-control" }, input, h("label", { for: id }, text)), set(value) { input.checked = value; } };
}

function makeControls(get, set) {
  const W = EXPLORER_WORDS, root = h("div", { class: "cw-controls" });
  const scale = box(W.fullScale, full_scale => set({ full_scale }));
  let known = "", parts = {};
  const tabs = Object.entries(W.views).map(([name, text]) => h("button", { type: "button", onclick: () => set({ view: name }), "data-view": name }, text));
  function build(passes) {
    const [first, second] = passes, fewest = what => Math.min(...passes.map(p => p[what]));
    const numbered = n => [...Array.from({ length: n }, (_, i) => [i, String(i)]), ...(n > 1 ? [["mean", W.mean], ["max", W.max]] : [])];
    const same = second && first.layers === second.layers && first.heads === second.heads && first.queries === second.queries && first.keys === second.keys;
    const show = second && [["first", first.name], ["second", second.name], ["both", fill(W.both, { a: first.name, b: second.name })],
                            ...(same ? [["difference", fill(W.difference, { a: first.name, b: second.name })]] : [])];
    const most = Math.min(20, first.keys);
    const next = {
      layer: choice(W.layer, numbered(fewest("layers")), layer => set({ layer })),
      head: choice(W.head, numbered(fewest("heads")), head => set({ head })),
      ...(show ? { show: choice(W.show, show, x => set({ show: x })) } : {}),
      threshold: slider({ label: W.threshold, min: 0, max: 0.5, step: 0.01, value: get("threshold"), format: x => fixed(x, 2), change: threshold => set({ threshold }) }),
      top: slider({ label: W.top, min: 0, max: most, value: get("top"), format: x => (x ? String(x) : W.all), change: top => set({ top }) }),
      direction: choice(W.direction, [["to", W.to], ["from", W.from]], direction => set({ direction })),
    };
    const hiding = parts.hide_padding?.root.contains(document.activeElement);
    if (get("passes").some(p => p.padding)) next.hide_padding = box(W.hidePadding, hide_padding => set({ hide_padding, query: null, key: null }));
    parts = next;
    root.replaceChildren(h("div", { class: "ex-tabs", role: "group", "aria-label": W.viewGroup }, ...tabs), ...Object.values(parts).map(p => p.root), scale.root);
    if (hiding) parts.hide_padding.root.firstChild.focus();  // the box is made anew, and whoever pressed it is there still
  }
  return { root, refresh(passes) {
    const now = JSON.stringify(passes.map((p, i) => [Boolean(get("passes")[i]?.padding), passes.length > 1 && p.name, p.layers, p.heads, p.queries, p.keys]));
    if (now !== known) { known = now; build(passes); }
    const view = get("view");
    for (const tab of tabs) tab.setAttribute("aria-pressed", tab.dataset.view === view);
    for (const [name, part] of Object.entries(parts)) part.set(get(name));
    for (const name of ["layer", "head"]) parts[name].root.hidden = view === "overview";
    for (const name of ["threshold", "top"]) parts[name].root.hidden = view !== "lines";
    scale.set(get("full_scale"));
    scale.root.hidden = view === "overview" || get("show") === "difference" && passes.length > 1;
    parts.direction.root.hidden = view !== "text" || !passes[0].self;
  } };
}

/** The steps from q and k to one weight, opened on demand. */
function makeArithmetic() {
  const W = EXPLORER_WORDS, content = h("div", { class: "ex-steps" });
  const root = h("details", { class: "ex-arithmetic", hidden: true }, h("summary", {}, W.arithmetic), content);
  let last = () => {};
  root.addEventListener("toggle", () => last());
  return { root, draw(pane, focus, scene) {
    root.hidden = !pane.passes[0].query || pane.passes.length > 1 || scene.view === "overview";
    last = () => { if (root.open && !root.hidden) content.replaceChildren(...steps(pane, focus, scene)); };
    last();
  } };
}

function steps(pane, { query, key }, { layer, head, theme }) {
  const W = EXPLORER_WORDS;
  if (query !== null) key ??= strongest(pane.matrix.subarray(query * pane.keys, (query + 1) * pane.keys), 1)[0];
  if (query === null || key === null || !Number.isInteger(layer) || !Number.isInteger(head)) return [h("p", { class: "cw-note" }, W.arithmeticHint)];
  const a = arithmetic(pane.passes[0], layer, head, query, key), width = Math.min(560, Math.max(160, 9 * a.query.length));
  const bars = (name, values, colour) => {
    const canvas = h("canvas", { role: "img", "aria-label": `${name}: ${Array.from(values.slice(0, 16), x => fixed(x, 2)).join(", ")}` });
    drawBars(canvas, values, { width, height: 38, max: extent(values), colour, theme });
    return h("div", { class: "ex-step" }, h("span", {}, name), h("div", { class: "ex-numbered" }, canvas, h("span", { class: "cw-number" }, firstOf(values))));
  };
  const line = (name, ...text) => h("div", { class: "ex-step" }, h("span", {}, name), h("span", { class: "cw-number" }, ...text));
  const total = a.scores.reduce((sum, s) => sum + Math.exp(s - a.score), 0);
  const out = [bars(`q ${quote(pane.rows[query])}`, a.query, theme.query), bars(`k ${quote(pane.columns[key])}`, a.key, theme.key),
    bars(W.product, a.products, theme.fg), line(W.dot, fixed(a.dot, 3)),
    line(fill(W.scaled, { scale: fixed(a.scale, 4) }), fixed(a.score, 3)), line(W.maskStep, a.allowed ? W.allowed : W.forbidden)];
  if (a.allowed) out.push(line(W.softmaxRow, `exp(${fixed(a.score, 3)}) / Σ exp = 1 / ${fixed(total, 3)} = ${fixed(a.weight, 3)}`));
  if (Math.abs(a.weight - a.given) > 0.005) out.push(h("p", { class: "cw-note" }, fill(W.differs, { weight: fixed(a.weight, 3), given: fixed(a.given, 3) })));
  return out;
}

/** A vector in numbers, of a long one its beginning. @param {ArrayLike<number>} values */
const firstOf = (values, most = 8) =>
  `(${Array.from(values).slice(0, most).map(x => fixed(x, 2)).join(", ")}${values.length > most ? ", …" : ""})`;

/** What the reader changes of the model itself; the kernel runs it and sends a new pass. */
function makeLive(get, set) {
  const W = EXPLORER_WORDS, { temperature, masks, ablate } = get("options");
  const text = h("input", { type: "text", dir: "auto", spellcheck: "false", oninput: () => set({ text: text.value }) });
  const heat = temperature && slider({ label: W.temperature, min: 0.1, max: 4, step: 0.1, value: get("temperature"),
                                       format: x => fixed(x, 1), change: x => set({ temperature: x }) });
  const mask = masks.length > 0 && choice(W.mask, [[null, W.noMask], ...masks.map(m => [m, m])], x => set({ mask: x }));
  const toggle = h("button", { type: "button", onclick: flip });
  const restore = h("button", { type: "button", onclick: () => set({ ablated: [] }) }, W.restore);
  const gone = h("span", { class: "cw-note" });
  const problem = h("p", { class: "ex-problem", role: "alert" }), effect = h("p", { class: "ex-effect", role: "status" });
  const here = () => [get("layer"), get("head")], isHere = ([l, x]) => l === get("layer") && x === get("head");
  function flip() {
    const others = get("ablated").filter(pair => !isHere(pair));
    set({ ablated: others.length < get("ablated").length ? others : [...others, here()] });
  }
  const root = h("div", { class: "ex-live" }, h("label", { class: "cw-control ex-sentence" }, W.live, text),
                 ...[heat, mask].filter(Boolean).map(c => c.root), ...(ablate ? [toggle, restore, gone, effect] : []), problem);
  return { root, refresh() {
    if (document.activeElement !== text) text.value = get("text");
    heat?.set?.(get("temperature"));
    mask?.set?.(get("mask"));
    const ablated = get("ablated");
    toggle.textContent = W.ablate;
    toggle.setAttribute("aria-pressed", ablated.some(isHere));
    toggle.disabled = !here().every(Number.isInteger);
    restore.hidden = gone.hidden = !ablated.length;
    gone.textContent = ablatedHeads(get);
    effect.textContent = ablated.length ? effectOf(get("effect")) : "";
    effect.hidden = !effect.textContent;
    problem.textContent = get("problem");
    problem.hidden = !get("problem");
  } };
}

/** The same in an exported page, where nothing can be changed: what the model read, and under which settings. */
function makeSaved(get) {
  const W = EXPLORER_WORDS, { temperature } = get("options");
  const settings = [temperature && `${W.temperature} ${fixed(get("temperature"), 1)}`, get("mask") && `${W.mask} ${get("mask")}`,
                    get("ablated").length && ablatedHeads(get)].filter(Boolean);
  const read = !get("problem") && h("span", {}, W.live, ": ", h("bdi", {}, elide(visible(get("text")), 300)));
  const root = h("div", { class: "ex-live" }, ...(read ? [read] : []), ...settings.map(text => h("span", {}, text)), h("span", { class: "cw-note" }, W.saved));
  return { root, refresh() {} };
}

/** What an ablation did, as Python measured it. @param {{layer?: number, was?: string}} effect */
function effectOf(effect) {
  if (!effect || !("changed" in effect)) return "";
  const W = EXPLORER_WORDS, { query, key, before, after } = effect;
  const written = effect.was ? fill(W.written, effect) : "";
  const weights = effect.changed ? fill(W.effect, { pane: fill(W.pane, effect), query: quote(query), key: quote(key), before: fixed(before, 2), after: fixed(after, 2) })
                                 : written ? "" : W.noEffect;
  return `${written} ${weights}`.trim();
}

const ablatedHeads = get =>
  fill(EXPLORER_WORDS.ablated, { heads: get("ablated").map(([l, x]) => fill(EXPLORER_WORDS.pair, { layer: l, head: x })).join(", ") });

export default { render };
