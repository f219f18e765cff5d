// Models by date and size on a canvas, over a timeline of fields within fields: zoom, hover, search, keys.
import { fill, frame, h, isDark, newId, oncePerFrame, onTheme, watch } from "./common.js";
import { number, raised } from "./sizes.js";

const W = 900, TOP = 330, H = 540, LEFT = 70, LANE = 22;
const COLOURS = { light: ["#0072B2", "#b34f00", "#007a59", "#a8487f", "#8a6400", "#666666"], dark: ["#6bb6ff", "#ff9a4d", "#35c99a", "#e58fbe", "#e0b040", "#b0b0b0"] };
const FIRST = 1949, LAST = 2027;

/** What is said of a model: name, organisation, day, year, domain, parameters, compute, confidence. */
export function ofModel([name, organization, day, , group, parameters, compute, confidence], words) {
  const sure = ["", "Confident"].includes(confidence), doubt = sure ? "" : fill(words.doubt, { confidence: confidence.toLowerCase() });
  return fill(words.model, { name, organization: organization || "?", day, group: words.domains[group], parameters: number(parameters, words.unknown_number), compute: number(compute, words.unknown_number), doubt });
}

/** What is said of an event, its field inside all around it. */
export function ofEvent([name, day, , field, what, source], words) {
  const names = Object.keys(words.fields), all = names.slice(0, names.indexOf(field) + 1).reverse().join(" ⊂ ");
  return fill(words.event, { day, field: all, name, what, source });
}

/** The one before or after in a list of years, from a year; the ends stay. @param {number[]} years sorted indices by year */
export const beside = (order, from, way) => order[Math.min(order.length - 1, Math.max(0, order.indexOf(from) + way))];

/** The place in a list of the nearest year. */
export const nearestYear = (years, year) => years.reduce((best, y, i) => (Math.abs(y - year) < Math.abs(years[best] - year) ? i : best), 0);

function render({ model, el }) {
  const words = model.get("words"), models = model.get("models"), events = model.get("events"), fields = Object.keys(words.fields);
  const find = name => { const i = models.findIndex(m => m[0] === name); return i >= 0 ? { kind: 0, i } : { kind: 1, i: events.findIndex(e => e[0] === name) }; };
  const view = { from: FIRST, to: LAST };
  let hovered = null;
  const canvas = h("canvas", { tabindex: 0, role: "application" }), says = h("p", { class: "says", role: "status" }), problem = h("p", { role: "alert", class: "era-problem" });
  const column = () => (model.get("quantity") === "parameters" ? 5 : 6);
  const shown = () => models.map((m, i) => i).filter(i => models[i][column()] && (model.get("group") < 0 || models[i][4] === model.get("group")));
  const x = year => LEFT + (W - LEFT - 12) * (year - view.from) / (view.to - view.from);
  const year = px => view.from + (px - LEFT) * (view.to - view.from) / (W - LEFT - 12);
  let low = 0, high = 1;
  const y = value => TOP - 26 - (TOP - 44) * (Math.log10(value) - low) / (high - low);
  const laneTop = depth => TOP + 22 + depth * LANE, laneBottom = depth => H - 8 - depth * LANE * 0.35;
  const starts = fields.map(name => Math.min(...events.filter(e => e[3] === name).map(e => e[2])) - 1);
  const ey = i => laneTop(fields.indexOf(events[i][3])) + LANE * 0.5;
  const choose = ({ kind, i }) => { if (i >= 0) { model.set("chosen", (kind ? events : models)[i][0]); model.save_changes(); paint(); } };
  const tell = ({ kind, i }) => (kind ? ofEvent(events[i], words) : ofModel(models[i], words));
  const paint = oncePerFrame(() => {
    const theme = isDark() ? "dark" : "light", ratio = globalThis.devicePixelRatio || 1, ctx = canvas.getContext("2d"), ink = getComputedStyle(canvas).color;
    if (canvas.width !== W * ratio) { canvas.width = W * ratio; canvas.height = H * ratio; }
    ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
    ctx.clearRect(0, 0, W, H);
    ctx.font = "12px system-ui, sans-serif";
    const c = column(), values = models.filter(m => m[c]).map(m => Math.log10(m[c]));
    low = Math.floor(Math.min(...values)); high = Math.ceil(Math.max(...values));
    ctx.strokeStyle = ink; ctx.fillStyle = ink; ctx.textBaseline = "middle"; ctx.textAlign = "right";
    for (let p = low + (low % 3 ? 3 - low % 3 : 0); p <= high; p += 3) {
      ctx.globalAlpha = 0.2; ctx.beginPath(); ctx.moveTo(LEFT, y(10 ** p)); ctx.lineTo(W, y(10 ** p)); ctx.stroke(); ctx.globalAlpha = 1;
      ctx.fillText(p < 6 ? (10 ** p).toLocaleString("en-US") : `10${raised(p)}`, LEFT - 8, y(10 ** p));
    }
    ctx.textAlign = "center";
    const wide = view.to - view.from, step = wide > 40 ? 10 : wide > 15 ? 5 : wide > 6 ? 2 : 1;
    for (let t = Math.ceil(view.from / step) * step; t <= view.to; t += step) ctx.fillText(String(t), x(t), TOP - 8);
    ctx.save();
    ctx.beginPath(); ctx.rect(LEFT, 0, W - LEFT, H); ctx.clip();
    const group = model.get("group");
    models.forEach(m => {
      if (!m[c] || m[3] < view.from - 1 || m[3] > view.to + 1) return;
      ctx.globalAlpha = group < 0 || m[4] === group ? 0.85 : 0.08;
      ctx.fillStyle = COLOURS[theme][m[4]];
      ctx.beginPath(); ctx.arc(x(m[3]), y(m[c]), 3, 0, 7); ctx.fill();
    });
    ctx.globalAlpha = 1;
    fields.forEach((name, depth) => {
      const left = Math.max(LEFT, x(starts[depth]));
      ctx.fillStyle = COLOURS[theme][0]; ctx.globalAlpha = 0.13;
      ctx.fillRect(left, laneTop(depth), W - left, laneBottom(depth) - laneTop(depth));
      ctx.globalAlpha = 1; ctx.fillStyle = ink; ctx.textAlign = "left"; ctx.font = "bold 12px system-ui, sans-serif";
      ctx.fillText(name, left + 4, laneTop(depth) + LANE * 0.5);
    });
    const now = find(model.get("chosen"));
    ctx.font = "12px system-ui, sans-serif";
    events.forEach((e, i) => {
      ctx.fillStyle = COLOURS[theme][1];
      ctx.beginPath(); ctx.arc(x(e[2]), ey(i), 4.5, 0, 7); ctx.fill();
    });
    for (const mark of [now, hovered]) {
      if (!mark || mark.i < 0) continue;
      const row = (mark.kind ? events : models)[mark.i], at = row[mark.kind ? 2 : 3];
      if (!mark.kind && !row[c]) continue;
      const px = x(at), py = mark.kind ? ey(mark.i) : y(row[c]);
      ctx.strokeStyle = ink; ctx.lineWidth = mark === now ? 2.5 : 1.2; ctx.beginPath(); ctx.arc(px, py, 9, 0, 7); ctx.stroke(); ctx.lineWidth = 1;
      ctx.textAlign = px > W * 0.7 ? "right" : "left"; ctx.fillStyle = ink;
      const dx = px > W * 0.7 ? -13 : 13, down = mark.kind ? H - 40 + (mark === now ? 0 : 16) : py - 14;
      ctx.fillText(row[0], px + dx, down);
      if (mark.kind) { ctx.globalAlpha = 0.5; ctx.beginPath(); ctx.moveTo(px, py + 9); ctx.lineTo(px, down); ctx.lineTo(px + dx * 0.8, down); ctx.stroke(); ctx.globalAlpha = 1; }
    }
    ctx.restore();
    says.textContent = tell(hovered ?? now);
    canvas.setAttribute("aria-label", fill(words.label, { n: models.filter(m => m[c]).length, quantity: words[model.get("quantity")], events: events.length, says: tell(now) }));
    kind.value = model.get("quantity"); only.value = String(model.get("group"));
  });
  const zoom = (factor, px = W / 2) => {
    const centre = year(px), wide = Math.min(LAST - FIRST, Math.max(1.5, (view.to - view.from) / factor)), share = (centre - view.from) / (view.to - view.from);
    view.from = Math.max(FIRST, Math.min(LAST - wide, centre - share * wide)); view.to = view.from + wide;
    paint();
  };
  const pan = years => { const wide = view.to - view.from; view.from = Math.max(FIRST, Math.min(LAST - wide, view.from + years)); view.to = view.from + wide; paint(); };
  const into = at => { if (at < view.from || at > view.to) pan(at - (view.from + view.to) / 2); };
  const place = event => { const r = canvas.getBoundingClientRect(); return [(event.clientX - r.left) * W / r.width, (event.clientY - r.top) * H / r.height]; };
  const nearest = ([px, py], reach) => {
    let best = null, least = reach;
    const look = (kind, i, a, b) => { const d = Math.hypot(a - px, b - py); if (d < least) { least = d; best = { kind, i }; } };
    for (const i of shown()) look(0, i, x(models[i][3]), y(models[i][column()]));
    events.forEach((e, i) => look(1, i, x(e[2]), ey(i)));
    return best;
  };
  let from = null, moved = false;
  canvas.addEventListener("pointerdown", event => { from = place(event); moved = false; canvas.setPointerCapture(event.pointerId); });
  canvas.addEventListener("pointermove", event => {
    const now = place(event);
    if (!from) { hovered = nearest(now, 12); paint(); return; }
    if (Math.abs(now[0] - from[0]) < 4 && !moved) return;
    moved = true;
    pan(-(now[0] - from[0]) * (view.to - view.from) / (W - LEFT));
    from = now;
  });
  canvas.addEventListener("pointerup", event => { if (from && !moved) { const hit = nearest(place(event), 25); if (hit) choose(hit); } from = null; });
  canvas.addEventListener("pointerleave", () => { hovered = null; paint(); });
  canvas.addEventListener("wheel", event => { event.preventDefault(); zoom(event.deltaY < 0 ? 1.25 : 0.8, place(event)[0]); }, { passive: false });
  canvas.addEventListener("keydown", event => {
    const now = find(model.get("chosen")), at = (now.kind ? events : models)[now.i][now.kind ? 2 : 3], open = shown();
    const order = now.kind ? events.map((_, i) => i) : open;
    const go = to => { hovered = null; choose(to); into((to.kind ? events : models)[to.i][to.kind ? 2 : 3]); };
    const index = order.includes(now.i) ? now.i : order[nearestYear(order.map(i => models[i][3]), at)];
    if (event.key === "ArrowLeft" || event.key === "ArrowRight") { if (order.length) go({ kind: now.kind, i: beside(order, index, event.key === "ArrowLeft" ? -1 : 1) }); }
    else if (event.key === "ArrowDown") go({ kind: 1, i: nearestYear(events.map(e => e[2]), at) });
    else if (event.key === "ArrowUp") { if (open.length) go({ kind: 0, i: open[nearestYear(open.map(i => models[i][3]), at)] }); }
    else if (event.key === "+" || event.key === "=") zoom(1.5, x(at));
    else if (event.key === "-") zoom(1 / 1.5, x(at));
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
  const option = (value, label) => h("option", { value }, label), ids = [newId(), newId(), newId()];
  const kind = h("select", { id: ids[0], onchange: () => { model.set("quantity", kind.value); model.save_changes(); paint(); } }, option("parameters", words.parameters), option("compute", words.compute));
  const only = h("select", { id: ids[1], onchange: () => { model.set("group", Number(only.value)); model.save_changes(); paint(); } }, option("-1", words.all), ...words.domains.map((name, i) => option(String(i), name)));
  const list = h("datalist", { id: newId() }, ...[...models, ...events].map(row => h("option", { value: row[0] })));
  const search = () => {
    const wanted = input.value.trim().toLowerCase();
    if (!wanted) { problem.textContent = ""; return; }
    const names = [...models, ...events].map(row => row[0]), hit = names.find(n => n.toLowerCase() === wanted) ?? names.find(n => n.toLowerCase().startsWith(wanted)) ?? names.find(n => n.toLowerCase().includes(wanted));
    problem.textContent = hit ? "" : fill(words.none, { name: input.value.trim() });
    if (hit) { const to = find(hit); choose(to); into((to.kind ? events : models)[to.i][to.kind ? 2 : 3]); }
  };
  const input = h("input", { type: "text", id: ids[2], list: list.id, size: 20, spellcheck: "false", onchange: search, onkeydown: event => { if (event.key === "Enter" && !event.isComposing) search(); } });
  const control = (id, label, e) => h("div", { class: "cw-control" }, h("label", { for: id }, label), e);
  const button = (label, act) => h("button", { type: "button", onclick: act }, label);
  const key = h("p", { class: "era-key" }, ...words.domains.map((name, i) => h("span", { class: `era-${i}` }, name)));
  const stops = [watch(model, ["chosen", "quantity", "group"], paint), onTheme(paint)];
  el.append(frame("cw-era", words.title, h("div", { class: "cw-controls" }, control(ids[2], words.search, input), list, control(ids[0], words.quantity, kind), control(ids[1], words.group, only),
    button(words.closer, () => zoom(1.5)), button(words.further, () => zoom(1 / 1.5)), button(words.whole, () => { Object.assign(view, { from: FIRST, to: LAST }); paint(); })),
    problem, says, key, canvas, h("p", { class: "cw-note" }, words.help, " ", words.credit)));
  paint();
  return () => stops.forEach(stop => stop());
}

export default { render };
