// The lanes under the pictures: a line for each person, the whole session above them.

import { realTime } from "./clock.js";
import { columns, place, rulerStep, svg, visible, wave, WINDOWS_MIN } from "./waves.js";

const COLUMNS = 330;

const make = (tag, className, ...children) => {
  const element = document.createElement(tag);
  if (className) element.className = className;
  element.append(...children);
  return element;
};

export function icon(name) {
  const address = `${document.querySelector("meta[name=icons]").content}#${name}`;
  const use = svg("use");
  use.setAttribute("href", address);
  const drawn = svg("svg", { class: "i s", "aria-hidden": "true" });
  drawn.append(use);
  return drawn;
}

export class Lanes {
  constructor(root, data, words, { onSeek, onShow }) {
    this.root = root;
    this.data = data;
    this.words = words;
    this.onSeek = onSeek;
    this.onShow = onShow;
    this.peaks = {};
    this.level = this.#firstLevel();
    this.window = { from: 0, to: this.span };
    this.tracks = root.querySelector("[data-lanes]");
    this.overview = root.querySelector("[data-overview]");
    this.head = make("i", "head");
    this.#build();
    this.draw();
    addEventListener("resize", () => this.draw());
  }

  #firstLevel() {
    const minutes = this.data.durationMs / 60_000;
    const fitting = WINDOWS_MIN.findIndex((level) => level >= Math.min(minutes, 20));
    return fitting < 0 ? WINDOWS_MIN.length - 1 : fitting;
  }

  get span() {
    return Math.min(WINDOWS_MIN[this.level] * 60_000, Math.max(this.data.durationMs, 1000));
  }

  zoom(step, position) {
    const widest = WINDOWS_MIN.findIndex((level) => level * 60_000 >= this.data.durationMs);
    const most = widest < 0 ? WINDOWS_MIN.length - 1 : widest;
    this.level = Math.max(0, Math.min(most, this.level + step));
    this.centre(position);
  }

  centre(position) {
    const from = Math.max(0, Math.min(this.data.durationMs - this.span, position - this.span / 2));
    this.window = { from, to: from + this.span };
    this.draw();
  }

  #build() {
    this.marks = make("div", "mks");
    this.tracks.append(make("div", "ov mkrow", make("div"), this.marks));
    this.rows = this.data.lanes.map((lane, number) => this.#row(lane, number));
    this.ruler = make("div", "ruler");
    this.ruler.setAttribute("aria-hidden", "true");
    this.tracks.append(...this.rows.map((row) => row.row), make("div", "ov", make("div"), this.ruler), this.head);
    for (const [surface, inside] of [[this.tracks, ".trk"], [this.overview, null]]) {
      surface.addEventListener("pointerdown", (event) => this.#press(event, inside));
    }
  }

  #row(lane, number) {
    const box = Object.assign(make("input"), { type: "checkbox", id: `lane-${number}` });
    box.setAttribute("aria-label", this.words.show.replace("{name}", lane.name));
    box.addEventListener("change", () => this.onShow(lane.id, box.checked));
    const name = make("b", "", lane.name);
    const detail = make("small", "", lane.detail);
    const label = make("label", "who", box, make("span", "", name, detail));
    label.htmlFor = box.id;
    const track = make("div", "trk");
    return { lane, box, label, track, row: make("div", "lr", label, track) };
  }

  #press(event, inside) {
    const surface = inside ? event.target.closest(inside) : this.overview;
    if (!surface || event.target.closest("button, label")) return;
    const { left, width } = surface.getBoundingClientRect();
    const part = Math.max(0, Math.min(1, (event.clientX - left) / width));
    const window = inside ? this.window : { from: 0, to: this.data.durationMs };
    this.onSeek(window.from + part * (window.to - window.from));
  }

  takePeaks(encoded) {
    for (const [id, text] of Object.entries(encoded)) {
      this.peaks[id] = Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
    }
    this.draw();
  }

  showPictures(shown, most) {
    for (const { lane, box, row } of this.rows) {
      box.checked = shown.has(lane.id);
      box.disabled = !box.checked && shown.size >= most;
      row.classList.toggle("full", box.disabled);
    }
  }

  draw() {
    const wholeSession = { from: 0, to: this.data.durationMs };
    const all = this.data.lanes.flatMap((lane) => lane.copies);
    this.frame = make("i", "frame");
    this.overviewHead = make("i", "head");
    this.overview.replaceChildren(
      wave(columns(all, this.peaks, 0, this.data.durationMs, COLUMNS), 38), ...this.#shared(wholeSession), this.frame, this.overviewHead,
    );
    place(this.frame, this.window.from, this.window.to, wholeSession);
    this.frame.hidden = this.span >= this.data.durationMs;
    for (const { lane, track } of this.rows) {
      track.replaceChildren(wave(columns(lane.copies, this.peaks, this.window.from, this.window.to, COLUMNS), 34), ...this.#gaps(lane));
    }
    this.#drawMarks();
    this.#drawRuler();
    const minutes = Math.round(this.span / 60_000);
    this.root.querySelector("[data-span]").textContent =
      this.span >= this.data.durationMs ? this.words.all : this.words.minutes.replace("{n}", minutes);
  }

  #gaps(lane) {
    const shown = lane.gaps.filter((gap) => visible(gap.from, gap.to, this.window)).flatMap((gap) => {
      const bar = make("i", `gapb ${gap.cause}`);
      const words = `${gap.words} ${this.words.seconds.replace("{n}", Math.round((gap.to - gap.from) / 1000))}`;
      bar.title = words;
      place(bar, gap.from, gap.to, this.window);
      if (gap.cause === "recorder" || gap.cause === "break") return [bar];
      const told = make("span", "gapl", words);
      const end = (gap.to - this.window.from) / this.span;
      if (end < 0.6) told.style.left = `calc(${end * 100}% + 6px)`;
      else told.style.right = `calc(${100 - ((gap.from - this.window.from) / this.span) * 100}% + 6px)`;
      return [bar, told];
    });
    return [...shown, ...this.#shared(this.window)];
  }

  #shared(window) {
    const bars = [];
    const add = (className, span, title) => {
      if (!visible(span.from, span.to, window)) return;
      const bar = make("i", className);
      bar.title = title;
      place(bar, span.from, span.to, window);
      bars.push(bar);
    };
    for (const pause of this.data.pauses) add(`gapb ${pause.cause}`, pause, this.words[pause.cause]);
    for (const segment of this.data.segments) if (segment.locked) add("gapb locked", segment, this.words.locked);
    return bars;
  }

  #drawMarks() {
    this.marks.replaceChildren(
      ...this.data.marks.filter((mark) => visible(mark.at, mark.at + 1, this.window)).map((mark) => {
        const button = make("button", mark.tone, icon(mark.icon));
        button.type = "button";
        button.tabIndex = -1; // the table beside is the keyboard's way
        button.setAttribute("aria-hidden", "true");
        button.title = `${realTime(this.data.zero, mark.at)} ${mark.words}`;
        button.style.left = `${((mark.at - this.window.from) / this.span) * 100}%`;
        button.addEventListener("click", () => this.onSeek(mark.at));
        return button;
      }),
    );
  }

  #drawRuler() {
    const step = rulerStep(this.span, this.ruler.clientWidth);
    const ticks = [];
    const precise = step < 60_000;
    for (let at = Math.ceil(this.window.from / step) * step; at <= this.window.to; at += step) {
      const label = make("span", "", realTime(this.data.zero, at).slice(0, precise ? 8 : 5));
      const part = (at - this.window.from) / this.span;
      label.style.left = `${part * 100}%`;
      if (part < 0.04) label.className = "first";
      if (part > 0.96) label.className = "last";
      ticks.push(label);
    }
    this.ruler.replaceChildren(...ticks);
  }

  // Moves the line; turns the page when playing runs out of the window.
  follow(position, playing) {
    if (playing && (position < this.window.from || position > this.window.to)) this.centre(position + this.span * 0.4);
    const track = this.rows[0]?.track;
    if (!track) return;
    const part = (position - this.window.from) / this.span;
    this.head.hidden = part < 0 || part > 1;
    this.head.style.left = `${track.offsetLeft + part * track.offsetWidth}px`;
    this.overviewHead.style.left = `${(position / Math.max(1, this.data.durationMs)) * 100}%`;
  }
}
