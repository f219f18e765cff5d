// One step of skip-gram in two dimensions: the true pair pulls, the negatives push, each by what σ leaves to do.
import { linear } from "./chart.js";
import { fill, fixed, frame, h, oncePerFrame, slider, svg, tidy, watch } from "./common.js";

const W = 560, H = 400, SPAN = 3.2;

/** σ. @param {number} x */
export const sigmoid = x => 1 / (1 + Math.exp(-x));
const dot = (a, b) => a[0] * b[0] + a[1] * b[1];

/** σ of the centre with each of the others, the true context first, and the loss.
 *  @param {number[]} v @param {number[][]} others */
export function shares(v, others) {
  const found = others.map(u => sigmoid(dot(v, u)));
  return { found, loss: found.reduce((sum, s, i) => sum - Math.log(i ? 1 - s : s), 0) };
}

/** Where everything goes in a step of size lr. */
export function step(v, others, lr) {
  const push = shares(v, others).found.map((s, i) => (i ? s : s - 1));
  const centre = [0, 1].map(i => v[i] - lr * others.reduce((sum, u, j) => sum + push[j] * u[i], 0));
  return { centre, others: others.map((u, j) => [0, 1].map(i => u[i] - lr * push[j] * v[i])) };
}

function arrow([x1, y1], [x2, y2], name) {
  const angle = Math.atan2(y2 - y1, x2 - x1), long = Math.hypot(x2 - x1, y2 - y1);
  if (long < 1.5) return [];
  const tip = a => `${(x2 - 8 * Math.cos(angle + a)).toFixed(1)},${(y2 - 8 * Math.sin(angle + a)).toFixed(1)}`;
  return [svg("line", { x1, y1, x2, y2, class: `goes ${name}` }), svg("polygon", { points: `${x2.toFixed(1)},${y2.toFixed(1)} ${tip(0.4)} ${tip(-0.4)}`, class: name })];
}

function picture(v, others, names, next) {
  const x = linear(-SPAN, SPAN, 0, W), y = linear(-SPAN * H / W, SPAN * H / W, H, 0), at = p => [x(p[0]), y(p[1])];
  const marks = others.flatMap((u, i) => {
    const [px, py] = at(u), kind = i ? "push" : "pull";
    return [svg("line", { x1: x(0), y1: y(0), x2: px, y2: py, class: `from ${kind}` }), ...arrow([px, py], at(next.others[i]), kind),
      svg("circle", { cx: px, cy: py, r: 4, class: kind }), svg("text", { x: px + 8, y: py - 7, class: kind }, names[i + 1])];
  });
  const [cx, cy] = at(v);
  return [svg("line", { x1: 0, x2: W, y1: y(0), y2: y(0), class: "axis" }), svg("line", { x1: x(0), x2: x(0), y1: 0, y2: H, class: "axis" }), ...marks,
    svg("line", { x1: x(0), y1: y(0), x2: cx, y2: cy, class: "from centre" }), ...arrow([cx, cy], at(next.centre), "centre"),
    svg("circle", { cx, cy, r: 5, class: "centre" }), svg("text", { x: cx + 8, y: cy + 18, class: "centre" }, names[0])];
}

function render({ model, el }) {
  const words = model.get("words"), names = model.get("names");
  const set = values => { for (const [name, value] of Object.entries(values)) model.set(name, value); model.save_changes(); };
  const k = slider({ label: words.k, min: 1, max: 5, value: model.get("k"), change: value => set({ k: value }) });
  const lr = slider({ label: words.lr, min: 0.05, max: 2, step: 0.05, value: model.get("lr"), format: v => tidy(v), change: value => set({ lr: value }) });
  const others = () => [model.get("context"), ...model.get("negatives").slice(0, model.get("k"))];
  const take = () => {
    const next = step(model.get("centre"), others(), model.get("lr"));
    set({ centre: next.centre, context: next.others[0], negatives: [...next.others.slice(1), ...model.get("negatives").slice(model.get("k"))], steps: model.get("steps") + 1 });
  };
  const again = () => { const s = model.get("start"); set({ centre: s.centre, context: s.context, negatives: s.negatives, steps: 0 }); };
  const says = h("p", { class: "says", role: "status" }), root = svg("svg", { viewBox: `0 0 ${W} ${H}`, role: "img" }), body = h("tbody");
  const table = h("table", {}, h("thead", {}, h("tr", {}, ...words.table.map(t => h("th", { scope: "col" }, t)))), body);
  const draw = oncePerFrame(() => {
    const v = model.get("centre"), us = others(), { found, loss } = shares(v, us), n = model.get("steps");
    const worst = found.slice(1).reduce((best, s, i, all) => (s > all[best] ? i : best), 0);
    k.set(model.get("k"));
    lr.set(model.get("lr"));
    says.textContent = fill(words.says, { steps: n === 1 ? words.one : fill(words.more, { n }), loss: fixed(loss), centre: names[0], context: names[1],
      true: fixed(found[0]), pull: fixed(1 - found[0]), worst: names[worst + 2], push: fixed(found[worst + 1]) });
    root.replaceChildren(...picture(v, us, names, step(v, us, model.get("lr"))));
    root.setAttribute("aria-label", says.textContent);
    body.replaceChildren(...us.map((u, i) => h("tr", { class: i ? "push" : "pull" }, h("th", { scope: "row" }, names[i + 1]), h("td", { class: "cw-number" }, fixed(dot(v, u))),
      h("td", { class: "cw-number" }, fixed(found[i])), h("td", {}, fill(i ? words.push : words.pull, { force: fixed(i ? found[i] : 1 - found[i]) })))));
  });
  const stop = watch(model, ["centre", "context", "negatives", "steps", "k", "lr"], draw);
  el.append(frame("cw-sgns", words.title, h("div", { class: "cw-controls" }, h("button", { type: "button", onclick: take }, words.step),
    h("button", { type: "button", onclick: again }, words.again), k.root, lr.root), says, h("div", { class: "sg-both" }, root, table), h("p", { class: "cw-note" }, words.help)));
  draw();
  return stop;
}

export default { render };
