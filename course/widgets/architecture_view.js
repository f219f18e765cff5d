// The encoder-decoder as it ran on one sentence: a box for each part, and what the chosen one computed.
import { fill, frame, h, newId, oncePerFrame, svg, watch } from "./common.js";
import { elide, half, visible } from "./explorer_math.js";
import { sentenceBox } from "./sentence.js";
import { tensorMap } from "./tensor_map.js";

/** @typedef {{start: number, shape: number[]}} Place
 *  @typedef {{name: string, kind: string, stack: "encoder"|"decoder", layer: number|null, rows: "source"|"target", parameters: number,
 *             shared: boolean, inputs: [string, number][][], shape: [string, number][], columns: string[]|null, output: Place,
 *             weights: Place|null}} Part  what Python says about one box */

/** Axes by name: "source 9 × d_model 256". @param {[string, number][]} shape */
export const shapeText = shape => shape.map(([axis, n]) => `${axis} ${n}`).join(" × ");

/** Numbers out of the buffer; of several matrices one after the other, the i-th. @param {DataView} buffer @param {Place} place */
export function values(buffer, { start, shape }, i = 0) {
  const size = shape.at(-1) * shape.at(-2);
  return Float32Array.from({ length: size }, (_, j) => half(buffer.getUint16(start + 2 * (i * size + j), true)));
}

/** A stack's parts as they are drawn: what is summed side by side, those of a block together, others by themselves.
 *  @param {Part[]} parts @returns {{block?: Part, inside: Part[]}[]} */
export function blocks(parts) {
  const drawn = [];
  for (const part of parts) {
    if (part.kind.endsWith("_block")) drawn.push({ block: part, inside: [] });
    else if (part.layer === null && part.kind !== "positions") drawn.push({ inside: [part] });
    else drawn.at(-1).inside.push(part);
  }
  return drawn;
}

/** The parts of a block by residual connection: what a connection passes by, its sum last; a norm after the sum stands alone.
 *  @param {Part[]} inside @returns {Part[][]} */
export function bypassed(inside) {
  const groups = [[]];
  for (const part of inside) {
    const after = part.kind === "norm" && groups.length > 1 && groups.at(-2).at(-1).kind === "add" && inside[0].kind !== "norm";
    groups.at(-1).push(part);
    if (part.kind === "add" || after) groups.push([]);
  }
  return groups.filter(group => group.length);
}

const isHead = part => part.kind.endsWith("_block");

/** One stack, drawn from the bottom up; its elements stand in the order in which they were computed. */
function makeStack(stack, parts, { words, tokens }, choose) {
  const buttons = new Map(), bodies = new Map();
  const name = part => fill(words.parts[part.kind][0], { layer: part.layer });
  const box = part => {
    const button = h("button", { type: "button", class: "ar-box", "data-kind": part.kind, "data-name": part.name, onclick: () => choose(part.name) }, name(part));
    buttons.set(part.name, button);
    return button;
  };
  const group = members => h("div", { class: members.at(-1).kind === "add" ? "ar-bypassed" : "ar-plain" }, ...members.map(box));
  const children = blocks(parts).map(({ block, inside }) => {
    if (!block) return h("div", { class: "ar-row" }, ...inside.map(box));
    const head = box(block), body = h("div", { class: "ar-inside" }, ...bypassed(inside).map(group));
    bodies.set(block.layer, body);
    return h("div", { class: "ar-block", role: "group", "aria-label": name(block) }, head, body);
  });
  const title = h("p", { class: "ar-title" }, h("b", {}, words.stacks[stack]), h("br"), fill(words.reads[stack], { n: tokens[parts[0].rows].length }),
    ...(stack === "decoder" ? [h("br"), fill(words.writes, { text: tokens.target.slice(1).join("").trim() })] : []));
  let open = 0;
  return {
    root: h("div", { class: "ar-stack", "data-stack": stack, role: "group", "aria-label": words.stacks[stack] }, title, ...children),
    buttons,
    reachable: () => [...buttons.values()].filter(button => !button.closest("[hidden]")),
    /** The block of the chosen part opens, and stays open until another does. */
    draw(chosen) {
      open = parts.find(part => part.name === chosen)?.layer ?? open;
      for (const [layer, body] of bodies) body.hidden = layer !== open;
      for (const [part, button] of buttons) {
        button.setAttribute("aria-pressed", part === chosen);
        button.setAttribute("tabindex", part === chosen ? 0 : -1);
      }
      for (const part of parts.filter(isHead)) buttons.get(part.name).setAttribute("aria-expanded", part.layer === open);
    },
  };
}

/** The line from the encoder's output to every decoder block that asks it: to its cross-attention where that is shown. */
function drawMemory(over, diagram, encoder, decoder) {
  const frame = diagram.getBoundingClientRect();
  const place = e => { const { left, right, top, bottom } = e.getBoundingClientRect(); return { left: left - frame.left, right: right - frame.left, top: top - frame.top, y: (top + bottom) / 2 - frame.top }; };
  const from = place(encoder.reachable().at(-1));
  const asking = [...decoder.root.querySelectorAll(".ar-block")].filter(block => block.querySelector('[data-kind="cross_attention"]'));
  const to = asking.map(block =>
    place(block.querySelector('.ar-inside:not([hidden]) [data-kind="cross_attention"]') ?? block.firstElementChild));
  const turn = (from.right + to[0].left) / 2 - 10, middle = (from.left + from.right) / 2, rise = from.top - 12;
  const trunk = `M${middle} ${from.top}V${rise}H${turn}`;
  const branches = to.map(({ left, y }) => `M${turn} ${rise}V${y}H${left - 6}`);
  const heads = to.map(({ left, y }) => svg("path", { class: "ar-arrow", d: `M${left - 1} ${y}l-7 -4v8z` }));
  over.replaceChildren(svg("path", { d: [trunk, ...branches].join("") }), ...heads);
}

/** Arrow keys walk along a stack in the order of computing, and across to the part beside; what they reach is chosen. */
function walker(stacks) {
  return event => {
    const here = stacks.findIndex(({ root }) => root.contains(event.target));
    if (here < 0 || !event.target.matches(".ar-box")) return;
    const row = stacks[here].reachable(), i = row.indexOf(event.target);
    const middle = e => { const { top, bottom } = e.getBoundingClientRect(); return (top + bottom) / 2; };
    const beside = () => {
      const others = stacks[1 - here].reachable(), gaps = others.map(e => Math.abs(middle(e) - middle(event.target)));
      return others[gaps.indexOf(Math.min(...gaps))];
    };
    const across = { ArrowRight: 1, ArrowLeft: 0 }[event.key];
    const next = across === undefined ? { ArrowUp: row[i + 1], ArrowDown: row[i - 1], Home: row[0], End: row.at(-1) }[event.key] : across === here ? undefined : beside();
    if (["ArrowUp", "ArrowDown", "ArrowLeft", "ArrowRight", "Home", "End"].includes(event.key)) event.preventDefault();
    if (!next) return;
    next.focus();
    next.click();
  };
}

/** What is known of the chosen part. */
function makePanel(get, set) {
  const words = get("words"), id = newId();
  const [title, place, what, list] = [h("h4", { id }), h("code"), h("p"), h("dl")];
  const output = tensorMap(words), weights = tensorMap(words), heads = h("div", { class: "ar-heads", role: "group", "aria-label": words.weights });
  const attention = h("div", { class: "ar-attention" }, heads, weights.root);
  const root = h("div", { class: "ar-panel", role: "region", "aria-labelledby": id }, title, place, what, list, attention, output.root);
  const labels = tokens => tokens.map(t => elide(visible(t)));
  const row = (tokens, n) => fill(words.row, { n, token: elide(visible(tokens[n])) });
  const term = (name, ...texts) => [h("dt", {}, name), ...texts.map(text => h("dd", { class: "cw-number" }, text))];

  function drawOutput(part) {
    const tokens = get("tokens")[part.rows], chosen = part.columns !== null;
    const caption = chosen ? fill(words.likeliest, { n: part.shape[1][1], k: get("facts").likeliest }) : words.values;
    const say = (r, column, value) => fill(chosen ? words.candidate : words.value, { row: row(tokens, r), column: chosen ? labels(part.columns)[column] : column, value });
    output.draw(caption, { values: values(get("buffer"), part.output), rows: tokens, columns: part.columns, n: part.output.shape[1],
                           signed: part.kind !== "probabilities", say });
  }

  function drawWeights(part) {
    attention.hidden = part.weights === null;
    if (attention.hidden) return;
    const [n, , keys] = part.weights.shape, head = Math.min(get("head"), n - 1);
    const tokens = get("tokens"), cross = part.kind === "cross_attention", target = tokens.target;
    // Over the source, what a row looks for is the token that it is to write, so both names stand there.
    const queries = !cross ? tokens[part.rows]
      : target.map((read, i) => fill(words.read_and_written, { read: visible(read), written: visible(target[i + 1] ?? "<eos>") }));
    const sources = cross ? tokens.source : queries;
    if (heads.children.length !== n) heads.replaceChildren(...Array.from({ length: n }, (_, i) => h("button", { type: "button", onclick: () => set({ head: i }) }, fill(words.head, { n: i }))));
    [...heads.children].forEach((button, i) => button.setAttribute("aria-pressed", i === head));
    const say = (q, k, value) => fill(words.weight, { head, row: elide(visible(queries[q])), column: elide(visible(sources[k])), value });
    weights.draw(words.weights, { values: values(get("buffer"), part.weights, head), rows: queries, columns: sources, n: keys, signed: false, say });
  }

  return {
    root,
    draw(part) {
      const facts = { ...get("facts"), layer: part.layer }, [name, sentence] = words.parts[part.kind];
      const count = part.parameters.toLocaleString("en");
      title.textContent = fill(name, facts);
      place.textContent = part.name;
      what.textContent = fill(sentence, facts);
      list.replaceChildren(...term(words.parameters, part.parameters === 0 ? words.none : part.shared ? fill(words.shared, { n: count }) : count),
        ...term(words.input, ...part.inputs.map(shapeText)), ...term(words.output, shapeText(part.shape)));
      drawWeights(part);
      drawOutput(part);
    },
    stop() { output.stop(); weights.stop(); },
  };
}

function render({ model, el, experimental }) {
  const get = name => model.get(name), words = get("words");
  const set = changes => {
    for (const [name, value] of Object.entries(changes)) model.set(name, value);
    model.save_changes();
  };
  const sentence = sentenceBox(model, experimental), panel = makePanel(get, set);
  const over = svg("svg", { class: "ar-over", "aria-hidden": "true" }), diagram = h("div", { class: "ar-diagram" });
  let stacks = [];

  function build() {
    const about = { words, tokens: get("tokens") };
    stacks = ["encoder", "decoder"].map(stack => makeStack(stack, get("parts").filter(part => part.stack === stack), about, chosen => set({ chosen })));
    diagram.replaceChildren(...stacks.map(({ root }) => root), over);
    diagram.onkeydown = walker(stacks);
    draw();
  }
  const lines = () => { if (diagram.clientWidth) drawMemory(over, diagram, ...stacks); };
  function draw() {
    const part = get("parts").find(({ name }) => name === get("chosen"));
    for (const stack of stacks) stack.draw(part.name);
    panel.draw(part);
    lines();
  }

  el.append(frame("ar", words.title, sentence.root, h("p", { class: "cw-note" }, words.hint), h("div", { class: "ar-body" }, diagram, panel.root)));
  build();
  const resized = new ResizeObserver(lines);
  resized.observe(diagram);
  const stops = [watch(model, ["chosen", "head"], draw), watch(model, ["parts", "buffer", "tokens"], oncePerFrame(build))];
  return () => { resized.disconnect(); panel.stop(); sentence.stop(); stops.forEach(stop => stop()); };
}

export default { render };
