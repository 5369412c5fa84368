// The map: names under the finger, arrow keys from commune to commune, months that play.
// Everything here can also be done with links; nothing is kept in this file between pages.

const STEP_MS = 650;
const KEYS = { ArrowUp: [0, -1], ArrowDown: [0, 1], ArrowLeft: [-1, 0], ArrowRight: [1, 0] };

const middle = (cell) => {
  const { x, y, width, height } = cell.querySelector("path").getBBox();
  return [x + width / 2, y + height / 2];
};

// The nearest cell in the direction of the key; sideways counts more than ahead.
function beside(cells, from, [dx, dy]) {
  const [x, y] = middle(from);
  let best = null;
  let least = Infinity;
  for (const cell of cells) {
    if (cell === from) continue;
    const [cx, cy] = middle(cell);
    const ahead = (cx - x) * dx + (cy - y) * dy;
    const aside = Math.abs((cx - x) * dy) + Math.abs((cy - y) * dx);
    const cost = ahead + 2 * aside;
    if (ahead > 4 && cost < least) [best, least] = [cell, cost];
  }
  return best;
}

// One stop for the tab key; arrows go on from there.
function startRoving(items, next) {
  if (!items.length) return;
  const stop = (item) => {
    for (const other of items) other.setAttribute("tabindex", other === item ? "0" : "-1");
  };
  stop(items.find((item) => item.matches(".chosen, .on")) ?? items[0]);
  for (const item of items) {
    item.addEventListener("focus", () => stop(item));
    item.addEventListener("keydown", (event) => {
      const target = next(item, event.key);
      if (!target) return;
      event.preventDefault();
      target.focus();
    });
  }
}

function startNames(page) {
  const line = page.querySelector("[data-touched]");
  if (!line) return;
  const [name, words, link] = [line.querySelector("b"), line.querySelector("span"), line.querySelector("a")];
  const tell = (cell) => {
    const [first, ...rest] = cell.getAttribute("aria-label").split(": ");
    name.textContent = first;
    words.textContent = rest.join(": ");
    if (!link.getAttribute("href")?.startsWith("#bang")) link.href = cell.getAttribute("href");
    line.hidden = false;
  };
  for (const map of page.querySelectorAll("[data-map]")) {
    map.addEventListener("pointerleave", (event) => { if (event.pointerType === "mouse") line.hidden = true; });
  }
  for (const cell of page.querySelectorAll("[data-map] a.cell")) {
    cell.addEventListener("pointerenter", (event) => { if (event.pointerType === "mouse") tell(cell); });
    cell.addEventListener("focus", () => tell(cell));
    // A finger names the cell first; the second touch, or the link below, opens it.
    cell.addEventListener("click", (event) => {
      if (event.pointerType !== "touch" || cell.classList.contains("touched")) return;
      event.preventDefault();
      event.stopImmediatePropagation();
      for (const other of page.querySelectorAll("a.cell.touched")) other.classList.remove("touched");
      for (const same of page.querySelectorAll(`a.cell[data-code="${cell.dataset.code}"]`)) same.classList.add("touched");
      tell(cell);
    }, true);
  }
}

// Links inside a drawing are not swapped in by themselves: one hidden element asks for all of them.
const visits = { ready: false, to: "", focus: "" };
document.addEventListener("htmx:load", () => { visits.ready = true; });
document.addEventListener("htmx:configRequest", (event) => {
  if (event.target.matches("[data-visit]")) event.detail.path = visits.to;
});

function startVisits(page) {
  const visitor = page.querySelector("[data-visit]");
  if (!visitor) return;
  for (const link of page.querySelectorAll("svg a[href]")) {
    link.addEventListener("click", (event) => {
      if (!visits.ready || event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      visits.to = link.getAttribute("href");
      visits.focus = link.id;
      visitor.dispatchEvent(new Event("visit"));
    });
  }
}

function startSizes(page) {
  const box = page.querySelector("[data-sizes]");
  if (!box) return;
  box.hidden = false;
}

// A chosen filter shows at once: the form sends itself. Both ends of a stretch have a button.
// Under a drawing the table begins with its first rows; printed and without script it is whole.
function startTable(page) {
  const button = page.querySelector("[data-all]");
  if (!button) return;
  const table = button.closest("section");
  const show = (all) => {
    table.classList.toggle("short", !all);
    button.setAttribute("aria-expanded", String(all));
    button.textContent = all ? button.dataset.fewer : button.dataset.more;
  };
  button.hidden = false;
  button.addEventListener("click", () => show(table.classList.contains("short")));
  show(false);
}

function startFilter(page) {
  const form = page.querySelector("[data-filter]");
  form?.addEventListener("change", ({ target }) => {
    if (target.matches("#tu, #den")) return;
    if (target.id === "ky") for (const end of form.querySelectorAll("#tu, #den")) end.value = "";
    form.requestSubmit();
  });
}

class Player {
  constructor(page) {
    this.page = page;
    this.slider = page.querySelector("[data-slider]");
    this.months = [...this.slider.querySelectorAll("[data-month]")];
    this.button = this.slider.querySelector("[data-play]");
    this.timer = null;
    this.icon = this.button.querySelector("use");
    this.words = { play: this.button.getAttribute("aria-label"), stop: this.button.dataset.stop };
    this.button.hidden = !page.querySelector("[data-map]") || !this.slider.dataset.exact;
    this.button.addEventListener("click", () => (this.timer ? this.stop() : this.play()));
  }

  async load() {
    if (this.data) return;
    const address = new URL(this.page.dataset.data, location.href);
    address.searchParams.set("chay", "1");
    const answer = await fetch(address, { headers: { Accept: "application/json" } });
    if (!answer.ok) throw new Error(String(answer.status));
    this.data = await answer.json();
  }

  async play() {
    this.button.setAttribute("aria-busy", "true");
    try {
      await this.load();
    } catch {
      return; // the links of the bars still work
    } finally {
      this.button.removeAttribute("aria-busy");
    }
    this.face("stop");
    this.page.classList.add("playing");
    this.at = 0;
    const lines = [...this.page.querySelectorAll("[data-legend] li")];
    this.data.played.legend.forEach((words, k) => {
      const line = lines[k]?.querySelector(".w");
      if (line && lines[k].dataset.tone.startsWith("r")) line.textContent = words;
    });
    this.step();
    this.timer = setInterval(() => this.step(), STEP_MS);
  }

  step() {
    if (!this.page.isConnected) return this.halt();
    if (this.at >= this.months.length) return this.stop();
    this.show(this.at++);
  }

  show(k) {
    this.months.forEach((month, n) => {
      month.classList.toggle("now", n === k);
      month.classList.remove("on", "then");
    });
    for (const [code, tones] of Object.entries(this.data.played.units)) {
      const [tone, words] = tones[k];
      this.paint(code, tone, words);
    }
    const { label, cases } = this.data.months[k];
    this.slider.querySelector("[data-month-name]").textContent = label;
    this.slider.querySelector(".cur span").textContent =
      new Intl.NumberFormat(document.documentElement.lang).format(cases);
  }

  paint(code, tone, words) {
    for (const cell of this.page.querySelectorAll(`[data-map] a.cell[data-code="${code}"]`)) {
      cell.setAttribute("class", `cell ${tone}${cell.classList.contains("chosen") ? " chosen" : ""}`);
      cell.querySelector("path").removeAttribute("fill");
    }
    for (const label of this.page.querySelectorAll(`.labels text[data-code="${code}"]`)) {
      label.setAttribute("class", tone === "r3" || tone === "r4" ? "dark" : "");
      label.querySelector(".v").textContent = words;
    }
  }

  // Stopping opens the month reached, so that the numbers, marks and table go with the colours.
  stop() {
    this.halt();
    const reached = this.months[Math.max(0, this.at - 1)];
    reached.dispatchEvent(new MouseEvent("click", { bubbles: true, cancelable: true }));
  }

  halt() {
    clearInterval(this.timer);
    this.timer = null;
    this.page.classList.remove("playing");
    this.face("play");
  }

  face(name) {
    this.icon.setAttribute("href", this.icon.getAttribute("href").replace(/#\w+$/, `#${name}`));
    this.button.setAttribute("aria-label", this.words[name]);
  }
}

function start() {
  const page = document.getElementById("map-page");
  if (!page || page.dataset.started) return;
  page.dataset.started = "1";
  const cells = [...page.querySelectorAll(".mapf [data-map] a.cell")];
  startNames(page);
  startVisits(page);
  startRoving(cells, (cell, key) => KEYS[key] && beside(cells, cell, KEYS[key]));
  startSizes(page);
  startTable(page);
  startFilter(page);
  if (!page.querySelector("[data-slider]")) return;
  const player = new Player(page);
  startRoving(player.months, (month, key) => {
    const k = player.months.indexOf(month);
    return { ArrowLeft: player.months[k - 1], ArrowRight: player.months[k + 1], Home: player.months[0], End: player.months.at(-1) }[key];
  });
}

start();
document.addEventListener("page:part", start);
document.addEventListener("htmx:afterSettle", () => {
  start();
  const again = visits.focus && document.getElementById(visits.focus);
  visits.focus = "";
  if (again) again.focus({ preventScroll: true });
});
