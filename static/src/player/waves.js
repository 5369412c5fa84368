// What the ear would see: waveforms, gaps, marks and the ruler of the window shown.
// All drawn as SVG and placed through the style object; no inline styles in the page.

const SVG = "http://www.w3.org/2000/svg";
export const WINDOWS_MIN = [1, 2, 5, 10, 20, 40, 60, 120, 240];

export function svg(name, attributes = {}) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  return element;
}

// Loudest value of each column over [from, to); 0 where there is no file.
export function columns(copies, peaks, from, to, count) {
  const heights = new Array(count).fill(-1);
  for (const copy of copies) {
    const values = peaks[copy.id];
    if (!values || !values.length || copy.to <= from || copy.from >= to) continue;
    const perMs = values.length / (copy.to - copy.from);
    const first = Math.max(0, Math.floor(((copy.from - from) / (to - from)) * count));
    const last = Math.min(count - 1, Math.ceil(((copy.to - from) / (to - from)) * count));
    for (let column = first; column <= last; column++) {
      const start = from + (column / count) * (to - from) - copy.from;
      const end = start + (to - from) / count;
      const a = Math.max(0, Math.floor(start * perMs));
      const b = Math.min(values.length, Math.max(a + 1, Math.ceil(end * perMs)));
      for (let at = a; at < b; at++) if (values[at] > heights[column]) heights[column] = values[at];
    }
  }
  return heights;
}

export function wave(heights, height) {
  const middle = height / 2;
  const parts = [];
  heights.forEach((value, column) => {
    if (value < 0) return;
    const half = Math.max(0.6, (value / 100) * (middle - 1));
    parts.push(`M${column * 2 + 1} ${(middle - half).toFixed(1)}V${(middle + half).toFixed(1)}`);
  });
  const drawn = svg("svg", { viewBox: `0 0 ${heights.length * 2} ${height}`, preserveAspectRatio: "none", height, "aria-hidden": "true", class: "wave" });
  drawn.append(svg("path", { d: parts.join("") }));
  return drawn;
}

export function place(element, from, to, window) {
  const span = window.to - window.from;
  element.style.left = `${((Math.max(from, window.from) - window.from) / span) * 100}%`;
  element.style.width = `${((Math.min(to, window.to) - Math.max(from, window.from)) / span) * 100}%`;
}

export function visible(from, to, window) {
  return to > window.from && from < window.to;
}

// Round steps of the ruler: as many in the window as there is room for their words.
export function rulerStep(span, width) {
  const steps = [5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600].map((s) => s * 1000);
  return steps.find((step) => (span / step) * (step < 60_000 ? 84 : 60) <= Math.max(width, 200)) ?? 7200_000;
}
