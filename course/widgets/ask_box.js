// Boxes to type in, and what models answer: bars of probability, notes, and text with marked pieces.
import { fill, fixed, frame, h, newId, watch } from "./common.js";
import { hasKernel } from "./sentence.js";

/** How wide a bar is, in percent of its track. @param {number} p */
export const wide = p => `${(100 * Math.min(1, Math.max(0, p))).toFixed(1)}%`;

/** A probability for people: 0.32, 0.004, and "under 0.001" where that says nothing more. @param {number} p */
export const chance = p => (p >= 0.0995 ? fixed(p, 2) : p >= 0.0005 ? fixed(p, 3) : "< 0.001");

function drawn({ title, bars, note, marked, tone }, words) {
  const rows = bars.map(([label, p]) => h("li", { "aria-label": fill(words.bar, { label, probability: chance(p) }) },
    h("span", { class: "ab-label", dir: "auto" }, label), h("span", { class: "ab-track" }, h("i", { style: `width: ${wide(p)}` })),
    h("span", { class: "cw-number" }, chance(p))));
  const pieces = marked.flatMap(([text, kind]) => [kind ? h("mark", { title: fill(words.mark, { text, kind }) }, text, h("small", {}, kind)) : text, " "]);
  return h("section", { class: `ab-answer ab-tone-${tone}` }, h("h4", {}, title),
    ...(pieces.length ? [h("p", { class: "ab-marked", dir: "auto" }, ...pieces)] : []),
    ...(rows.length ? [h("ul", {}, ...rows)] : []), ...(note ? [h("p", { class: "cw-note" }, note)] : []));
}

function render({ model, el, experimental }) {
  const words = model.get("words"), live = hasKernel(experimental);
  const send = () => { model.set("texts", inputs.map(input => input.value)); model.save_changes(); };
  const enter = event => { if (event.key === "Enter" && !event.isComposing) send(); };
  const inputs = model.get("fields").map(() => h("input", { type: "text", id: newId(), dir: "auto", spellcheck: "false", disabled: !live, onkeydown: enter }));
  const boxes = model.get("fields").map((name, i) => h("div", { class: "ab-field" }, h("label", { for: inputs[i].id }, name), inputs[i]));
  const problem = h("p", { class: "ab-problem", role: "alert" }), out = h("div", { class: "ab-answers", "aria-live": "polite" });
  const button = h("button", { type: "button", onclick: send }, words.ask);
  const draw = () => {
    model.get("texts").forEach((text, i) => { inputs[i].value = text; });
    problem.textContent = model.get("problem");
    problem.hidden = !model.get("problem");
    out.replaceChildren(...model.get("answers").map(answer => drawn(answer, words)));
  };
  const below = live ? [button, h("span", { class: "cw-note" }, words.hint)] : [h("span", { class: "cw-note" }, words.saved)];
  el.append(frame("cw-ask", words.title, ...boxes, h("div", { class: "cw-controls" }, ...below), problem, out));
  draw();
  return watch(model, ["texts", "answers", "problem"], draw);
}

export default { render };
