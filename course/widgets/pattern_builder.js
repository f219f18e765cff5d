// BigBird's pattern put together by hand: window, global places, picks; who sees whom, and by which way.
import { fill, fixed, frame, h, oncePerFrame, slider, svg, watch } from "./common.js";

const W = 420, EDGE = 34;

/** Why each cell is there ("" where it is not): a global place, the window, or a pick.
 *  @param {ArrayLike<number>} lots one number a cell, rows of `largest` @param {number} largest */
export function buildPattern(lots, largest, n, width, nGlobal, r) {
  return Array.from({ length: n }, (_, i) => {
    const row = Array.from({ length: n }, (_, j) => (i < nGlobal || j < nGlobal ? "global" : Math.abs(i - j) <= width ? "window" : ""));
    const free = row.map((kind, j) => [lots[i * largest + j], j, kind]).filter(cell => cell[2] === "");
    free.sort((a, b) => a[0] - b[0] || a[1] - b[1]).slice(0, r).forEach(([, j]) => { row[j] = "random"; });
    return row;
  });
}

/** Steps from every row to every column along cells that are there; -1 where there is no way. @param {string[][]} kinds */
export function hops(kinds) {
  const n = kinds.length;
  return kinds.map((_, source) => {
    const steps = Array(n).fill(-1), waiting = [source];
    steps[source] = 0;
    for (const at of waiting) for (let j = 0; j < n; j++) if (kinds[at][j] && steps[j] < 0) { steps[j] = steps[at] + 1; waiting.push(j); }
    return steps;
  });
}

/** The way from a row to a column: at every step the first block that leads there soonest. */
export function way(kinds, steps, row, column) {
  if (steps[row][column] < 0) return [];
  const path = [row];
  while (path.at(-1) !== column) {
    const at = path.at(-1), left = steps[at][column];
    path.push(kinds.findIndex((_, j) => kinds[at][j] && steps[j][column] === left - 1));
  }
  return path;
}

/** The sentence under the controls. */
export function sentence(words, kinds, steps, row, column) {
  const n = kinds.length, edges = kinds.flat().filter(Boolean).length, path = way(kinds, steps, row, column);
  const many = k => (k === 1 ? words.steps[0] : fill(words.steps[1], { steps: k }));
  const told = !path.length ? fill(words.no_way, { row, column }) : path.length === 1 ? fill(words.here, { row })
    : fill(words.way, { row, column, steps: many(path.length - 1), path: path.join(" → ") });
  const all = steps.flat(), far = Math.min(...all) < 0 ? words.apart : fill(words.far, { steps: many(Math.max(...all)) });
  return fill(words.says, { edges, all: n * n, share: Math.floor((100 * edges) / (n * n) + 0.5), way: told, far });
}

function shape(kind, x, y, side) {
  const inset = 0.12 * side;
  if (kind === "window") return svg("rect", { class: kind, x: x + inset, y: y + inset, width: side - 2 * inset, height: side - 2 * inset });
  if (kind === "global") return svg("rect", { class: kind, x: x + inset, y: y + 0.35 * side, width: side - 2 * inset, height: 0.3 * side });
  return svg("circle", { class: kind, cx: x + side / 2, cy: y + side / 2, r: 0.36 * side });
}

function grid(words, choose) {
  const body = svg("g"), root = svg("svg", { viewBox: `0 0 ${W} ${W}`, role: "img" }, body,
    svg("text", { x: EDGE + (W - EDGE) / 2, y: 12, "text-anchor": "middle" }, words.columns),
    svg("text", { x: 11, y: EDGE + (W - EDGE) / 2, "text-anchor": "middle", transform: `rotate(-90 11 ${EDGE + (W - EDGE) / 2})` }, words.rows));
  const draw = (kinds, path, row, column, label) => {
    const n = kinds.length, side = (W - EDGE - 2) / n, at = i => EDGE + i * side;
    const marks = [0, n - 1].flatMap(i => [svg("text", { x: at(i) + side / 2, y: EDGE - 5, "text-anchor": "middle" }, i), svg("text", { x: EDGE - 4, y: at(i) + side / 2 + 4, "text-anchor": "end" }, i)]);
    const cells = kinds.flatMap((of, i) => of.map((kind, j) => svg("g", { onclick: () => choose(i, j) },
      svg("rect", { class: "cell", x: at(j), y: at(i), width: side, height: side }), ...(kind ? [shape(kind, at(j), at(i), side)] : []))));
    const rings = path.slice(1).map((j, k) => svg("rect", { class: "ring", x: at(j), y: at(path[k]), width: side, height: side }));
    const asked = svg("rect", { class: "asked", x: at(column), y: at(row), width: side, height: side });
    body.replaceChildren(...cells, ...marks, asked, ...rings);
    root.setAttribute("aria-label", label);
  };
  return { root, draw };
}

function render({ model, el }) {
  const words = model.get("words"), largest = model.get("largest"), draws = model.get("draws");
  const view = model.get("lots"), lots = Array.from({ length: view.byteLength / 2 }, (_, i) => view.getUint16(2 * i, true));
  const set = values => { for (const [name, value] of Object.entries(values)) model.set(name, value); model.save_changes(); };
  const bar = (name, min, max) => slider({ label: words[name], min, max, value: model.get(name), change: v => set({ [name]: v }) });
  const bars = { n: bar("n", 4, largest), width: bar("width", 0, 6), n_global: bar("n_global", 0, 3), r: bar("r", 0, 3), row: bar("row", 0, largest - 1), column: bar("column", 0, largest - 1) };
  const picture = grid(words, (row, column) => set({ row, column }));
  const says = h("p", { class: "says", role: "status" }), time = h("p", { class: "time" });
  const again = h("button", { type: "button", onclick: () => set({ draw: (model.get("draw") + 1) % draws }) }, words.again);
  const legend = h("p", { class: "legend" }, ...["window", "global", "random"].map(kind => h("span", {}, svg("svg", { viewBox: "0 0 14 14", class: "key" }, shape(kind, 0, 0, 14)), words[kind])));
  const draw = oncePerFrame(() => {
    const n = model.get("n"), row = Math.min(model.get("row"), n - 1), column = Math.min(model.get("column"), n - 1), from = model.get("draw") * largest * largest;
    const kinds = buildPattern(lots.slice(from, from + largest * largest), largest, n, model.get("width"), model.get("n_global"), model.get("r")), steps = hops(kinds);
    for (const name of ["n", "width", "n_global", "r"]) bars[name].set(model.get(name));
    for (const [name, value] of [["row", row], ["column", column]]) { bars[name].input.max = n - 1; bars[name].set(value); }
    says.textContent = sentence(words, kinds, steps, row, column);
    picture.draw(kinds, way(kinds, steps, row, column), row, column, says.textContent);
    const [ms, full] = model.get("measured"), size = model.get("size");
    time.textContent = ms === undefined ? "" : fill(words.ms, { tokens: n * size, size, ms: fixed(ms, 2), full: fixed(full, 2) });
  });
  const stop = watch(model, ["n", "width", "n_global", "r", "draw", "row", "column", "measured"], draw);
  el.append(frame("cw-pattern", words.title, h("div", { class: "cw-controls" }, ...Object.values(bars).map(b => b.root), again), says, time,
    picture.root, legend, h("p", { class: "cw-note" }, words.note)));
  draw();
  return stop;
}

export default { render };
