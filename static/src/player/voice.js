// One file of one person: an element that follows the master clock within 80 ms.
// Shown it is a video; not shown an audio element, which spares the browser the pictures.

const CLOSE_MS = 35; // nothing to mend
const NUDGE_MS = 300; // mended by playing a little faster or slower, beyond it by a jump
const AHEAD_MS = 4000; // fetched before its turn comes
const PATIENCE_MS = 4000; // then the others go on without it
const NEAR_S = 0.5; // a frame of the place asked for, at the lowest rates too

export class Voice {
  constructor(copy, { muted }) {
    this.copy = copy;
    this.muted = muted;
    this.shown = false;
    this.element = null;
    this.stalledSince = 0;
    this.broken = false;
    this.driftMs = 0;
  }

  covers(position) {
    return position >= this.copy.from && position < this.copy.to;
  }

  near(position) {
    return position >= this.copy.from - AHEAD_MS && position < this.copy.to + 1000;
  }

  // Pictures that were not shown before need an element of the other kind.
  show(shown) {
    if (this.shown === shown) return;
    this.shown = shown;
    this.drop();
  }

  ensure(position, rate) {
    if (this.element || this.broken) return this.element;
    const picture = this.shown && this.copy.video;
    const element = document.createElement(picture ? "video" : "audio");
    element.preload = "auto";
    element.playsInline = true;
    element.disablePictureInPicture = true;
    element.muted = this.muted;
    element.preservesPitch = true;
    element.playbackRate = rate;
    element.addEventListener("error", () => { this.broken = true; });
    element.src = this.copy.url;
    element.currentTime = this.wanted(position);
    this.element = element;
    return element;
  }

  wanted(position) {
    return Math.max(0, (Math.min(position, this.copy.to) - this.copy.from) / 1000);
  }

  drop() {
    if (!this.element) return;
    this.element.pause();
    this.element.removeAttribute("src");
    this.element.load();
    this.element.remove();
    this.element = null;
    this.stalledSince = 0;
  }

  seek(position) {
    if (this.element) this.element.currentTime = this.wanted(position);
    this.stalledSince = 0;
  }

  // True while it keeps everybody waiting.
  get keepsWaiting() {
    if (!this.element || this.broken) return false;
    if (this.element.readyState >= 3 && !this.element.seeking) { this.stalledSince = 0; return false; }
    this.stalledSince ||= performance.now();
    return performance.now() - this.stalledSince < PATIENCE_MS;
  }

  follow(position, clock) {
    const element = this.element;
    if (!element || this.broken) return;
    if (!clock.running) { if (!element.paused) element.pause(); return; }
    if (element.paused && !element.ended) element.play().catch(() => {});
    if (element.seeking) return;
    const late = position - this.copy.from - element.currentTime * 1000; // > 0: behind
    this.driftMs = late;
    if (Math.abs(late) > NUDGE_MS) element.currentTime = this.wanted(position);
    const nudge = Math.abs(late) <= CLOSE_MS ? 0 : Math.max(-0.08, Math.min(0.08, late / 1000));
    const rate = clock.rate * (1 + nudge);
    if (Math.abs(element.playbackRate - rate) > 0.004) element.playbackRate = rate;
  }

  // Resolves when the picture of this place has been painted; at once without a picture.
  painted(position) {
    const element = this.element;
    if (!element || element.tagName !== "VIDEO" || this.broken) return Promise.resolve();
    const wanted = this.wanted(position);
    return new Promise((done) => {
      const giveUp = setTimeout(done, PATIENCE_MS);
      const finish = () => { clearTimeout(giveUp); done(); };
      // Seeking to where it stands paints nothing new, and a frame may come before "seeked" does.
      element.addEventListener("seeked", () => requestAnimationFrame(finish), { once: true });
      if (!element.requestVideoFrameCallback) return;
      // A frame of the place left behind may still come: only one from here counts.
      const look = (_now, frame) => {
        if (Math.abs(frame.mediaTime - wanted) < NEAR_S) finish();
        else element.requestVideoFrameCallback(look);
      };
      element.requestVideoFrameCallback(look);
    });
  }
}
