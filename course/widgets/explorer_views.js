// The explorer's four views. Each is { root, draw(pane, scene) }; `ui` takes what the reader does.

import { h } from "./common.js";
import { chosenMask, difference, direction, drawnLinks, elide, extent, headWeights, pool, visible, walk } from "./explorer_math.js";
import { drawHeatmap, drawLines, drawOverview, inkOn, level, picture, ramp } from "./explorer_draw.js";
import { EXPLORER_WORDS } from "./explorer_words.js";

/**
 * One picture: the matrix of a pass (or the difference of two) under the present choice of layer and head.
 * @typedef {{title: string, passes: Pass[], rows: string[], columns: string[], self: boolean, queries: number,
 *            keys: number, matrix: Float32Array, mask: Uint8Array|null, max: number, signed: boolean}} Pane
 * @typedef {{focus: Focus, pinned: boolean, theme: Theme, layer: Choice, head: Choice, threshold: number, top: number,
 *            direction: "to"|"from", ablated: Set<string>, number: (x: number) => string}} Scene
 * @typedef {{hover: (focus: Focus|null) => void, pin: (focus: Focus) => void,
 *            choose: (layer: number, head: number) => void, open: () => void}} Ui
 */

const NOTHING = { query: null, key: null };
const ROW = 19;  // pixels a label needs to be read

const stage = (name, keydown, ...children) =>
  h("div", { class: `ex-stage ex-${name}`, tabindex: 0, role: "application", "aria-label": EXPLORER_WORDS.stage[name], onkeydown: keydown },
    ...children);

const label = (token, i) =>
  h("span", { class: "ex-token", dir: "auto", title: visible(token).slice(0, 2000), "data-i": i }, elide(visible(token)));

/** A row of token labels. @param {"query"|"key"} side which token a label stands for @param {Ui} ui */
function axis(name, side, ui) {
  const root = h("div", { class: `ex-axis ex-${name}`, "aria-hidden": "true" });
  const focus = event => {
    const at = event.target.closest("[data-i]")?.dataset.i;
    return at === undefined ? null : { ...NOTHING, [side]: Number(at) };
  };
  root.addEventListener("pointerover", event => ui.hover(focus(event)));
  root.addEventListener("pointerleave", () => ui.hover(null));
  root.addEventListener("click", event => focus(event) && ui.pin(focus(event)));
  let tokens, pitch, isTinted = false;
  return {
    root,
    /** Labels every `pitch` pixels; where they would overlap, only every second, third, … is shown; padding is dimmed. */
    set(newTokens, newPitch, padding = []) {
      if (newTokens === tokens && newPitch === pitch) return;
      [tokens, pitch] = [newTokens, newPitch];
      const every = Math.ceil(13 / pitch);
      root.style.setProperty("--pitch", `${pitch}px`);
      root.replaceChildren(...tokens.map((token, i) => {
        const e = label(token, i);
        e.style.setProperty("--at", `${(i + 0.5) * pitch}px`);
        e.classList.toggle("ex-skipped", i % every !== 0);
        e.classList.toggle("ex-padding", padding.includes(i));
        return e;
      }));
      if (name === "columns") root.style.height = `${Math.ceil(slantedHeight(Math.max(0, ...[...root.children].map(e => e.offsetWidth))))}px`;
    },
    mark(i) {
      root.querySelector(".ex-on")?.classList.remove("ex-on");
      if (i !== null) root.children[i]?.classList.add("ex-on");
    },
    /** Backgrounds by weight, or none. @param {((i: number) => number)|null} weight */
    tint(weight, pane, scene) {
      if (!weight && !isTinted) return;
      isTinted = Boolean(weight);
      const colours = weight && ramp(scene.theme.dark, pane.signed);
      [...root.children].forEach((e, i) => paint(e, weight && weight(i), colours, pane, scene));
    },
  };
}

const SLANT = 52 * Math.PI / 180;  // the angle of the labels above a map, as the stylesheet has it

/** The height that a label of some width takes when it is turned. @param {number} width */
const slantedHeight = width => width * Math.sin(SLANT) + 7.5 * Math.cos(SLANT) + 10.5;  // half a line above its middle, which lies 9.5 px up

function paint(element, weight, colours, { max, signed }, { theme }) {
  if (weight === null) { element.style.background = element.style.color = ""; return; }
  const step = level(weight, max, signed);
  element.style.background = `rgb(${colours.subarray(3 * step, 3 * step + 3).join(" ")})`;
  element.style.color = inkOn(step, theme.dark, signed);
}

/** The pixels of a matrix, made anew only when the matrix or the theme has changed. */
function pictureOnce() {
  let matrix, dark, image;
  return (pane, theme) => {
    if (pane.matrix !== matrix || theme.dark !== dark) {
      [matrix, dark] = [pane.matrix, theme.dark];
      image = picture(matrix, pane.queries, pane.keys, { ...pane, colours: ramp(dark, pane.signed) });
    }
    return image;
  };
}

/** Which of the two sides asks: the corner between the labels of a map. */
const corner = () => h("div", { class: "ex-corner" }, h("span", { class: "ex-key-head" }, `${EXPLORER_WORDS.keyHead} →`),
                       h("span", { class: "ex-query-head" }, `${EXPLORER_WORDS.queryHead} ↓`));

const LABELS = 112;  // room for the labels beside and above a map, in pixels

/** @param {Ui} ui */
export function heatmapView(ui) {
  const canvas = h("canvas", { "aria-hidden": "true" }), image = pictureOnce();
  const rows = axis("rows", "query", ui), columns = axis("columns", "key", ui);
  const map = h("div", { class: "ex-map" }, corner(), columns.root, rows.root, canvas);
  let pane, cell = 1, focus = NOTHING;
  const root = stage("heatmap", event => follow(event, ui, walk(event.key, focus, pane, "both")), map);
  const at = event => {
    const box = canvas.getBoundingClientRect(), inside = (x, n) => Math.min(n - 1, Math.max(0, Math.floor(x / cell)));
    return { query: inside(event.clientY - box.top, pane.queries), key: inside(event.clientX - box.left, pane.keys) };
  };
  canvas.addEventListener("pointermove", event => ui.hover(at(event)));
  canvas.addEventListener("pointerleave", () => ui.hover(null));
  canvas.addEventListener("click", event => ui.pin(at(event)));
  return { root, draw(newPane, scene) {
    pane = newPane;
    focus = scene.focus;
    cell = cellSize(root.clientWidth - LABELS - 60, pane);
    rows.set(pane.rows, cell, pane.padding?.rows);
    columns.set(pane.columns, cell, pane.padding?.columns);
    rows.mark(focus.query);
    columns.mark(focus.key);
    drawHeatmap(canvas, pane, image(pane, scene.theme), cell, scene);
  } };
}

/** As large as fits, at most 44 pixels (numbers are readable in a cell from 30). */
function cellSize(width, { queries, keys }) {
  const fits = Math.min(width / keys, 44, 1400 / queries);
  return fits >= 4 ? Math.floor(fits) : Math.max(1, fits);
}

function follow(event, ui, focus) {
  if (!focus) return;
  event.preventDefault();
  ui.pin(focus, { toggle: false });
}

/** @param {Ui} ui */
export function linesView(ui) {
  const canvas = h("canvas", { "aria-hidden": "true" });
  const left = axis("left", "query", ui), right = axis("right", "key", ui);
  let pane, focus = NOTHING;
  const root = stage("lines", event => follow(event, ui, sideways(event.key, focus, pane)),
                     h("div", { class: "ex-heads" }, h("span", {}, EXPLORER_WORDS.queryHead), h("span"), h("span", {}, EXPLORER_WORDS.keyHead)),
                     h("div", { class: "ex-pair" }, left.root, canvas, right.root));
  return { root, draw(newPane, scene) {
    pane = newPane;
    focus = scene.focus;
    const { matrix, queries, keys } = pane, n = Math.max(queries, keys);
    const row = Math.max(11, Math.min(26, Math.floor(900 / n)));
    const width = Math.max(120, Math.min(420, root.clientWidth - 2 * LABELS - 20));
    root.firstChild.style.gridTemplateColumns = `${LABELS}px ${width}px ${LABELS}px`;
    left.set(pane.rows, row, pane.padding?.rows);
    right.set(pane.columns, row, pane.padding?.columns);
    left.mark(focus.query);
    right.mark(focus.key);
    left.tint(focus.key === null ? null : q => matrix[q * keys + focus.key], pane, scene);
    right.tint(focus.query === null ? null : k => matrix[focus.query * keys + k], pane, scene);
    drawLines(canvas, pane, drawnLinks(matrix, queries, keys, scene), { row, width, theme: scene.theme });
  } };
}

function sideways(name, focus, pane) {
  const side = focus.key !== null && focus.query === null ? "key" : "query";
  const i = focus[side] ?? 0;
  if (name === "ArrowLeft") return { query: Math.min(i, pane.queries - 1), key: null };
  if (name === "ArrowRight") return { query: null, key: Math.min(i, pane.keys - 1) };
  return walk(name, focus, pane, side);
}

/** @param {Ui} ui */
export function textView(ui) {
  const queries = axis("running", "query", ui), keys = axis("running", "key", ui);
  const queryTitle = h("div", { class: "cw-note" }, EXPLORER_WORDS.queries), keyTitle = h("div", { class: "cw-note" }, EXPLORER_WORDS.keys);
  let pane, focus = NOTHING;
  const root = stage("text", event => follow(event, ui, alongText(event.key, focus, pane)),
                     queryTitle, queries.root, keyTitle, keys.root);
  return { root, draw(newPane, scene) {
    pane = newPane;
    focus = scene.focus;
    for (const e of [queryTitle, keyTitle, keys.root]) e.hidden = pane.self;
    queries.set(pane.rows, ROW, pane.padding?.rows);
    keys.set(pane.columns, ROW, pane.padding?.columns);
    queries.root.dir = direction(pane.rows);  // not "auto", which passes over elements with a dir of their own, as tokens are
    keys.root.dir = direction(pane.columns);
    queries.mark(focus.query);
    keys.mark(focus.key);
    const { matrix, keys: n } = pane, { query, key } = focus;
    const row = query === null ? null : k => matrix[query * n + k];
    const column = j => (j === null ? null : q => matrix[q * n + j]);
    queries.tint(pane.self ? (scene.direction === "to" ? row : column(query)) : column(key), pane, scene);
    if (!pane.self) keys.tint(row, pane, scene);
  } };
}

const MIRRORED = { ArrowLeft: "ArrowRight", ArrowRight: "ArrowLeft" };

/** Left and right as the text is read; with two texts, up and down go from the one to the other. */
function alongText(name, focus, pane) {
  const side = focus.key !== null && focus.query === null ? "key" : "query", other = { ArrowUp: "query", ArrowDown: "key" }[name];
  if (other && !pane.self) return { ...NOTHING, [other]: Math.min(focus[side] ?? 0, (other === "key" ? pane.keys : pane.queries) - 1) };
  const mirrored = direction(side === "key" ? pane.columns : pane.rows) === "rtl";
  return walk((mirrored && MIRRORED[name]) || name, focus, pane, side);
}

const GAP = 6;

/** @param {Ui} ui */
export function overviewView(ui) {
  const canvas = h("canvas", { "aria-hidden": "true" });
  const rows = h("div", { class: "ex-axis ex-ticks-left", "aria-hidden": "true" });
  const columns = h("div", { class: "ex-axis ex-ticks-top", "aria-hidden": "true" });
  const root = stage("overview", keydown, h("div", { class: "ex-map" }, h("div", { class: "ex-corner" }), columns, rows, canvas),
                     h("p", { class: "cw-note" }, EXPLORER_WORDS.ownScale));
  let pane, scene, pitch = 1, thumbs, shown;
  const sizes = () => [pane.passes[0].layers, pane.passes[0].heads];
  const at = event => {
    const box = canvas.getBoundingClientRect();
    return [event.clientY - box.top, event.clientX - box.left].map((x, i) => Math.min(sizes()[i] - 1, Math.max(0, Math.floor(x / pitch))));
  };
  canvas.addEventListener("click", event => { ui.choose(...at(event)); ui.open(); });
  canvas.addEventListener("pointermove", event => ui.name(...at(event)));
  function keydown(event) {
    if (event.key === "Enter") { event.preventDefault(); return ui.open(); }
    const [dl, dh] = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key] ?? [];
    if (dl === undefined) return;
    event.preventDefault();
    const [layers, heads] = sizes(), clamp = (x, n) => Math.min(n - 1, Math.max(0, x));
    ui.choose(clamp((Number(scene.layer) || 0) + dl, layers), clamp((Number(scene.head) || 0) + dh, heads));
  }
  return { root, draw(newPane, newScene) {
    [pane, scene] = [newPane, newScene];
    const [layers, heads] = sizes();
    const side = Math.floor(Math.max(18, Math.min(120, (root.clientWidth - 60) / heads - GAP, Math.max(40, 900 / layers))));
    pitch = side + GAP;
    const name = `${side} ${scene.theme.dark}`;
    if (shown !== name || thumbs.length !== pane.passes.length || thumbs.some((pass, i) => pass !== pane.passes[i])) {
      [thumbs, shown] = [pane.passes, name];
      this.images = thumbnails(pane, side, scene.theme);
      ticks(rows, layers, pitch, EXPLORER_WORDS.layerTick);
      ticks(columns, heads, pitch, EXPLORER_WORDS.headTick);
    }
    const chosen = Number.isInteger(scene.layer) && Number.isInteger(scene.head) ? [scene.layer, scene.head] : null;
    drawOverview(canvas, this.images, { side, gap: GAP, chosen, ...scene });
  } };
}

function ticks(root, n, pitch, word) {
  root.style.setProperty("--pitch", `${pitch}px`);
  root.replaceChildren(...Array.from({ length: n }, (_, i) => h("span", {}, word.replace("{n}", i))));
}

function thumbnails({ passes, signed }, side, theme) {
  const [first, second] = passes, colours = ramp(theme.dark, signed);
  return Array.from({ length: first.layers }, (_, l) => Array.from({ length: first.heads }, (_, x) => {
    const weights = headWeights(first, l, x), mask = chosenMask(first, l, x);
    const full = second ? difference(weights, headWeights(second, l, x)) : weights;
    const { values, rows, columns } = pool(full, first.queries, first.keys, 2 * side);
    const small = mask && pool(Float32Array.from(mask), first.queries, first.keys, 2 * side).values;
    return picture(values, rows, columns, { max: extent(values), signed, mask: small, colours });
  }));
}
