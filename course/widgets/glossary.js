// The words of the course: a field to search, a table of what is found. The browser searches.
import { fill, frame, h, newId, watch } from "./common.js";

/** The terms that hold the text in one of their names, then those that say it.
 *  @param {{english: string, chinese: string, meaning: string}[]} terms @param {string} text */
export function searched(terms, text) {
  const needle = text.trim().toLowerCase();
  const named = terms.filter(t => `${t.english} ${t.chinese}`.toLowerCase().includes(needle));
  return [...named, ...terms.filter(t => !named.includes(t) && t.meaning.toLowerCase().includes(needle))];
}

function termRow({ english, chinese, meaning, where, href }) {
  const place = href ? h("a", { href, target: "_blank" }, where) : where;
  return h("tr", {}, h("th", { scope: "row" }, english), h("td", { lang: "zh" }, chinese), h("td", {}, meaning.replaceAll("$", "")), h("td", {}, place));
}

function render({ model, el }) {
  const words = model.get("words"), terms = model.get("terms"), id = newId();
  const input = h("input", { type: "search", id, value: model.get("query"), oninput() { model.set("query", input.value); model.save_changes(); draw(); } });
  const body = h("tbody"), count = h("p", { class: "cw-note", role: "status" });
  const heads = words.columns.map(name => h("th", { scope: "col" }, name));
  function draw() {
    if (input.value !== model.get("query")) input.value = model.get("query");
    const found = searched(terms, model.get("query"));
    body.replaceChildren(...found.map(termRow));
    count.textContent = found.length ? fill(words.count, { n: found.length, all: terms.length }) : words.none;
  }
  el.append(frame("cw-glossary", words.title, h("div", { class: "cw-control" }, h("label", { for: id }, words.search), input), count,
    h("div", { class: "list", tabindex: 0, role: "region", "aria-label": words.title }, h("table", {}, h("thead", {}, h("tr", {}, ...heads)), body))));
  draw();
  return watch(model, ["query"], draw);
}

export default { render };
