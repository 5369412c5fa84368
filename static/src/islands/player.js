// The player: people in step with one clock, seek anywhere, by mouse, touch or keyboard.
// Every byte comes through a ranged request of at most 2 MiB under the grant in force.

import { Clock, realTime, stamp } from "../player/clock.js";
import { Lanes } from "../player/lanes.js";
import { Pictures } from "../player/pictures.js";
import { Voice } from "../player/voice.js";

const STEP_MS = 100;
const SPEAKS_ABOVE = 18;

class Player {
  constructor(root, data) {
    this.root = root;
    this.data = data;
    this.words = Object.fromEntries(
      Object.entries(root.dataset).filter(([key]) => key.startsWith("words")).map(([key, value]) => [key[5].toLowerCase() + key.slice(6), value]),
    );
    this.clock = new Clock(data.durationMs);
    this.muted = false;
    this.shown = new Set(data.lanes.filter((lane) => lane.copies.some((copy) => copy.video)).slice(0, data.mostPictures).map((lane) => lane.id));
    this.voices = new Map(data.lanes.map((lane) => [lane.id, lane.copies.map((copy) => new Voice(copy, { muted: false }))]));
    this.pictures = new Pictures(root.querySelector("[data-quad]"), data.lanes, { viewer: root.dataset.viewer, zone: root.dataset.zone });
    this.lanes = new Lanes(root, data, this.words, {
      onSeek: (at) => this.seek(at),
      onShow: (id, on) => this.show(id, on),
    });
    this.find = (selector) => root.querySelector(selector);
    this.find("[data-length]").textContent = stamp(data.durationMs);
    this.#controls();
    this.arrange();
    this.step();
    setInterval(() => this.step(), STEP_MS);
    this.#glide();
  }

  // The line that shows the place moves with the picture; where nothing moved nothing is laid out.
  #glide(before = "") {
    const { from, to } = this.lanes.window;
    const now = [this.clock.position, from, to, innerWidth].join();
    if (now !== before) this.lanes.follow(this.clock.position, this.clock.running);
    requestAnimationFrame(() => this.#glide(now));
  }

  // --- what is on ------------------------------------------------------------------------------

  arrange() {
    for (const [id, voices] of this.voices) for (const voice of voices) voice.show(this.shown.has(id));
    this.pictures.arrange(this.shown);
    this.lanes.showPictures(this.shown, this.data.mostPictures);
    this.find("[data-shown]").textContent = this.words.shown
      .replace("{shown}", this.shown.size).replace("{all}", this.data.lanes.length).replace("{most}", this.data.mostPictures);
  }

  show(id, on) {
    if (on && this.shown.size >= this.data.mostPictures) return;
    if (on) this.shown.add(id); else this.shown.delete(id);
    this.shown = new Set(this.data.lanes.map((lane) => lane.id).filter((lane) => this.shown.has(lane)));
    this.arrange();
    this.step();
  }

  get active() {
    const position = this.clock.position;
    return [...this.voices.values()].flat().filter((voice) => voice.covers(position));
  }

  step() {
    const position = this.clock.position;
    const all = [...this.voices.values()].flat();
    for (const voice of all) if (!voice.near(position)) voice.drop();
    for (const voice of all) if (voice.near(position)) voice.ensure(position, this.clock.rate);
    const active = all.filter((voice) => voice.covers(position));
    this.#hold(active);
    for (const voice of all) {
      if (active.includes(voice)) voice.follow(position, this.clock);
      else voice.element?.pause();
    }
    this.#tell(position);
    if (this.clock.playing && position >= this.data.durationMs) this.pause();
  }

  #hold(active) {
    const waiting = active.filter((voice) => voice.keepsWaiting);
    const held = waiting.length > 0;
    if (held !== this.clock.held) this.clock.set({ held });
    const broken = active.some((voice) => voice.broken);
    const stall = this.find("[data-stall]");
    const words = broken ? this.words.broken : held && this.clock.playing ? this.words.wait : "";
    stall.hidden = !words;
    if (stall.textContent !== words) stall.textContent = words;
    if (broken) this.#askWhy();
  }

  // A broken stream may mean that the leave has ended: the server knows.
  async #askWhy() {
    if (this.asked) return;
    this.asked = true;
    const answer = await fetch(this.data.wavesUrl, { headers: { Accept: "application/json" } }).catch(() => null);
    if (answer && (answer.status === 400 || answer.status === 403 || answer.status === 404)) this.#ended();
  }

  #ended() {
    this.pause();
    for (const voices of this.voices.values()) for (const voice of voices) voice.drop();
    location.reload();
  }

  #tell(position) {
    this.find("[data-now]").textContent = stamp(position);
    this.find("[data-clock]").textContent = realTime(this.data.zero, position);
    const seek = this.find("#seek");
    if (document.activeElement !== seek || this.clock.running) seek.value = position;
    seek.setAttribute("aria-valuetext", stamp(position));
    for (const lane of this.data.lanes) this.#tellLane(lane, position);
    const marks = [...this.root.querySelectorAll("[data-mark]")];
    const current = marks.findLast((row) => Number(row.dataset.mark) <= position + 50);
    for (const row of marks) row.classList.toggle("cur", row === current);
  }

  #tellLane(lane, position) {
    const voice = this.voices.get(lane.id).find((one) => one.covers(position));
    const values = voice && this.lanes.peaks[voice.copy.id];
    const loud = values ? values[Math.floor(((position - voice.copy.from) / (voice.copy.to - voice.copy.from)) * values.length)] : 0;
    this.pictures.speaking(lane.id, Boolean(this.clock.running && loud > SPEAKS_ABOVE));
    if (!this.shown.has(lane.id)) return;
    const gap = lane.gaps.find((one) => position >= one.from && position < one.to);
    const why = !voice ? gap?.words ?? this.#nobody(position) : voice.broken ? this.words.broken : voice.copy.video ? "" : this.words.sound;
    this.pictures.put(lane.id, voice?.copy.video ? voice.element : null, why);
  }

  // Why nothing can be heard of anybody here.
  #nobody(position) {
    const here = (span) => position >= span.from && position < span.to;
    if (this.data.segments.some((segment) => segment.locked && here(segment))) return this.words.locked;
    const pause = this.data.pauses.find(here);
    return pause ? this.words[pause.cause] : this.words.away;
  }

  // --- what the person does --------------------------------------------------------------------

  play() {
    if (this.clock.position >= this.data.durationMs) this.seek(0);
    this.clock.set({ playing: true });
    this.#buttons();
    this.step();
  }

  pause() {
    this.clock.set({ playing: false });
    this.#buttons();
    this.step();
  }

  toggle() {
    if (this.clock.playing) this.pause(); else this.play();
  }

  // The time from asking to the last shown picture being painted is kept for measuring.
  async seek(position) {
    const began = performance.now();
    const turn = (this.turn = (this.turn ?? 0) + 1);
    this.clock.seek(position);
    const at = this.clock.position;
    for (const voice of [...this.voices.values()].flat()) {
      if (!voice.near(at)) continue;
      voice.ensure(at, this.clock.rate);
      voice.seek(at);
    }
    const painted = this.active.filter((voice) => voice.shown).map((voice) => voice.painted(at));
    this.step();
    // Drawn while the bytes are on their way: they must not wait for the waves.
    if (at < this.lanes.window.from || at > this.lanes.window.to) this.lanes.centre(at);
    await Promise.all(painted);
    if (turn !== this.turn) return;
    this.root.dataset.seekMs = Math.round(performance.now() - began);
    this.root.dispatchEvent(new CustomEvent("player:painted", { detail: { at, ms: performance.now() - began } }));
  }

  by(ms) { this.seek(this.clock.position + ms); }

  jump(direction) {
    const places = this.data.marks.map((mark) => mark.at);
    const now = this.clock.position;
    const next = direction > 0 ? places.find((at) => at > now + 300) : places.findLast((at) => at < now - 1500);
    if (next !== undefined) this.seek(next);
  }

  rate(rate) {
    this.clock.set({ rate });
    for (const button of this.root.querySelectorAll("[data-rate]")) button.setAttribute("aria-pressed", String(Number(button.dataset.rate) === rate));
  }

  mute() {
    this.muted = !this.muted;
    for (const voices of this.voices.values()) {
      for (const voice of voices) { voice.muted = this.muted; if (voice.element) voice.element.muted = this.muted; }
    }
    this.find("[data-icon-sound]").hidden = this.muted;
    this.find("[data-icon-mute]").hidden = !this.muted;
    this.find("[data-do=mute]").setAttribute("aria-pressed", String(this.muted));
  }

  #buttons() {
    const { playing } = this.clock;
    this.find("[data-icon-play]").hidden = playing;
    this.find("[data-icon-pause]").hidden = !playing;
    this.find("[data-toggle-words]").textContent = playing ? this.words.pause : this.words.play;
  }

  #controls() {
    const done = {
      toggle: () => this.toggle(), back: () => this.by(-10_000), forward: () => this.by(10_000),
      next: () => this.jump(1), previous: () => this.jump(-1), mute: () => this.mute(),
      wider: () => this.lanes.zoom(1, this.clock.position), closer: () => this.lanes.zoom(-1, this.clock.position),
    };
    this.root.addEventListener("click", (event) => {
      const button = event.target.closest("[data-do], [data-rate], [data-jump]");
      if (!button) return;
      if (button.dataset.do) done[button.dataset.do]();
      else if (button.dataset.rate) this.rate(Number(button.dataset.rate));
      else this.seek(Number(button.dataset.jump));
    });
    this.find("#seek").addEventListener("input", (event) => this.seek(Number(event.target.value)));
    const keys = {
      " ": done.toggle, k: done.toggle, j: done.back, l: done.forward, m: done.next, M: done.previous,
      ArrowLeft: () => this.by(-5000), ArrowRight: () => this.by(5000), "+": done.closer, "=": done.closer, "-": done.wider,
      Home: () => this.seek(0), End: () => this.seek(this.data.durationMs - 500),
    };
    document.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
      const on = event.target;
      if (on.closest?.("input:not([type=checkbox]):not([type=range]), textarea, select")) return;
      if (on.closest?.("#seek") && /^(Arrow|Home|End)/.test(event.key)) return;
      if (event.key === " " && on.closest?.("button, a, summary, input[type=checkbox]") && !on.closest("[data-do=toggle]")) return;
      const act = keys[event.key] ?? keys[event.key.toLowerCase()];
      if (!act) return;
      event.preventDefault();
      act();
    }, true);
  }
}

function tellExpiry(data, root) {
  const strip = document.querySelector("[data-expiry]");
  const left = new Date(data.expiresAt) - Date.now();
  const days = Math.floor(left / 86_400_000);
  const hours = Math.max(0, Math.floor(left / 3_600_000));
  const words = days >= 1 ? root.dataset.wordsLeft.replace("{n}", days) : root.dataset.wordsHours.replace("{n}", hours);
  strip.append(`, ${words}`);
  if (left < 86_400_000 * 24) setTimeout(() => location.reload(), Math.max(1000, left + 500));
}

const root = document.getElementById("player");
const data = JSON.parse(document.getElementById("player-data").textContent);
const player = new Player(root, data);
root.player = player;
if (data.expiresAt) tellExpiry(data, root);
fetch(data.wavesUrl, { headers: { Accept: "application/json" } })
  .then((answer) => (answer.ok ? answer.json() : {}))
  .then((encoded) => player.lanes.takePeaks(encoded))
  .catch(() => {});
root.dataset.ready = "1";
