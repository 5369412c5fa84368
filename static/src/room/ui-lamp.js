// The recording lamp: lit by sealed bytes alone, red when they stop. Text says the same as the colour.
import { duration, fill, size } from "./ui-format.js";

const CLASSES = { lit: "on", waiting: "wait", silent: "bad", off: "off" };
const BEATS = 14;

export class Lamp {
  #root;
  #words;
  #chunks = 0;
  #lamp = { state: "off" };
  #at = 0;
  #beats = [];

  constructor(root, words) {
    this.#root = root;
    this.#words = words;
    if (root) setInterval(() => this.#tick(), 500);
  }

  update(lamp, meetingState) {
    this.#lamp = { ...lamp, paused: meetingState === "PAUSED" };
    this.#at = performance.now();
    const root = this.#root;
    if (!root) return;
    if (root.dataset.state !== lamp.state) root.dataset.state = lamp.state;
    for (const [state, name] of Object.entries(CLASSES)) root.classList.toggle(name, state === lamp.state);
    this.#say("[data-lamp-word]", this.#word());
    const chunks = root.querySelector("[data-lamp-chunks]");
    if (chunks) {
      chunks.dataset.chunks = lamp.chunks;
      chunks.textContent = lamp.chunks ? fill(this.#words.chunks, { chunks: lamp.chunks, size: size(lamp.sealed_bytes) }) : "";
    }
    this.#beat(lamp);
    this.#tick();
  }

  #word() {
    const { state, paused } = this.#lamp;
    if (paused) return this.#words.paused;
    return state === "lit" ? (this.#words.recording ?? this.#words.lit) : this.#words[state];
  }

  #tick() {
    const { state, elapsed_s: elapsed, last_sealed_s_ago: ago } = this.#lamp;
    const since = (performance.now() - this.#at) / 1000;
    const running = state === "lit" || state === "waiting";
    const silent = state === "silent";
    const time = silent && ago != null ? fill(this.#words.seconds, { seconds: Math.round(ago + since) }) : elapsed != null && running ? duration(elapsed + since) : "";
    this.#say("[data-lamp-time]", time);
    const sealed = ago == null || state === "off" ? "" : fill(silent ? this.#words.lastSealed : this.#words.sealedAgo, { seconds: Math.round(ago + since) });
    this.#say("[data-lamp-sealed]", sealed);
  }

  // One bar for each sealed piece; a hollow one for each two seconds that brought none.
  #beat({ chunks, state }) {
    const box = this.#root.querySelector("[data-beat]");
    if (!box) return;
    if (chunks > this.#chunks) this.#beats.push(`b${chunks % 4}`);
    else if (state === "silent" && this.#beats.at(-1) !== "no") this.#beats.push("no");
    this.#chunks = chunks;
    this.#beats = this.#beats.slice(-BEATS);
    const wanted = this.#beats.join(" ");
    if (box.dataset.beats === wanted) return;
    box.dataset.beats = wanted;
    box.replaceChildren(...this.#beats.map((name) => Object.assign(document.createElement("i"), { className: name })));
  }

  #say(selector, text) {
    const spot = this.#root?.querySelector(selector);
    if (spot && spot.textContent !== text) spot.textContent = text;
  }
}
