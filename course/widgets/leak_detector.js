// Change one input vector and see which outputs move; an output before the change that moves has looked ahead.
import { fill, fixed, frame, h, roving, svg, watch } from "./common.js";

/** What each output did when one input was changed: still, moved, or leak (it moved and stands before the change).
 *  @param {number[][]} influence [position][output] @param {number} tolerance share of the largest movement
 *  @returns {string[][]} [position][output] */
export function judge(influence, tolerance) {
  const least = tolerance * Math.max(...influence.flat());
  return influence.map((row, i) => row.map((amount, j) => (amount > least ? (j < i ? "leak" : "moved") : "still")));
}

/** What changing one token did, in a sentence. @param {string[]} states one row of judge() */
export function verdict(states, position, token, words) {
  const where = (...wanted) => states.flatMap((state, j) => (wanted.includes(state) ? [j] : []));
  const say = (sentence, outputs) => fill(sentence, { position, token, outputs: outputs.join(", ") });
  const leaks = where("leak"), all = where("moved", "leak");
  if (leaks.length > 0) return say(words.leak, leaks);
  return all.length > 0 ? say(words.clean, all) : say(words.nothing, []);
}

/** The whole run in a sentence: how many pairs of an output and a later token leak. */
export function summary(states, words) {
  const leaks = states.flat().filter(state => state === "leak").length;
  return fill(leaks === 0 ? words.tight : words.leaky, { leaks, pairs: states.length * (states.length - 1) / 2 });
}

const leaky = states => states.flat().includes("leak");

function runTabs(judged, words, choose) {
  const names = Object.keys(judged);
  const buttons = names.map(name => h("button", { type: "button", role: "tab", onclick: () => choose(name) },
    `${leaky(judged[name]) ? "⚠" : "✓"} ${name}`));
  const enter = roving(buttons, { move: i => choose(names[i]) });
  const draw = run => {
    buttons.forEach((b, i) => b.setAttribute("aria-selected", names[i] === run));
    enter(names.indexOf(run));
  };
  return { root: h("div", { class: "runs", role: "tablist", "aria-label": words.runs, hidden: names.length < 2 }, ...buttons), draw };
}

/** Outputs above, inputs below, and between them a line from the changed input to each output that moved. */
function flow(tokens, words, choose) {
  const n = tokens.length;
  const outputs = tokens.map((t, j) => {
    const [mark, amount] = [h("b"), h("span", { class: "cw-number" })];
    return { root: h("div", { class: "output" }, mark, amount, h("small", {}, fill(words.output, { position: j }))), mark, amount };
  });
  const inputs = tokens.map((t, i) => h("button", { type: "button", role: "radio", class: "input", title: t, onclick: () => choose(i) },
    h("span", {}, t), h("small", {}, String(i))));
  const enter = roving(inputs, { move: choose });
  const lines = svg("svg", { viewBox: `0 0 ${n} 1`, preserveAspectRatio: "none", "aria-hidden": "true" });
  const root = h("div", { class: "flow", style: `--n: ${n}` }, ...outputs.map(o => o.root), lines,
    h("div", { class: "inputs", role: "radiogroup", "aria-label": words.inputs }, ...inputs));
  const draw = (amounts, states, top, position) => {
    enter(position);
    inputs.forEach((b, i) => b.setAttribute("aria-checked", i === position));
    outputs.forEach((o, j) => {
      o.root.className = `output ${states[j]}`;
      o.root.style.setProperty("--amount", amounts[j] / top);
      o.mark.textContent = words[`mark_${states[j]}`];
      o.amount.textContent = states[j] === "still" ? "0" : fixed(amounts[j]);
    });
    lines.replaceChildren(...states.flatMap((state, j) => (state === "still" ? []
      : [svg("path", { d: `M${position + .5} 1 C${position + .5} .5 ${j + .5} .5 ${j + .5} 0`, class: state,
                       "stroke-width": 1.5 + 5 * amounts[j] / top })])));
  };
  return { root, draw };
}

const CELL = 22;

/** The whole matrix, laid out as a mask is: a row for each output, a column for each input. */
function map(tokens, words, choose) {
  const n = tokens.length, [left, top] = [30, 26];
  const at = (i, j) => ({ x: left + i * CELL, y: top + j * CELL });
  const picture = svg("svg", { class: "map", role: "img", width: left + n * CELL + 2, height: top + n * CELL + 2 });
  const number = (i, x, y) => svg("text", { x, y, "text-anchor": "middle" }, String(i));
  const heads = tokens.flatMap((_, i) => [number(i, left + (i + .5) * CELL, top - 6), number(i, left - 10, top + (i + .68) * CELL)]);
  const column = svg("rect", { y: top - 1, width: CELL, height: n * CELL + 2, class: "column" });
  const draw = (influence, states, largest, position) => {
    const cells = states.flatMap((row, i) => row.map((state, j) => {
      const { x, y } = at(i, j);
      const title = svg("title", {}, fill(words.cell, { input: i, output: j, amount: fixed(influence[i][j], 3) }));
      const box = svg("rect", { x: x + 1, y: y + 1, width: CELL - 2, height: CELL - 2, rx: 2 });
      const ink = svg("rect", { x: x + 1, y: y + 1, width: CELL - 2, height: CELL - 2, rx: 2, class: state,
                                "fill-opacity": .2 + .8 * influence[i][j] / largest });
      const mark = state === "leak" ? [svg("text", { x: x + CELL / 2, y: y + 16, "text-anchor": "middle", class: "bang" }, "!")] : [];
      return svg("g", { onclick: () => choose(i) }, title, box, ink, ...mark);
    }));
    column.setAttribute("x", at(position, 0).x);
    picture.setAttribute("aria-label", summary(states, words));
    picture.replaceChildren(...heads, ...cells, column);
  };
  return { root: h("figure", {}, h("figcaption", {}, words.map), picture), draw };
}

function render({ model, el }) {
  const [tokens, influences, words, tolerance] = ["tokens", "influences", "words", "tolerance"].map(name => model.get(name));
  const judged = Object.fromEntries(Object.entries(influences).map(([name, matrix]) => [name, judge(matrix, tolerance)]));
  const set = (name, value) => {
    if (model.get(name) === value) return;
    model.set(name, value);
    model.save_changes();
  };
  const tabs = runTabs(judged, words, run => set("run", run));
  const left = flow(tokens, words, position => set("position", position));
  const right = map(tokens, words, position => set("position", position));
  const [says, whole] = [h("p", { role: "status", class: "verdict" }), h("p", { class: "cw-note" })];
  const draw = () => {
    const [run, position] = [model.get("run"), model.get("position")];
    const [influence, states] = [influences[run], judged[run]];
    const largest = Math.max(...influence.flat()) || 1;
    tabs.draw(run);
    left.draw(influence[position], states[position], largest, position);
    right.draw(influence, states, largest, position);
    says.textContent = verdict(states[position], position, tokens[position], words);
    says.classList.toggle("leak", states[position].includes("leak"));
    whole.textContent = summary(states, words);
  };
  el.append(frame("cw-leak", words.title, tabs.root, h("p", { class: "cw-note" }, words.help),
    h("div", { class: "panels" }, h("div", {}, left.root, says), h("div", {}, right.root, whole))));
  draw();
  return watch(model, ["run", "position"], draw);
}

export default { render };
