// What the explorer gains when its passes are moments of training: a slider, a play button, the loss under it.

import { fill, fixed, h, newId, svg } from "./common.js";
import { EXPLORER_WORDS } from "./explorer_words.js";

const WIDTH = 420, HEIGHT = 56, EDGE = 5, PAUSE = 500;  // pixels; milliseconds a moment is shown

/** Where each moment stands on the loss curve: steps run to the right, a smaller loss lies lower.
 *  A loss that is no number (null: a run that diverged) has no place: its y is NaN.
 *  @param {number[]} steps @param {(number|null)[]} losses @returns {[number, number][]} */
export function curve(steps, losses) {
  const across = values => {
    const known = values.filter(Number.isFinite), low = Math.min(...known), span = Math.max(...known) - low || 1;
    return x => (x - low) / span;
  };
  const x = across(steps), y = across(losses);
  return steps.map((step, i) => [EDGE + x(step) * (WIDTH - 2 * EDGE), HEIGHT - EDGE - y(losses[i] ?? NaN) * (HEIGHT - 2 * EDGE)]);
}

/** The curve as an SVG path, with a gap where a loss is no number. @param {[number, number][]} points */
export const path = points => points.map(([x, y], i) => (Number.isFinite(y) ? `${Number.isFinite(points[i - 1]?.[1]) ? "L" : "M"}${x} ${y}` : "")).join("");

const said3 = loss => (Number.isFinite(loss) ? fixed(loss, 3) : EXPLORER_WORDS.noNumber);

/** @param {(name: string) => any} get @param {(values: Object<string, any>) => void} set */
export function makeScrubber(get, set) {
  const W = EXPLORER_WORDS, steps = get("steps"), losses = get("losses"), points = curve(steps, losses), id = newId();
  const last = steps.length - 1;
  let timer = null;
  const input = h("input", { type: "range", id, min: 0, max: last, step: 1, oninput: () => { stop(); set({ moment: Number(input.value) }); } });
  const said = h("output", { for: id });
  const play = h("button", { type: "button", onclick: () => (timer ? stop() : start()) }, W.play);
  const here = svg("circle", { r: 4, fill: "var(--cw-accent)" });
  const picture = svg("svg", { width: WIDTH, height: HEIGHT, role: "img", "aria-label": fill(W.lossCurve, { first: said3(losses[0]), last: said3(losses[last]) }) },
    svg("path", { d: path(points), fill: "none", stroke: "var(--cw-fg)", "stroke-width": 1.5 }), here);
  const root = h("div", { class: "ex-scrubber" }, h("div", { class: "cw-control" }, play, h("label", { for: id }, W.step), input, said), picture);

  function start() {
    if (get("moment") === last) set({ moment: 0 });
    timer = setInterval(() => (get("moment") < last ? set({ moment: get("moment") + 1 }) : stop()), PAUSE);
    play.textContent = W.pause;
  }
  function stop() {
    clearInterval(timer);
    timer = null;
    play.textContent = W.play;
  }
  return { root, stop, refresh() {
    const moment = get("moment"), [x, y] = points[moment];
    input.value = moment;
    said.textContent = fill(W.moment, { step: steps[moment], loss: said3(losses[moment]) });
    input.setAttribute("aria-valuetext", said.textContent);
    here.setAttribute("cx", x);
    here.setAttribute("cy", Number.isFinite(y) ? y : 0);
    here.setAttribute("visibility", Number.isFinite(y) ? "visible" : "hidden");
  } };
}
