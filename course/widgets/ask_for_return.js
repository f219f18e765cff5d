// A graph, a start, a number of stops asked for: the path that a Decision Transformer takes, worked out beforehand.
import { fill, frame, h, newId, oncePerFrame, roving, slider, svg, watch } from "./common.js";

const W = 760, H = 330, PAD = 34, R = 13, GOAL = 0;

/** A number of stops in words; as many as there are moves is never to arrive. */
export const stops = (n, words, moves) => (n === moves ? words.never : n === 0 ? words.no_stop : n === 1 ? words.stop : fill(words.stops, { n }));

const untilGoal = nodes => { const at = nodes.indexOf(GOAL); return at < 0 ? nodes : nodes.slice(0, at + 1); };

/** What is said of one path. @param {{nodes: number[], choices: number[], chance: (t: number, node: number) => number, far: number[],
 *  edges: Set<string>, start: number, asked: number, shown: number, clone: number[]|null, moves: number}} p */
export function sentence(p, words) {
  const path = untilGoal(p.nodes), n = path.length - 1, told = { asked: stops(p.asked, words, p.moves), start: p.start, fewest: stops(p.far[p.start] - 1, words, p.moves) };
  const whole = path[n] === GOAL ? fill(words.arrives, { ...told, got: stops(n - 1, words, p.moves) }) : fill(words.stranded, { ...told, moves: p.moves });
  const t = Math.min(p.shown, n) - 1, to = p.choices[t], left = p.asked - t;
  const choice = fill(words.choice, { move: t + 1, at: path[t], left: left >= 0 ? stops(left, words, p.moves) : `\u2212${-left}`, to,
    percent: Math.floor(100 * p.chance(t, to) + 0.5), mistaken: p.edges.has(`${path[t]}-${to}`) ? "" : words.mistaken });
  const clone = p.clone && untilGoal(p.clone);
  const beside = !clone ? "" : clone[clone.length - 1] === GOAL ? fill(words.said_clone_yes, { got: stops(clone.length - 2, words, p.moves) }) : words.said_clone_no;
  return [whole, choice, beside].filter(Boolean).join(" ");
}

/** A curved arrow from node to node, short of their circles. */
function arrow(places, a, b, attributes) {
  const [x1, y1] = places[a], [x2, y2] = places[b], dx = x2 - x1, dy = y2 - y1;
  const cx = (x1 + x2) / 2 - 0.16 * dy, cy = (y1 + y2) / 2 + 0.16 * dx;
  const toward = (x, y, gap) => { const l = Math.hypot(cx - x, cy - y) || 1; return [x + (cx - x) / l * gap, y + (cy - y) / l * gap]; };
  const [sx, sy] = toward(x1, y1, R), [ex, ey] = toward(x2, y2, R + 5), l = Math.hypot(ex - cx, ey - cy) || 1, ux = (ex - cx) / l, uy = (ey - cy) / l;
  const head = `M${ex + 5 * ux} ${ey + 5 * uy}L${ex - 4 * ux - 4 * uy} ${ey - 4 * uy + 4 * ux}L${ex - 4 * ux + 4 * uy} ${ey - 4 * uy - 4 * ux}Z`;
  return svg("g", attributes, svg("path", { class: "line", d: `M${sx} ${sy}Q${cx} ${cy} ${ex} ${ey}` }), svg("path", { class: "head", d: head }));
}

function picture(model, words, choose) {
  const places = model.get("places").map(([x, y]) => [PAD + x * (W - 2 * PAD), H - PAD - y * (H - 2 * PAD)]);
  const far = model.get("far"), under = svg("g"), rings = svg("g");
  for (const [a, b] of model.get("edges")) under.append(arrow(places, a, b, { class: "edge" }));
  const over = svg("g");
  const nodes = places.map(([x, y], i) => svg("g", { class: i === GOAL ? "node goal" : "node", role: i === GOAL ? null : "button", "aria-label": fill(words.node, { node: i, moves: far[i] }),
    onclick: () => i !== GOAL && choose(i), onkeydown: event => { if (event.key === "Enter" || event.key === " ") { event.preventDefault(); if (i !== GOAL) choose(i); } } },
    svg("circle", { cx: x, cy: y, r: R }), svg("text", { x, y: y + 4, "text-anchor": "middle" }, i)));
  const order = nodes.map((_, i) => i).filter(i => i !== GOAL).sort((a, b) => far[b] - far[a] || places[a][1] - places[b][1]);
  roving(order.map(i => nodes[i]));
  const root = svg("svg", { viewBox: `0 0 ${W} ${H}`, role: "group" }, under, over, rings, ...nodes, svg("text", { class: "goalname", x: places[GOAL][0], y: places[GOAL][1] + R + 15, "text-anchor": "middle" }, words.goal));
  function draw(path, shown, other, chance, start) {
    const pairs = list => list.slice(1).map((b, i) => [list[i], b]).filter(([a, b]) => a !== b);
    over.replaceChildren(...pairs(other).map(([a, b]) => arrow(places, a, b, { class: "other" })), ...pairs(path.slice(0, shown + 1)).map(([a, b]) => arrow(places, a, b, { class: "path" })));
    rings.replaceChildren(...places.map(([cx, cy], i) => svg("circle", { class: "chance", cx, cy, r: R + 4.5, "stroke-opacity": chance(i).toFixed(3) })));
    nodes.forEach((node, i) => { node.classList.toggle("start", i === start); node.classList.toggle("here", i === path[shown - 1]); });
  }
  return { root, draw };
}

/** Bars over the tokens so far, a row a layer. */
function attention(words, layers) {
  const root = h("div", { class: "looks" });
  function draw(tokens, look) {
    root.replaceChildren(...Array.from({ length: layers }, (_, layer) => h("div", { class: "layer" }, h("div", { class: "cw-note" }, fill(words.looks, { layer: layer + 1 })),
      h("div", { class: "tokens" }, ...tokens.map((token, i) => h("span", { class: `token ${"Rsa"[i % 3]}` }, h("span", { class: "bar", style: `height:${(28 * look(layer, i)).toFixed(1)}px` }), h("span", { class: "name" }, token)))))));
  }
  return { root, draw };
}

function render({ model, el }) {
  const words = model.get("words"), moves = model.get("moves"), layers = model.get("layers"), far = model.get("far"), count = far.length;
  const bytes = name => { const v = model.get(name); return new Uint8Array(v.buffer, v.byteOffset, v.byteLength); };
  const nodes = bytes("nodes"), choices = bytes("choices"), chances = bytes("chances"), looks = bytes("looks");
  const edges = new Set(model.get("edges").map(([a, b]) => `${a}-${b}`)), others = model.get("others");
  const set = (name, value) => { model.set(name, value); model.save_changes(); };
  const start = slider({ label: words.start, min: 1, max: count - 1, value: model.get("start"), change: v => set("start", v) });
  const asked = slider({ label: words.asked, min: 0, max: moves, value: model.get("asked"), format: n => stops(n, words, moves), change: v => set("asked", v) });
  const shown = slider({ label: words.shown, min: 1, max: moves, value: model.get("shown"), change: v => set("shown", v) });
  const id = newId(), select = h("select", { id, onchange: () => set("beside", select.value) }, ...["nobody", "clone", "shortest"].map(name => h("option", { value: name }, words[name])));
  const says = h("p", { class: "says", role: "status" }), view = picture(model, words, i => set("start", i)), bars = attention(words, layers);
  const draw = oncePerFrame(() => {
    const at = model.get("start"), wanted = model.get("asked"), beside = model.get("beside"), row = (at - 1) * (moves + 1) + wanted;
    const whole = Array.from(nodes.subarray(row * (moves + 1), (row + 1) * (moves + 1))), path = untilGoal(whole), picked = Array.from(choices.subarray(row * moves, (row + 1) * moves));
    const now = Math.min(model.get("shown"), path.length - 1), chance = (t, node) => chances[(row * moves + t) * count + node] / 255;
    start.set(at); asked.set(wanted); shown.input.max = path.length - 1; shown.set(now); select.value = beside;
    const other = beside === "nobody" ? [] : untilGoal(others[beside][at - 1]);
    says.textContent = sentence({ nodes: whole, choices: picked, chance, far, edges, start: at, asked: wanted, shown: now, clone: beside === "clone" ? others.clone[at - 1] : null, moves }, words);
    view.draw(path, now, other, node => chance(now - 1, node), at);
    const tokens = Array.from({ length: now }, (_, t) => [fill(words.token_R, { value: t > wanted ? `+${t - wanted}` : t === wanted ? 0 : `\u2212${wanted - t}` }), fill(words.token_s, { value: path[t] }), fill(words.token_a, { value: picked[t] })]).flat().slice(0, -1);
    bars.draw(tokens, (layer, i) => looks[((row * moves + now - 1) * layers + layer) * 3 * moves + i] / 255);
  });
  const stop = watch(model, ["start", "asked", "shown", "beside"], draw);
  el.append(frame("cw-ask", words.title, h("div", { class: "cw-controls" }, start.root, asked.root, shown.root, h("span", { class: "cw-control" }, h("label", { for: id }, words.beside), select)),
    says, view.root, bars.root, h("p", { class: "cw-note" }, words.note)));
  draw();
  return stop;
}

export default { render };
