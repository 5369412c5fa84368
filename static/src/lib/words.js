// Small things several modules need.

/** Hours and minutes of a moment as written here, 24-hour clock. */
export const clock = (moment = new Date()) => moment.toTimeString().slice(0, 5);

/** An icon of the sprite, for markup made in the browser. */
export function icon(name, size = "") {
  const sprite = document.querySelector("meta[name=icons]").content;
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("class", `i ${size}`.trim());
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  use.setAttribute("href", `${sprite}#${name}`);
  svg.append(use);
  return svg;
}

/** An element with text and children; text is never read as markup. */
export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== null && value !== undefined && value !== false) made.setAttribute(name, value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

/** The token every change must carry. */
export const token = () => document.querySelector("meta[name=csrf-token]")?.content ?? "";

/** Run only when `wait` ms have passed without another call. */
export function settled(action, wait) {
  let timer = 0;
  return (...given) => {
    clearTimeout(timer);
    timer = setTimeout(() => action(...given), wait);
  };
}
