// Strips under the bar: red for the recorder alone, amber for a lost line. One at a time, the gravest
// first; a sound only for those who switched it on; the words say all that the colour says.
import { element, icon } from "../lib/words.js";
import { fill } from "./ui-format.js";

const BEEP_EVERY_MS = 3000;

export class Alarms {
  #root;
  #words;
  #raised = new Map(); // name → { rank, tone, head, text, actions }
  #drawn = "";
  #sound = null;
  #beeping = null;

  constructor(root, words) {
    this.#root = root;
    this.#words = words;
  }

  /** Raise or clear one alarm; `alarm` null clears it. */
  set(name, alarm) {
    if (alarm) this.#raised.set(name, alarm);
    else this.#raised.delete(name);
    this.#draw();
  }

  switchSound(on) {
    this.#sound = on ? new (window.AudioContext ?? window.webkitAudioContext)() : (this.#sound?.close(), null);
    this.#draw();
  }

  #draw() {
    const [first] = [...this.#raised.values()].sort((a, b) => a.rank - b.rank);
    this.#beep(first?.tone === "red");
    const wanted = first ? JSON.stringify([first.tone, first.head, first.text]) : "";
    if (this.#drawn === wanted) return;
    const same = first && this.#root.firstElementChild?.dataset.name === first.name;
    this.#drawn = wanted;
    if (!first) return this.#root.replaceChildren();
    if (same) {
      this.#root.querySelector("h2").textContent = first.head;
      this.#root.querySelector("p").textContent = first.text;
      return;
    }
    const strip = element(
      "section",
      { class: `alarm${first.tone === "red" ? "" : ` ${first.tone}`}`, role: "alert", "data-name": first.name, "data-testid": `alarm-${first.name}` },
      icon(first.tone === "red" ? "alert" : "offline", "l"),
      element("div", {}, element("h2", {}, first.head), element("p", {}, first.text)),
      element("div", { class: "acts" }, ...(first.actions ?? [])),
    );
    this.#root.replaceChildren(strip);
  }

  #beep(on) {
    clearInterval(this.#beeping);
    this.#beeping = null;
    if (!on || !this.#sound) return;
    this.#beeping = setInterval(() => this.#tone(), BEEP_EVERY_MS);
    this.#tone();
  }

  #tone() {
    const oscillator = this.#sound.createOscillator();
    const volume = this.#sound.createGain();
    oscillator.frequency.value = 880;
    volume.gain.value = 0.15;
    oscillator.connect(volume).connect(this.#sound.destination);
    oscillator.start();
    oscillator.stop(this.#sound.currentTime + 0.25);
  }
}

/** The alarms that every page of the room may show, from what the server and the own line say. */
export function raiseCommon(alarms, words, { status, room, pageLostS }) {
  alarms.set("page", pageLostS > 3 ? { name: "page", rank: 1, tone: "amber", head: words.pageLost, text: words.pageLostText } : null);
  const own = room?.state === "reconnecting" && status && status.state !== "PAUSED";
  alarms.set("own", own ? { name: "own", rank: 2, tone: "amber", head: words.ownLost, text: words.ownLostText } : null);
  alarms.set("media", status?.media === "down" ? { name: "media", rank: 3, tone: "amber", head: words.mediaDown, text: words.mediaDownText } : null);
}

export function raiseRecorder(alarms, words, { lamp, media }, actions) {
  const silent = lamp.state === "silent";
  const seconds = Math.round(lamp.last_sealed_s_ago ?? lamp.elapsed_s ?? 0);
  alarms.set("recorder", silent ? { name: "recorder", rank: 0, tone: "red", head: fill(words.alarmHead, { seconds }), text: media === "down" ? words.alarmMedia : words.alarmText, actions } : null);
  const trouble = !silent && lamp.alarm;
  alarms.set("trouble", trouble ? { name: "trouble", rank: 5, tone: "amber", head: words.troubleHead, text: fill(words.troubleText, { what: lamp.alarm }) } : null);
}
