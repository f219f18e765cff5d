// Why the scores are divided by √d_k: without it the softmax saturates and its gradient starves.
import { between, linear, logarithmic, path, ticks } from "./chart.js";
import { fill, fixed, frame, h, oncePerFrame, slider, subscripts, svg, tidy, watch } from "./common.js";

const W = 300, WIDE = 462, H = 190, LEFT = 44, RIGHT = 16, TOP = 14, BOTTOM = 34;

const text = (x, y, content, attributes = {}) => svg("text", { x, y, ...attributes }, ...[content].flat());
/** A number of any size in few characters. @param {number} x */
export const small = x => (x > 0 && x < 0.001 ? x.toExponential(0).replace("-", "\u2212") : fixed(x, x < 10 ? 3 : 1));
const D_K = () => ["d", svg("tspan", { dy: 3, class: "below" }, "k")];

function bars(name, words, n) {
  const x = linear(0, n, LEFT, WIDE - RIGHT), y = linear(0, 1, H - BOTTOM, TOP), width = x(0.8) - x(0);
  const rects = Array.from({ length: n }, (_, i) => svg("rect", { x: x(i + 0.1), width, class: "bar" }));
  const tops = rects.map((_, i) => text(x(i + 0.1) + width / 2, 0, "", { "text-anchor": "middle", class: "small" }));
  const under = rects.map((_, i) => text(x(i + 0.1) + width / 2, H - BOTTOM + 14, `k${i + 1}`, { "text-anchor": "middle", class: "small" }));
  const scale = [0, 0.5, 1].map(v => text(LEFT - 6, y(v) + 4, tidy(v), { "text-anchor": "end" }));
  const base = svg("line", { x1: LEFT, x2: WIDE - RIGHT, y1: y(0), y2: y(0), class: "axis" });
  const root = svg("svg", { viewBox: `0 0 ${WIDE} ${H}`, role: "img" }, base, ...scale, ...rects, ...tops, ...under);
  const draw = weights => {
    weights.forEach((w, i) => {
      rects[i].setAttribute("y", y(w));
      rects[i].setAttribute("height", y(0) - y(w));
      tops[i].setAttribute("y", y(w) - 4);
      tops[i].textContent = fixed(w);
    });
    root.setAttribute("aria-label", fill(words.bars, { weights: weights.map(w => fixed(w)).join(", ") }));
  };
  return { root: h("figure", { class: name }, h("figcaption", {}, ...subscripts(words[name])), root), draw };
}

/** One quantity against d_k on a log axis: curves with bands, what theory says, a marker that moves. */
function chart({ caption, curves, dks, vertical, labels, theory = () => [] }) {
  const x = logarithmic(dks[0], dks.at(-1), LEFT, W - RIGHT), y = vertical(H - BOTTOM, TOP), xs = dks.map(x);
  const every = Math.max(1, Math.ceil(dks.length / 6));
  const xticks = dks.filter((_, i) => i % every === 0).map(d => text(x(d), H - BOTTOM + 15, d, { "text-anchor": "middle" }));
  const yticks = labels.map(v => svg("g", {}, svg("line", { x1: LEFT, x2: W - RIGHT, y1: y(v), y2: y(v), class: "axis" }),
    text(LEFT - 6, y(v) + 4, tidy(v, 3), { "text-anchor": "end" })));
  const lines = curves.flatMap(({ name, middle, low, high }) => [
    ...(low ? [svg("path", { d: between(xs, low.map(y), high.map(y)), class: `band ${name}` })] : []),
    svg("path", { d: path(xs.map((v, i) => [v, y(middle[i])])), class: `curve ${name}` })]);
  const marker = svg("line", { y1: TOP, y2: H - BOTTOM, class: "marker" });
  const dots = curves.map(({ name }) => svg("circle", { r: 4, class: `dot ${name}` }));
  const root = svg("svg", { viewBox: `0 0 ${W} ${H}`, role: "img", "aria-label": caption }, ...yticks, ...xticks,
    text((LEFT + W - RIGHT) / 2, H - 3, D_K(), { "text-anchor": "middle" }), marker, ...lines, ...theory(xs, y), ...dots);
  const values = h("span", { class: "cw-number" });
  const draw = i => {
    marker.setAttribute("x1", xs[i]);
    marker.setAttribute("x2", xs[i]);
    dots.forEach((dot, j) => { dot.setAttribute("cx", xs[i]); dot.setAttribute("cy", y(curves[j].middle[i])); });
    values.replaceChildren(...curves.map(({ name, middle }) => h("b", { class: name }, small(middle[i]))));
  };
  return { root: h("figure", {}, h("figcaption", {}, caption, " ", values), root), draw };
}

function charts(curves, words) {
  const { d_k: dks, n_keys: n, spread } = curves, roots = dks.map(Math.sqrt), evenly = Math.log(n);
  const pair = quantity => ["without", "with"].map(name => ({ name, ...curves[name][quantity] }));
  const upTo = top => (bottom, height) => linear(0, top, bottom, height);
  const most = Math.max(...pair("gradient").flatMap(c => c.high));
  return [
    chart({ caption: words.spread, curves: [{ name: "without", middle: spread }, { name: "with", middle: spread.map((s, i) => s / roots[i]) }], dks,
      vertical: upTo(1.1 * roots.at(-1)), labels: ticks(0, roots.at(-1)),
      theory: (xs, y) => [...xs.map((x, i) => svg("circle", { cx: x, cy: y(roots[i]), r: 4.5, class: "theory" })),
        text(xs.at(-1) - 12, y(roots.at(-1)) + 4, ["√", ...D_K()], { "text-anchor": "end" })] }),
    chart({ caption: words.entropy, curves: pair("entropy"), dks, vertical: upTo(1.1 * evenly), labels: ticks(0, evenly),
      theory: (xs, y) => [svg("path", { d: path([[xs[0], y(evenly)], [xs.at(-1), y(evenly)]]), class: "theory dashed" }),
        text(xs.at(-1), y(evenly) - 4, `ln ${n} = ${fixed(evenly)}`, { "text-anchor": "end" })] }),
    chart({ caption: words.gradient, curves: pair("gradient"), dks, vertical: upTo(1.05 * most), labels: ticks(0, most) }),
  ];
}

function render({ model, el }) {
  const [curves, words] = [model.get("curves"), model.get("words")], dks = curves.d_k;
  const place = slider({
    label: "d_k", min: 0, max: dks.length - 1, value: dks.indexOf(model.get("d_k")), format: i => String(dks[i]),
    change: i => { model.set("d_k", dks[i]); model.save_changes(); },
  });
  const panels = ["without", "with"].map(name => bars(name, words, curves.n_keys));
  const lower = charts(curves, words);
  const says = h("p", { class: "says", role: "status" });
  const draw = oncePerFrame(() => {
    const d_k = model.get("d_k"), i = dks.indexOf(d_k);
    place.set(i);
    panels.forEach((panel, j) => panel.draw(curves[["without", "with"][j]].weights[i]));
    for (const c of lower) c.draw(i);
    says.replaceChildren(...subscripts(fill(words.says, { d_k, spread: fixed(curves.spread[i], 1), root: fixed(Math.sqrt(d_k), 1),
      without: small(curves.without.gradient.middle[i]), with: small(curves.with.gradient.middle[i]) })));
  });
  const stop = watch(model, ["d_k"], draw);
  el.append(frame("cw-saturation", words.title, h("div", { class: "cw-controls" }, place.root), says,
    h("div", { class: "row" }, ...panels.map(p => p.root)), h("div", { class: "row" }, ...lower.map(c => c.root)),
    h("p", { class: "cw-note" }, fill(words.note, { n: curves.n_keys, samples: curves.n_samples }))));
  draw();
  return stop;
}

export default { render };
