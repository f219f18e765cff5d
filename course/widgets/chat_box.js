// A conversation, a turn at a time; what the model no longer reads is pale.
import { fill, frame, h, newId, slider, watch } from "./common.js";
import { hasKernel } from "./sentence.js";

/** Which turns are read: the newest so many. @param {number} turns @param {number} read @returns {boolean[]} */
export const isRead = (turns, read) => Array.from({ length: turns }, (_, i) => i >= turns - read);

/** The sentence above the conversation. */
export const head = (turns, [read, ids], room, words) => (turns ? fill(words.says, { turns, read, ids, most: room }) : words.empty);

function render({ model, el, experimental }) {
  const words = model.get("words"), live = hasKernel(experimental);
  let number = 0;
  const send = text => { model.set("said", [++number, text]); model.save_changes(); };
  const say = () => { if (input.value.trim()) { send(input.value.trim()); input.value = ""; } };
  const id = newId(), input = h("input", { type: "text", id, size: 52, dir: "auto", spellcheck: "false", disabled: !live, onkeydown: event => { if (event.key === "Enter" && !event.isComposing) say(); } });
  const most = model.get("most");
  const keep = slider({ label: words.keep, min: 1, max: most, value: model.get("keep") || most, format: x => (Number(x) === most ? words.all : String(x)), change: x => { model.set("keep", x === most ? 0 : x); model.save_changes(); } });
  const log = h("ol", { class: "cb-log", role: "log", "aria-live": "polite" }), says = h("p", { class: "says", role: "status" }), problem = h("p", { role: "alert", class: "cb-problem" });
  const draw = () => {
    const turns = model.get("turns"), read = model.get("read"), kept = isRead(turns.length, read[0]);
    says.textContent = head(turns.length, read, model.get("room"), words);
    problem.textContent = model.get("problem");
    keep.set(model.get("keep") || most);
    log.replaceChildren(...turns.map(([role, text], i) => h("li", { class: `cb-turn cb-${role}${kept[i] ? "" : " cb-gone"}` }, h("b", {}, words[role], kept[i] ? "" : ` (${words.forgotten})`), h("span", { dir: "auto" }, text))));
    log.scrollTop = log.scrollHeight;
  };
  const controls = live ? [h("label", { for: id }, words.say), input, h("button", { type: "button", onclick: say }, words.send), h("button", { type: "button", onclick: () => send("") }, words.again), h("span", { class: "cw-note" }, words.hint)]
    : [h("span", { class: "cw-note" }, words.saved)];
  el.append(frame("cw-chat", words.title, h("div", { class: "cw-controls" }, keep.root), says, log, h("div", { class: "cw-controls" }, ...controls), problem));
  draw();
  return watch(model, ["turns", "read", "keep", "problem"], draw);
}

export default { render };
