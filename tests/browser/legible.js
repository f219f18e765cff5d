// What cannot be read in a widget: text under 4.5:1, on other text, or outside the widget's frame.
root => {
  const frame = root.getBoundingClientRect(), found = new Set(), texts = [];
  const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
  for (let node; (node = walker.nextNode());) {
    const e = node.parentElement, range = document.createRange();
    if (!node.textContent.trim() || e.closest(".cw-hidden, [hidden], option, title")) continue;
    range.selectNodeContents(node);
    const cut = getComputedStyle(e).overflowX === "visible" ? { left: -Infinity, right: Infinity } : e.getBoundingClientRect();
    for (const { left, right, top, bottom } of range.getClientRects()) {
      const box = { top, bottom, left: Math.max(left, cut.left), right: Math.min(right, cut.right) };
      texts.push({ says: node.textContent.trim().slice(0, 40), box, e });
    }
  }

  const ctx = Object.assign(document.createElement("canvas"), { width: 1, height: 1 }).getContext("2d", { willReadFrequently: true });
  const rgba = colour => { ctx.clearRect(0, 0, 1, 1); ctx.fillStyle = colour; ctx.fillRect(0, 0, 1, 1); return [...ctx.getImageData(0, 0, 1, 1).data]; };
  const over = (top, under) => [0, 1, 2].map(i => (top[i] * top[3] + under[i] * (255 - top[3])) / 255);
  const above = e => (e ? [...above(e.parentElement), e] : []);
  const ground = e => above(e).reduce((c, x) => over(rgba(getComputedStyle(x).backgroundColor), c),
                                      matchMedia("(prefers-color-scheme: dark)").matches ? [18, 18, 18] : [255, 255, 255]);
  const light = c => c.map(v => (v / 255 <= .03928 ? v / 255 / 12.92 : ((v / 255 + .055) / 1.055) ** 2.4))
                      .reduce((sum, v, i) => sum + v * [.2126, .7152, .0722][i], 0);
  for (const { says, box, e } of texts) {
    const style = getComputedStyle(e), under = ground(e), opacity = above(e).reduce((o, x) => o * getComputedStyle(x).opacity, 1);
    const colour = rgba(e instanceof SVGElement ? style.fill : style.color);
    const [a, b] = [light(over([...colour.slice(0, 3), colour[3] * opacity], under)), light(under)].sort((x, y) => y - x);
    if (!e.closest("[disabled]") && (a + .05) / (b + .05) < 4.5) found.add(`contrast ${((a + .05) / (b + .05)).toFixed(1)}: ${says}`);
    if (box.left < frame.left - 1 || box.right > frame.right + 1) found.add(`sticks out: ${says}`);
  }

  texts.forEach(({ says, box, e }, i) => texts.slice(i + 1).forEach(other => {
    const width = Math.min(box.right, other.box.right) - Math.max(box.left, other.box.left);
    const height = Math.min(box.bottom, other.box.bottom) - Math.max(box.top, other.box.top);
    if (e !== other.e && width > 1 && height > 3) found.add(`overlap: ${says} / ${other.says}`);
  }));
  return [...found];
}
