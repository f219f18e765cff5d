// Scales and paths for widgets that draw curves in SVG.

/** Where a value falls between two pixels. @returns {(x: number) => number} */
export const linear = (from, to, a, b) => x => a + (b - a) * (x - from) / (to - from || 1);

/** The same for powers. */
export const logarithmic = (from, to, a, b) => { const f = linear(Math.log(from), Math.log(to), a, b); return x => f(Math.log(x)); };

/** An SVG path through points. @param {number[][]} points */
export const path = points => points.map(([x, y], i) => `${i ? "L" : "M"}${x.toFixed(1)} ${y.toFixed(1)}`).join("");

/** A closed path between two curves over the same xs. */
export const between = (xs, low, high) => `${path([...xs.map((x, i) => [x, high[i]]), ...xs.map((x, i) => [x, low[i]]).reverse()])}Z`;

/** Round numbers from low to high, about four of them. */
export function ticks(low, high) {
  const raw = (high - low) / 4, power = 10 ** Math.floor(Math.log10(raw));
  const step = power * [1, 2, 2.5, 5, 10].find(m => m * power >= raw), first = Math.ceil(low / step - 1e-9);
  return Array.from({ length: Math.floor(high / step + 1e-9) - first + 1 }, (_, i) => (first + i) * step);
}
