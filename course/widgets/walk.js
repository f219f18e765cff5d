// The walk through self-attention: every number of a small example, one step at a time.
import { fill, frame, h, slider, subscripts, svg, tidy, watch } from "./common.js";

// A region is [matrix, row, column]; null stands for all rows or all columns.
/** @param {[string, ?number, ?number]} region */
export const covers = ([matrix, row, column], m, r, c) =>
  matrix === m && (row === null || row === r) && (column === null || column === c);

const touches = (regions, m, r, c) => regions.some(region => covers(region, m, r, c));

/** Is this cell's number known after step t? The weighted values are those of one output at a time.
 *  @param {{writes: Array, output: ?number}[]} steps */
export function known(steps, t, matrix, row, column) {
  return steps.slice(0, t + 1).some(step => touches(step.writes, matrix, row, column)
    && (matrix !== "weighted" || step.output === steps[t].output));
}

/** How a cell looks at step t: "writes", "reads", "known", or "" while it is still empty. */
export function look(steps, t, given, matrix, row, column) {
  if (touches(steps[t].writes, matrix, row, column)) return "writes";
  if (!given && !known(steps, t, matrix, row, column)) return "";
  return touches(steps[t].reads, matrix, row, column) ? "reads" : "known";
}

/** The number in a cell at a step. */
export const valueAt = (matrix, step, row, column) =>
  (Array.isArray(matrix[0][0]) ? matrix[step.output ?? 0] : matrix)[row][column];

function grid({ name, caption, rows, columns, given }, matrix, steps) {
  const sample = Array.isArray(matrix[0][0]) ? matrix[0] : matrix;
  const cells = sample.map((numbers, r) => numbers.map((_, c) => ({ r, c, td: h("td") })));
  const head = columns && h("thead", {}, h("tr", {}, h("td"), ...columns.map(t => h("th", { scope: "col", title: t }, t))));
  const body = cells.map((row, r) => h("tr", {}, rows ? h("th", { scope: "row", title: rows[r] }, rows[r]) : "", ...row.map(cell => cell.td)));
  const root = h("table", { class: `matrix ${name}` }, h("caption", {}, ...subscripts(caption)), head || "", h("tbody", {}, ...body));
  const draw = t => cells.flat().forEach(({ r, c, td }) => {
    const state = look(steps, t, given, name, r, c);
    td.className = state;
    td.textContent = state ? tidy(valueAt(matrix, steps[t], r, c)) : "";
  });
  return { root, draw };
}

/** The signs on the buttons, drawn: fonts without emoji lack ⏮ and ⏭. Each fills a square of 12. */
const SIGNS = { first: "M1 1h2v10h-2zM11 1v10l-8-5z", previous: "M10 1v10l-8-5z", play: "M2 1v10l9-5z", pause: "M2 1h3v10h-3zM7 1h3v10h-3z",
                next: "M2 1v10l8-5z", last: "M1 1v10l8-5zM9 1h2v10h-2z" };

function transport(words, acts) {
  const buttons = Object.entries(acts).map(([name, onclick]) => {
    const shape = svg("path", { fill: "currentColor" }), root = h("button", { type: "button", onclick },
      svg("svg", { viewBox: "0 0 12 12", width: 12, height: 12, "aria-hidden": "true" }, shape));
    const show = name => {
      shape.setAttribute("d", SIGNS[name]);
      root.setAttribute("aria-label", words[name]);
      root.title = words[name];
    };
    show(name);
    return { root, show, name };
  });
  const play = buttons.find(button => button.name === "play");
  return { root: h("div", { class: "cw-control" }, ...buttons.map(button => button.root)), show: playing => play.show(playing ? "pause" : "play") };
}

function render({ model, el }) {
  const [steps, matrices, tokens, words] = ["steps", "matrices", "tokens", "words"].map(name => model.get(name));
  const last = steps.length - 1;
  let timer = null, pause = 1200;
  const set = t => { model.set("step", Math.min(last, Math.max(0, t))); model.save_changes(); };
  const stop = () => { clearInterval(timer); timer = null; bar.show(false); };
  const tick = () => (model.get("step") < last ? set(model.get("step") + 1) : stop());
  const start = () => { clearInterval(timer); timer = setInterval(tick, pause); bar.show(true); };
  const go = by => { stop(); set(model.get("step") + by); };
  const toggle = () => {
    if (timer !== null) return stop();
    if (model.get("step") === last) set(0);
    start();
  };
  const bar = transport(words, { first: () => go(-Infinity), previous: () => go(-1), play: toggle, next: () => go(1), last: () => go(Infinity) });
  const place = slider({ label: words.step, min: 0, max: last, value: 0, format: t => `${t + 1} / ${last + 1}`, change: t => { stop(); set(t); } });
  const speed = h("select", { "aria-label": words.speed, onchange: () => { pause = 1200 / Number(speed.value); if (timer !== null) start(); } },
    ...[0.5, 1, 2, 4].map(x => h("option", { value: x, selected: x === 1 }, `${x} ×`)));
  const stages = words.stages.map(([name, text]) => h("li", { "data-stage": name }, text));
  const says = h("p", { class: "says cw-number", role: "status" });
  const of = specs => specs.map(name => grid({ name, ...words.matrices[name], rows: words.matrices[name].rows && tokens,
    columns: words.matrices[name].columns && tokens }, matrices[name], steps));
  const [project, attend] = [["w_query", "w_key", "w_value", "x", "query", "key", "value"], ["scores", "scaled", "weights", "weighted", "output"]].map(of);
  const draw = () => {
    const t = model.get("step"), step = steps[t];
    place.set(t);
    for (const li of stages) li.dataset.stage === step.stage ? li.setAttribute("aria-current", "step") : li.removeAttribute("aria-current");
    for (const matrix of [...project, ...attend]) matrix.draw(t);
    says.replaceChildren(...subscripts(step.says));
  };
  const root = frame("cw-walk", fill(words.title, { tokens: tokens.join(" ") }),
    h("div", { class: "cw-controls" }, bar.root, place.root, speed), h("ol", { class: "stages" }, ...stages), says,
    h("div", { class: "matrices" }, h("div", { class: "project" }, ...project.map(m => m.root)), h("div", { class: "attend" }, ...attend.map(m => m.root))));
  root.addEventListener("keydown", event => {
    const by = { ArrowLeft: -1, ArrowRight: 1, Home: -Infinity, End: Infinity }[event.key];
    if (by === undefined || event.target.matches("input, select")) return;
    event.preventDefault();
    go(by);
  });
  const stopWatching = watch(model, ["step"], draw);
  el.append(root);
  draw();
  return () => { clearInterval(timer); stopWatching(); };
}

export default { render };
