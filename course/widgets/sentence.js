// A sentence for the model to read: typed, and sent to the kernel with Enter.
import { h, watch } from "./common.js";

/** Is there a kernel to run the model? An exported page has none, and offers no way to ask one. */
export const hasKernel = experimental => typeof experimental?.invoke === "function";

/** A box for the trait "text"; what is wrong with the text stands in "problem". Not shown where text is null (ids were given),
 *  and without a kernel. @returns {{root: HTMLElement, stop: () => void}} */
export function sentenceBox(model, experimental) {
  const words = model.get("words");
  const send = () => { model.set("text", input.value); model.save_changes(); };
  const enter = event => { if (event.key === "Enter" && !event.isComposing) send(); };  // a form's own Enter does nothing in JupyterLab
  const input = h("input", { type: "text", dir: "auto", spellcheck: "false", onkeydown: enter });
  const problem = h("p", { role: "alert" }), button = h("button", { type: "button", onclick: send }, words.run);
  const hidden = model.get("text") === null || !hasKernel(experimental);
  const root = h("div", { class: "cw-sentence", hidden }, h("label", {}, words.text, input), button, problem);
  const draw = () => {
    input.value = model.get("text") ?? "";
    problem.textContent = model.get("problem");
    problem.hidden = !model.get("problem");
  };
  draw();
  return { root, stop: watch(model, ["text", "problem"], draw) };
}
