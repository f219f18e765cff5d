// A prompt to edit and the answer that a model gives to it: the kernel computes, while you type.
import { fill, fixed, frame, h, newId, roving, watch } from "./common.js";

const PAUSE = 250;  // milliseconds without a key before the prompt goes to the kernel
const PATIENCE = 4000;  // milliseconds without an answer before the reader is told

/** Whether a reply answers this prompt: one that comes late, to an earlier prompt, does not. */
export const answers = (reply, prompt) => reply.prompt === prompt;

/** The probability of the whole answer: the product of its tokens'. @param {{probability: number}[]} steps */
export const together = steps => steps.reduce((product, { probability }) => product * probability, 1);

const VISIBLE = { "\n": "↵", " ": "␣", "\t": "→" };

/** A token as it is shown: what would be invisible gets a sign. @param {string} token */
export const shown = token => (token.trim() ? token : [...token].map(c => VISIBLE[c] ?? c).join("") || "∅");

/** The outcome in a sentence: the answer, how probable it is, whether it is right. */
export function outcome(reply, words) {
  if (reply.problem) return "";
  const values = { answer: reply.answer, expected: reply.expected, probability: fixed(together(reply.steps)) };
  const verdict = reply.expected === null ? words.unknown : reply.answer === reply.expected ? words.right : words.wrong;
  const turned = reply.written === reply.answer ? "" : " " + fill(words.turned, reply);
  return fill(words.outcome, values) + " " + fill(verdict, values) + turned;
}

/** What the hash shows, in a sentence. */
export const seal = ({ before, after, count }, words) =>
  fill(before === after ? words.sealed : words.broken, { before, after, count });

/** Bars of the likeliest tokens at one place of the answer. */
function alternatives({ token, alternatives }, words) {
  const rows = alternatives.map(([other, probability]) => {
    const bar = h("i");
    bar.style.width = `${100 * probability}%`;
    return h("tr", { class: other === token ? "pl-taken" : null }, h("th", { scope: "row" }, h("code", {}, shown(other))),
             h("td", { class: "pl-bar", "aria-hidden": "true" }, bar), h("td", { class: "cw-number" }, fixed(probability, 3)));
  });
  return h("table", {}, h("caption", {}, fill(words.alternatives, { token: shown(token) })), h("tbody", {}, ...rows));
}

/** The answer token by token; the one that has the focus shows what else the model might have written. */
function answerView(words) {
  const tokens = h("div", { class: "pl-tokens", role: "radiogroup", "aria-label": words.answer });
  const others = h("div", { class: "pl-others" });
  function draw(steps) {
    const buttons = steps.map(({ token, probability }) => {
      const button = h("button", { type: "button", role: "radio", class: "pl-token",
        "aria-label": fill(words.token, { token: shown(token), probability: fixed(probability) }), onclick: () => button.focus() },
        h("code", {}, shown(token)), h("small", { class: "cw-number" }, fixed(probability)));
      button.style.setProperty("--doubt", 1 - probability);
      return button;
    });
    const choose = i => {
      buttons.forEach((button, j) => button.setAttribute("aria-checked", i === j));
      others.replaceChildren(alternatives(steps[i], words));
    };
    tokens.replaceChildren(...buttons);
    others.replaceChildren();
    if (!steps.length) return;
    const inside = steps.length > 1 ? steps.slice(0, -1) : steps;  // not at the sign that ends it
    const least = inside.reduce((low, step, i) => (step.probability < inside[low].probability ? i : low), 0);
    roving(buttons, { enter: least, move: choose });
    choose(least);  // where the model was least sure there is most to see
  }
  return { tokens, others, draw };
}

function render({ model, el }) {
  const get = name => model.get(name), words = get("words"), live = get("live"), id = newId();
  let timer = null, waiting = null;
  const past = [];

  const text = h("textarea", { id, rows: 8, spellcheck: "false", autocomplete: "off", autocapitalize: "off", dir: "auto", readonly: !live, oninput: () => later() });
  const size = h("p", { class: "cw-note cw-number pl-size" });
  const problem = h("p", { class: "pl-problem", role: "alert" });
  const said = h("p", { class: "pl-said", role: "status" });
  const sealed = h("p", { class: "cw-note pl-seal" });
  const view = answerView(words), shots = h("ol", { class: "pl-shots", "aria-label": words.shots });

  function put(prompt) {
    model.set("prompt", prompt);
    model.save_changes();
  }
  function flush() {
    clearTimeout(timer);
    if (text.value !== get("prompt")) put(text.value);
    draw();
  }
  function later() {
    clearTimeout(timer);
    timer = setTimeout(flush, PAUSE);
    draw();
  }
  function press(action, task = null) {  // the prompt travels with the wish: what was typed last may still be on its way
    clearTimeout(timer);
    past.push(text.value);
    model.send({ action, task, prompt: text.value });
  }
  function undo() {
    text.value = past.pop();
    flush();
  }

  const button = (label, onclick) => h("button", { type: "button", onclick, disabled: !live }, label);
  const tasks = Object.fromEntries(get("tasks").map(name => [name, button(words.tasks[name], () => press("task", name))]));
  const back = button(words.undo, undo);
  const actions = Object.entries(words.actions).map(([action, label]) => button(label, () => press(action)));

  function draw() {
    const reply = get("reply"), fresh = answers(reply, text.value);
    const problems = [get("refused"), fresh ? reply.problem : ""].filter(Boolean);
    view.tokens.parentElement.classList.toggle("pl-old", !fresh);
    clearTimeout(waiting);
    said.textContent = fresh ? outcome(reply, words) : live ? words.asking : words.exported;
    if (!fresh && live) waiting = setTimeout(() => { said.textContent = words.silent; }, PATIENCE);
    problem.textContent = problems.join(" ");
    problem.hidden = !problems.length;
    size.textContent = reply.size === null ? "" : fill(words.size, { n: reply.size, limit: get("limit") });
    shots.replaceChildren(...(fresh ? reply.shots : []).map(([question, answer, changed]) =>
      h("li", { class: changed ? "pl-changed" : null }, h("code", {}, question), " → ", h("code", {}, answer), changed ? h("small", {}, ` ${words.changed}`) : "")));
    sealed.textContent = seal(get("prints"), words);
    back.disabled = !live || !past.length;
    for (const [name, b] of Object.entries(tasks)) b.setAttribute("aria-pressed", name === get("task"));
  }
  function answered() {
    view.draw(get("reply").steps);
    draw();
  }
  function changed() {  // by typing, by a button or from Python
    if (text.value !== get("prompt")) text.value = get("prompt");  // setting the same text would move the cursor
    draw();
  }

  el.append(frame("cw-prompt", words.title,
    h("div", { class: "cw-controls", role: "group", "aria-label": words.task }, words.task, ...Object.values(tasks)),
    h("div", { class: "pl-both" },
      h("div", { class: "pl-side" }, h("label", { for: id, class: "pl-label" }, words.prompt), text, size,
        h("div", { class: "cw-controls", role: "group", "aria-label": words.change }, ...actions, back), problem, shots),
      h("div", { class: "pl-side" }, h("p", { class: "pl-label" }, words.answer), view.tokens, said, view.others)),
    sealed, live ? "" : h("p", { class: "cw-note" }, words.exported)));
  text.value = get("prompt");
  answered();
  const stop = [watch(model, ["prompt"], changed), watch(model, ["reply"], answered), watch(model, ["refused", "task", "prints"], draw)];
  return () => { clearTimeout(timer); clearTimeout(waiting); stop.forEach(f => f()); };
}

export default { render };
