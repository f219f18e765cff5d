// The bottleneck: letters go into one context of a fixed size, or are asked for again one by one; both were measured.
import { between, linear, path } from "./chart.js";
import { fill, frame, h, newId, oncePerFrame, slider, svg, watch } from "./common.js";

const W = 560, H = 250, CW = 330, CH = 230, LEFT = 40, RIGHT = 12, TOP = 12, BOTTOM = 38;
const percent = x => Math.round(100 * x);
const text = (x, y, content, attributes = {}) => svg("text", { x, y, "text-anchor": "middle", ...attributes }, content);

/** Sixteen letters over and over: what stands in the boxes is an example. @param {number} i */
export const letter = i => "knbrdahmfpelgoci"[(7 * i + 3) % 16];

/** The numbers of a sentence. @param {{right: number, low: number, high: number, places: number[]}} at */
export const facts = (at, size, n) => ({ size, n, right: percent(at.right), low: percent(at.low), high: percent(at.high), first: percent(at.places[0]), last: percent(at.places.at(-1)) });

function flow(words) {
  const body = svg("g"), root = svg("svg", { viewBox: `0 0 ${W} ${H}`, role: "img" }, body);
  const draw = (at, n, size, largest, asking) => {
    const x = i => 60 + (i + 0.5) * (W - 70) / n, side = Math.min(24, (W - 70) / n - 3), top = 14, base = H - 14, tall = 84;
    const box = i => svg("g", {}, svg("rect", { x: x(i) - side / 2, y: top, width: side, height: side, class: "box", rx: 3 }), text(x(i), top + side / 2 + 4.5, letter(i)));
    const bar = i => { const tallness = tall * at.places[i];
      return svg("g", {}, svg("rect", { x: x(i) - side / 2, y: base - tall, width: side, height: tall, class: "empty" }), svg("rect", { x: x(i) - side / 2, y: base - tallness, width: side, height: tallness, class: asking ? "asking" : "fixed" }), text(x(i), base + 12, letter(i))); };
    const middle = W / 2 + 25, width = 26 + 120 * size / largest, y0 = top + side + 32, y1 = base - tall - 24;
    const jar = [svg("path", { class: "thread", d: Array.from({ length: n }, (_, i) => `M${x(i)} ${top + side}L${middle} ${y0}M${middle} ${y1}L${x(i)} ${base - tall}`).join("") }),
      svg("rect", { x: middle - width / 2, y: y0, width, height: y1 - y0, rx: 6, class: "jar" }), text(middle, (y0 + y1) / 2 + 4, size < 20 ? "C" : fill(words.jar, { size }))];
    const threads = [svg("path", { class: "thread asked", d: Array.from({ length: n }, (_, i) => `M${x(i)} ${base - tall}L${x(i)} ${top + side}`).join("") })];
    body.replaceChildren(...(asking ? threads : jar), ...Array.from({ length: n }, (_, i) => box(i)), ...Array.from({ length: n }, (_, i) => bar(i)),
      text(4, top + side / 2 + 4, words.source, { "text-anchor": "start" }), text(4, base - tall / 2, "100 %", { "text-anchor": "start", y: base - tall + 9 }), text(4, base, "0", { "text-anchor": "start" }));
    root.setAttribute("aria-label", `${words.written}: ${at.places.map(percent).join(", ")} %`);
  };
  return { root: h("figure", { class: "flow" }, h("figcaption", {}, words.written), root), draw };
}

function chart(words, lengths) {
  const x = linear(lengths[0], lengths.at(-1), LEFT, CW - RIGHT), y = linear(0, 1, CH - BOTTOM, TOP), xs = lengths.map(x);
  const grid = [0, 0.5, 1].flatMap(v => [svg("line", { x1: LEFT, x2: CW - RIGHT, y1: y(v), y2: y(v), class: "axis" }), text(LEFT - 5, y(v) + 4, `${100 * v} %`, { "text-anchor": "end" })]);
  const under = lengths.filter((_, i) => i % 6 === 0).map(n => text(x(n), CH - BOTTOM + 15, n));
  const layers = ["fixed", "asking"].map(way => [svg("path", { class: `band ${way}` }), svg("path", { class: `curve ${way}` })]);
  const marker = svg("line", { class: "marker", y1: TOP, y2: CH - BOTTOM });
  const root = svg("svg", { viewBox: `0 0 ${CW} ${CH}`, role: "img", "aria-label": words.curve }, ...grid, ...under, ...layers.flat(), marker, text((LEFT + CW) / 2, CH - 5, words.length));
  const draw = (right, size, n) => {
    ["fixed", "asking"].forEach((way, i) => {
      const of = right[way][size];
      layers[i][0].setAttribute("d", between(xs, of.map(a => y(a.low)), of.map(a => y(a.high))));
      layers[i][1].setAttribute("d", path(xs.map((v, j) => [v, y(of[j].right)])));
    });
    for (const end of ["x1", "x2"]) marker.setAttribute(end, x(n));
  };
  const key = h("p", { class: "legend" }, h("span", { class: "fixed" }, "╌ ", words.fixed), h("span", { class: "asking" }, "─ ", words.again));
  return { root: h("figure", { class: "chart" }, h("figcaption", {}, words.curve), root, key), draw };
}

function render({ model, el }) {
  const words = model.get("words"), measured = model.get("measured"), { lengths, sizes, right, seeds } = measured;
  const set = (name, value) => { model.set(name, value); model.save_changes(); };
  const length = slider({ label: words.length, min: lengths[0], max: lengths.at(-1), value: model.get("length"), change: v => set("length", v) });
  const size = slider({ label: words.size, min: 0, max: sizes.length - 1, value: sizes.indexOf(model.get("size")), format: i => String(sizes[i]), change: i => set("size", sizes[i]) });
  const id = newId(), asks = h("input", { type: "checkbox", id, onchange: () => set("asking", asks.checked) });
  const left = flow(words), curves = chart(words, lengths), says = h("p", { class: "says", role: "status" });
  const draw = oncePerFrame(() => {
    const n = model.get("length"), c = model.get("size"), asking = model.get("asking"), way = asking ? "asking" : "fixed", at = right[way][c][lengths.indexOf(n)];
    length.set(n);
    size.set(sizes.indexOf(c));
    asks.checked = asking;
    left.draw(at, n, c, sizes.at(-1), asking);
    curves.draw(right, c, n);
    says.textContent = fill(words.says[way], facts(at, c, n));
  });
  const stop = watch(model, ["length", "size", "asking"], draw);
  el.append(frame("cw-bottleneck", words.title, h("div", { class: "cw-controls" }, length.root, size.root, h("div", { class: "cw-control" }, asks, h("label", { for: id }, words.asking))),
    says, h("div", { class: "row" }, left.root, curves.root), h("p", { class: "cw-note" }, fill(words.note, { seeds, longest: lengths.at(-1) }))));
  draw();
  return stop;
}

export default { render };
