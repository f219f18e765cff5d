// A map of words on a canvas: pan, zoom, search; lines to the neighbours in all dimensions; by mouse and by keyboard.
import { fill, frame, h, isDark, newId, oncePerFrame, onTheme, watch } from "./common.js";

const W = 900, H = 520, K = 8, LINES = { light: "#0072B2", dark: "#6bb6ff" }, CHOSEN = { light: "#b34f00", dark: "#ff9a4d" };

/** The nearest place in a direction: the smallest distance among those within 60 degrees of it; -1 if there is none.
 *  @param {ArrayLike<number>} at x, y, x, y, … @param {number} from @param {number[]} direction */
export function towards(at, from, [dx, dy]) {
  let best = -1, least = Infinity;
  for (let i = 0; i < at.length / 2; i++) {
    const x = at[2 * i] - at[2 * from], y = at[2 * i + 1] - at[2 * from + 1], distance = Math.hypot(x, y);
    if (i !== from && distance < least && x * dx + y * dy > 0.5 * distance) { best = i; least = distance; }
  }
  return best;
}

/** The k places nearest to one. @returns {number[]} */
export function nearestPlaces(at, from, k = K) {
  const found = [];
  for (let i = 0; i < at.length / 2; i++) if (i !== from) found.push([Math.hypot(at[2 * i] - at[2 * from], at[2 * i + 1] - at[2 * from + 1]), i]);
  return found.sort((a, b) => a[0] - b[0]).slice(0, k).map(([, i]) => i);
}

/** Which labels can be drawn without covering one another, in this order of preference.
 *  @param {{x: number, y: number, width: number}[]} boxes @param {number} height @returns {boolean[]} */
export function uncovered(boxes, height = 14) {
  const cells = new Map(), size = 120, key = (x, y) => `${Math.floor(x / size)},${Math.floor(y / size)}`;
  return boxes.map(box => {
    const hit = [-1, 0, 1].some(i => [-1, 0, 1].some(j => (cells.get(key(box.x + i * size, box.y + j * size)) ?? [])
      .some(other => Math.abs(other.x - box.x) < (other.width + box.width) / 2 && Math.abs(other.y - box.y) < height)));
    if (!hit) cells.set(key(box.x, box.y), [...(cells.get(key(box.x, box.y)) ?? []), box]);
    return !hit;
  });
}

const floats = view => Float32Array.from({ length: view.byteLength / 4 }, (_, i) => view.getFloat32(4 * i, true));
const whole = view => Int32Array.from({ length: view.byteLength / 4 }, (_, i) => view.getInt32(4 * i, true));

function render({ model, el }) {
  const words = model.get("words"), vocabulary = model.get("vocabulary"), index = new Map(vocabulary.map((w, i) => [w, i]));
  const at = floats(model.get("places")), near = whole(model.get("near"));
  let span = 0;
  for (const v of at) span = Math.max(span, Math.abs(v));
  const all = 0.48 * H / span, view = { x: 0, y: 0, scale: all };
  const canvas = h("canvas", { tabindex: 0, role: "application" }), says = h("p", { class: "says", role: "status" }), problem = h("p", { role: "alert", class: "wm-problem" });
  const choose = (i, centre = true) => {
    if (i < 0) return;
    if (centre) Object.assign(view, { x: at[2 * i], y: at[2 * i + 1], scale: Math.max(view.scale, 9 * all) });
    model.set("word", vocabulary[i]);
    model.save_changes();
    paint();
  };
  const to = i => [W / 2 + (at[2 * i] - view.x) * view.scale, H / 2 - (at[2 * i + 1] - view.y) * view.scale];
  const paint = oncePerFrame(() => {
    const chosen = index.get(model.get("word")), theirs = Array.from(near.slice(chosen * K, chosen * K + K)), theme = isDark() ? "dark" : "light";
    const ratio = globalThis.devicePixelRatio || 1, style = getComputedStyle(canvas), ctx = canvas.getContext("2d");
    if (canvas.width !== W * ratio) { canvas.width = W * ratio; canvas.height = H * ratio; }
    ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
    ctx.clearRect(0, 0, W, H);
    ctx.font = "13px system-ui, sans-serif";
    ctx.textAlign = "center";
    ctx.textBaseline = "middle";
    ctx.strokeStyle = LINES[theme];
    for (const i of theirs) { ctx.beginPath(); ctx.moveTo(...to(chosen)); ctx.lineTo(...to(i)); ctx.stroke(); }
    const order = [chosen, ...theirs, ...vocabulary.keys()], seen = new Set(), boxes = [];
    for (const i of order) {
      if (seen.has(i)) continue;
      seen.add(i);
      const [x, y] = to(i);
      if (x > -60 && x < W + 60 && y > -20 && y < H + 20) boxes.push({ i, x, y, width: ctx.measureText(vocabulary[i]).width + 6 });
    }
    const show = uncovered(boxes);
    boxes.forEach(({ i, x, y }, n) => {
      ctx.fillStyle = i === chosen ? CHOSEN[theme] : theirs.includes(i) ? LINES[theme] : style.color;
      if (show[n]) ctx.fillText(vocabulary[i], x, y);
      else { ctx.globalAlpha = 0.35; ctx.fillRect(x - 1, y - 1, 2, 2); ctx.globalAlpha = 1; }
    });
    const flat = new Set(nearestPlaces(at, chosen));
    says.textContent = fill(words.says, { word: vocabulary[chosen], near: theirs.map(i => vocabulary[i]).join(", "), flat: theirs.filter(i => flat.has(i)).length, k: K });
    canvas.setAttribute("aria-label", fill(words.label, { n: vocabulary.length, says: says.textContent }));
  });
  const zoom = (factor, x = W / 2, y = H / 2) => {
    const next = Math.min(200 * all, Math.max(all, view.scale * factor)), px = view.x + (x - W / 2) / view.scale, py = view.y - (y - H / 2) / view.scale;
    Object.assign(view, { scale: next, x: px - (x - W / 2) / next, y: py + (y - H / 2) / next });
    paint();
  };
  const place = event => { const r = canvas.getBoundingClientRect(); return [(event.clientX - r.left) * W / r.width, (event.clientY - r.top) * H / r.height]; };
  let from = null, moved = false;
  canvas.addEventListener("pointerdown", event => { from = place(event); moved = false; canvas.setPointerCapture(event.pointerId); });
  canvas.addEventListener("pointermove", event => {
    if (!from) return;
    const now = place(event);
    if (Math.hypot(now[0] - from[0], now[1] - from[1]) < 4 && !moved) return;
    moved = true;
    view.x -= (now[0] - from[0]) / view.scale;
    view.y += (now[1] - from[1]) / view.scale;
    from = now;
    paint();
  });
  canvas.addEventListener("pointerup", event => {
    if (from && !moved) {
      const [x, y] = place(event), cursor = Float32Array.from([view.x + (x - W / 2) / view.scale, view.y - (y - H / 2) / view.scale, ...at]);
      choose(nearestPlaces(cursor, 0, 1)[0] - 1, false);
    }
    from = null;
  });
  canvas.addEventListener("wheel", event => { event.preventDefault(); zoom(event.deltaY < 0 ? 1.25 : 0.8, ...place(event)); }, { passive: false });
  const directions = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
  canvas.addEventListener("keydown", event => {
    if (event.key in directions) choose(towards(at, index.get(model.get("word")), directions[event.key]));
    else if (event.key === "+" || event.key === "=") zoom(1.5);
    else if (event.key === "-") zoom(1 / 1.5);
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
  const list = h("datalist", { id: newId() }, ...vocabulary.map(value => h("option", { value }))), id = newId();
  const find = () => {
    const word = input.value.trim().toLowerCase();
    problem.textContent = !word || index.has(word) ? "" : fill(words.unknown, { word, n: vocabulary.length });
    if (index.has(word)) choose(index.get(word));
  };
  const input = h("input", { type: "text", id, list: list.id, size: 14, spellcheck: "false", onchange: find, onkeydown: event => { if (event.key === "Enter" && !event.isComposing) find(); } });
  const button = (label, act) => h("button", { type: "button", onclick: act }, label);
  const stops = [watch(model, ["word"], paint), onTheme(paint)];
  el.append(frame("cw-map", words.title, h("div", { class: "cw-controls" }, h("div", { class: "cw-control" }, h("label", { for: id }, words.search), input), list,
    button(words.closer, () => zoom(1.5)), button(words.further, () => zoom(1 / 1.5)), button(words.whole, () => { Object.assign(view, { x: 0, y: 0, scale: all }); paint(); })),
    problem, says, canvas, h("p", { class: "cw-note" }, words.help)));
  choose(index.get(model.get("word")));
  return () => stops.forEach(stop => stop());
}

export default { render };
