// a is to b as c is to …: the parallelogram of three words, and the words nearest to its fourth corner.
import { linear } from "./chart.js";
import { fill, fixed, frame, h, newId, oncePerFrame, svg, watch } from "./common.js";

const K = 10, W = 500, H = 280;

/** A vector of a table. @param {Float32Array} data @param {number} d @param {number} i */
export const vector = (data, d, i) => Array.from(data.slice(i * d, (i + 1) * d));

const dot = (x, y) => x.reduce((sum, v, i) => sum + v * y[i], 0);
const unit = x => { const n = Math.sqrt(dot(x, x)); return n > 1e-12 ? x.map(v => v / n) : x; };

/** The best answers to "a is to b as c is to …": [number of the word, cosine]; all vectors have length 1.
 *  @param {ArrayLike<number>} data @param {number} d @param {number[]} ids of a, b, c @param {boolean} leaveOut */
export function answers(data, d, [a, b, c], leaveOut, k = K) {
  const table = Float32Array.from(data), [va, vb, vc] = [a, b, c].map(i => vector(table, d, i));
  const query = unit(vb.map((x, i) => x - va[i] + vc[i])), found = [];
  for (let w = 0; w < table.length / d; w++) {
    if (leaveOut && (w === a || w === b || w === c)) continue;
    let score = 0;
    for (let i = 0; i < d; i++) score += table[w * d + i] * query[i];
    found.push([w, score]);
  }
  return found.sort((x, y) => y[1] - x[1]).slice(0, k);
}

/** a, b, c, the fourth corner and an answer on the plane of the first three; a is the origin. */
export function plane(a, b, c, x) {
  const less = y => y.map((v, i) => v - a[i]), across = unit(less(b)), to = less(c), along = dot(to, across);
  const up = unit(to.map((v, i) => v - along * across[i]));
  const corner = b.map((v, i) => v - a[i] + c[i]);
  return [a, b, c, corner, x].map(less).map(y => [dot(y, across), dot(y, up)]);
}

function drawing(points, names) {
  const xs = points.map(p => p[0]), ys = points.map(p => p[1]), wide = [Math.min(...xs), Math.max(...xs)], high = [Math.min(...ys), Math.max(...ys)];
  const x = linear(...wide, 50, W - 190), y = linear(...high, H - 40, 34), at = points.map(p => [x(p[0]), y(p[1])]);
  const line = (i, j, name) => svg("line", { x1: at[i][0], y1: at[i][1], x2: at[j][0], y2: at[j][1], class: name });
  const marks = at.flatMap(([px, py], i) => [svg("circle", { cx: px, cy: py, r: 4.5, class: `dot m${i}` }),
    svg("text", { x: px + 8, y: py + (i === 4 ? 17 : -7), class: `m${i}` }, names[i])]);
  return svg("svg", { viewBox: `0 0 ${W} ${H}`, role: "img", "aria-label": names.join(", "), class: "ad-plane" },
    line(0, 1, "side"), line(2, 3, "side"), line(0, 2, "other"), line(1, 3, "other"), ...marks);
}

function render({ model, el }) {
  const words = model.get("words"), vocabulary = model.get("vocabulary"), index = new Map(vocabulary.map((w, i) => [w, i]));
  const view = model.get("data"), data = Float32Array.from({ length: view.byteLength / 4 }, (_, i) => view.getFloat32(4 * i, true)), d = data.length / vocabulary.length;
  const list = h("datalist", { id: newId() }, ...vocabulary.slice(0, 1500).map(value => h("option", { value })));
  const says = h("p", { class: "says", role: "status" }), problem = h("p", { role: "alert", class: "ad-problem" }), left = h("div"), right = h("div", { class: "ad-list" });
  const put = (name, value) => {
    const word = value.trim().toLowerCase();
    problem.textContent = index.has(word) ? "" : fill(words.unknown, { word, n: vocabulary.length });
    if (!index.has(word)) return;
    model.set(name, word);
    model.save_changes();
  };
  const boxes = ["a", "b", "c"].map(name => {
    const id = newId(), input = h("input", { type: "text", id, list: list.id, size: 11, spellcheck: "false", onchange: () => put(name, input.value),
      onkeydown: event => { if (event.key === "Enter" && !event.isComposing) put(name, input.value); } });
    return { name, input, root: h("div", { class: "cw-control" }, h("label", { for: id }, words[name]), input) };
  });
  const box = h("input", { type: "checkbox", onchange: () => { model.set("leave_out", box.checked); model.save_changes(); } });
  const draw = oncePerFrame(() => {
    const [a, b, c] = ["a", "b", "c"].map(name => model.get(name)), ids = [a, b, c].map(w => index.get(w)), leave = model.get("leave_out");
    boxes.forEach(({ name, input }) => { input.value = model.get(name); });
    box.checked = leave;
    const found = answers(data, d, ids, leave), [best, score] = found[0], word = vocabulary[best], input = ids.includes(best);
    says.textContent = fill(words.says, { a, b, c, best: word, score: fixed(score), how: words[leave ? "out" : input ? "is_input" : "in"] });
    left.replaceChildren(drawing(plane(...ids.map(i => vector(data, d, i)), vector(data, d, best)), [a, b, c, fill(words.target, { a, b, c }), word]));
    right.replaceChildren(...found.map(([w, s]) => {
      const bar = h("span", { class: ids.includes(w) ? "bar input" : "bar" });
      bar.style.width = `${Math.max(0, s) * 100}%`;
      return h("button", { type: "button", "aria-label": fill(words.bar, { word: vocabulary[w], score: fixed(s) }), onclick: () => put("c", vocabulary[w]) },
        h("span", { class: "name" }, vocabulary[w]), h("span", { class: "room" }, bar), h("span", { class: "cw-number" }, fixed(s)));
    }));
  });
  const stop = watch(model, ["a", "b", "c", "leave_out"], draw);
  el.append(frame("cw-analogy", words.title, h("div", { class: "cw-controls" }, ...boxes.map(b => b.root), h("label", { class: "cw-control" }, box, words.leave_out), list),
    problem, says, h("div", { class: "ad-both" }, left, right), h("p", { class: "cw-note" }, words.help)));
  draw();
  return stop;
}

export default { render };
