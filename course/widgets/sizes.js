// Large numbers for people.

/** A size for people: 340 million, 175 billion, 3.1 · 10²³. @param {?number} x @param {string} unknown */
export function number(x, unknown = "") {
  if (x === null || x === undefined) return unknown;
  if (x < 1e6) return Math.round(x).toLocaleString("en-US");
  for (const [limit, unit, name] of [[1e9, 1e6, "million"], [1e12, 1e9, "billion"]])
    if (x < 0.9995 * limit) return `${Number((x / unit).toPrecision(3))} ${name}`;
  let e = Math.floor(Math.log10(x));
  if ((x / 10 ** e).toFixed(1) === "10.0") e += 1;
  return `${(x / 10 ** e).toFixed(1)} · 10${raised(e)}`;
}

/** A whole number set above the line. */
export const raised = e => String(e).replace(/\d/g, c => "⁰¹²³⁴⁵⁶⁷⁸⁹"[c]);
