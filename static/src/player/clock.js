// The master clock of the player: one position in milliseconds that everybody follows.
// It stands still while a picture that should be on is still being fetched.

export class Clock {
  constructor(durationMs) {
    this.durationMs = durationMs;
    this.rate = 1;
    this.playing = false;
    this.held = false; // waiting for bytes
    this.base = 0;
    this.since = 0;
  }

  get running() {
    return this.playing && !this.held;
  }

  get position() {
    const moved = this.running ? (performance.now() - this.since) * this.rate : 0;
    return Math.min(this.durationMs, this.base + moved);
  }

  #settle() {
    this.base = this.position;
    this.since = performance.now();
  }

  set(change) {
    this.#settle();
    Object.assign(this, change);
    this.since = performance.now();
  }

  seek(position) {
    this.base = Math.max(0, Math.min(this.durationMs, position));
    this.since = performance.now();
  }
}

export function stamp(ms) {
  const s = Math.max(0, Math.floor(ms / 1000));
  return [Math.floor(s / 3600), Math.floor(s / 60) % 60, s % 60].map((part) => String(part).padStart(2, "0")).join(":");
}

// Clock time of the session at a position, in the zone the server wrote into `zero`.
export function realTime(zero, ms) {
  const [, hours, minutes, seconds] = zero.match(/T(\d+):(\d+):(\d+)/).map(Number);
  const fraction = Number(zero.match(/\.(\d{1,3})/)?.[1].padEnd(3, "0") ?? 0);
  return stamp(((hours * 60 + minutes) * 60 + seconds) * 1000 + fraction + ms);
}
