// The pictures, at most four at once: name plates, who speaks, and the viewer's name over each.

const make = (tag, className, ...children) => {
  const element = document.createElement(tag);
  if (className) element.className = className;
  element.append(...children);
  return element;
};

// Leaks are traced by the viewer's name and the minute of watching, drawn over every picture.
function watermark(viewer, zone) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 400 230");
  svg.setAttribute("preserveAspectRatio", "xMidYMid slice");
  svg.setAttribute("class", "wm");
  svg.setAttribute("aria-hidden", "true");
  for (const [x, y] of [[-20, 70], [150, 60], [20, 150], [190, 140], [60, 232], [230, 222]]) {
    const text = document.createElementNS(svg.namespaceURI, "text");
    text.setAttribute("transform", `translate(${x} ${y}) rotate(-18)`);
    svg.append(text);
  }
  svg.tell = () => {
    const now = new Date();
    const time = now.toLocaleTimeString("vi-VN", { hour: "2-digit", minute: "2-digit", timeZone: zone });
    const words = `${viewer} · ${time} ${now.toLocaleDateString("vi-VN", { timeZone: zone })}`;
    for (const text of svg.children) text.textContent = words;
  };
  svg.tell();
  return svg;
}

export class Pictures {
  constructor(quad, lanes, { viewer, zone }) {
    this.quad = quad;
    this.tiles = new Map(lanes.map((lane) => [lane.id, this.#tile(lane, watermark(viewer, zone))]));
    setInterval(() => this.tiles.forEach((tile) => tile.mark.tell()), 20_000);
  }

  #tile(lane, mark) {
    const plate = make("figcaption", "nl", make("b", "", lane.name), make("span", "", lane.detail));
    const state = make("p", "off");
    const frame = make("div", "fr");
    return { tile: make("figure", "qv", frame, state, mark, plate), frame, state, mark };
  }

  arrange(shown) {
    const tiles = [...shown].map((id) => this.tiles.get(id).tile);
    this.quad.replaceChildren(...tiles);
    this.quad.dataset.count = tiles.length;
  }

  // Puts the element of the present file into its frame; says so when there is none.
  put(id, element, why) {
    const { tile, frame, state } = this.tiles.get(id);
    if (element && frame.firstChild !== element) frame.replaceChildren(element);
    if (!element && frame.firstChild) frame.replaceChildren();
    if (state.textContent !== why) state.textContent = why;
    tile.classList.toggle("none", Boolean(why));
  }

  speaking(id, on) {
    this.tiles.get(id).tile.classList.toggle("on", on);
  }
}
