// Lets a person see and hear, before joining, that camera, microphone and loudspeaker work. Shows nothing itself;
// a check that fails never stops the others, and none throws: each answers with a word (see local-media.js).
//
//   import { DeviceCheck } from "./room/device-check.js";
//   const check = new DeviceCheck();
//   check.addEventListener("level", ({ detail }) => { bar.value = detail.level; });   // 0..1, eight times a second
//   check.addEventListener("devices", ({ detail }) => { … });                           // after plugging in or out
//   await check.permissions();                  // { audio, video }: "granted" | "denied" | "prompt" | "unknown"
//   const { stream, audioTrouble, videoTrouble } = await check.start({ audioDeviceId, videoDeviceId });
//   const { cameras, microphones, speakers } = await check.devices();   // names are empty before permission
//   check.heard();                               // whether the microphone has caught any sound so far
//   await check.playTone({ speakerId });         // "" when it was played, else a word
//   await check.network();                       // { online, kind, downlinkMbps, rttMs }; null where unknown
//   const stream = check.handOver();             // for Room.publish: stops the meter, keeps the devices open
//   check.stop();                                // or: close everything

import { canOpenMedia, openLocalMedia, stopStream } from "./local-media.js";
import { LevelMeter } from "./level-meter.js";

const LEVEL_EVERY_MS = 125;
const HEARD_FROM = 0.15;
const TONE = [523.25, 659.25, 783.99]; // three rising notes: told apart from any noise of the room
const NOTE_S = 0.35;

export class DeviceCheck extends EventTarget {
  #stream = null;
  #meter = null;
  #timer = null;
  #heard = false;
  #onChange = async () => this.#tell("devices", await this.devices());

  constructor() {
    super();
    navigator.mediaDevices?.addEventListener?.("devicechange", this.#onChange);
  }

  async permissions() {
    const [audio, video] = await Promise.all(["microphone", "camera"].map(permissionOf));
    return { audio, video };
  }

  async devices() {
    if (!canOpenMedia()) return { cameras: [], microphones: [], speakers: [] };
    const all = await navigator.mediaDevices.enumerateDevices().catch(() => []);
    const of = (kind) => all.filter((device) => device.kind === kind).map(({ deviceId, label }) => ({ deviceId, label }));
    return { cameras: of("videoinput"), microphones: of("audioinput"), speakers: of("audiooutput") };
  }

  // Also changes devices: what was open is closed first, because many cameras open only once.
  async start(wanted = {}) {
    this.#release();
    const opened = await openLocalMedia(wanted);
    this.#stream = opened.stream;
    const [track] = opened.stream.getAudioTracks();
    if (track) this.#listenTo(track);
    return opened;
  }

  heard() {
    return this.#heard;
  }

  async playTone({ speakerId } = {}) {
    const Context = window.AudioContext ?? window.webkitAudioContext;
    if (!Context) return "missing";
    const context = new Context();
    try {
      if (speakerId && context.setSinkId) await context.setSinkId(speakerId);
      await context.resume();
      await playNotes(context);
      return "";
    } catch {
      return "failed";
    } finally {
      context.close().catch(() => {});
    }
  }

  async network() {
    const { effectiveType = null, downlink = null, rtt = null } = navigator.connection ?? {};
    return { online: navigator.onLine, kind: effectiveType, downlinkMbps: downlink, rttMs: rtt };
  }

  handOver() {
    const stream = this.#stream;
    this.#stream = null;
    this.stop();
    return stream;
  }

  stop() {
    this.#release();
    navigator.mediaDevices?.removeEventListener?.("devicechange", this.#onChange);
  }

  #listenTo(track) {
    this.#meter = new LevelMeter(track);
    this.#timer = setInterval(() => {
      const level = this.#meter.level();
      this.#heard ||= level >= HEARD_FROM;
      this.#tell("level", { level });
    }, LEVEL_EVERY_MS);
  }

  #release() {
    clearInterval(this.#timer);
    this.#meter?.close();
    stopStream(this.#stream);
    this.#meter = null;
    this.#stream = null;
    this.#heard = false;
  }

  #tell(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }
}

async function permissionOf(name) {
  try {
    return (await navigator.permissions.query({ name })).state;
  } catch {
    return "unknown"; // not every browser tells
  }
}

function playNotes(context) {
  const end = TONE.map((frequency, place) => playNote(context, frequency, context.currentTime + place * NOTE_S)).pop();
  return new Promise((resolve, reject) => {
    end.addEventListener("ended", resolve);
    // A context that stays asleep, because nobody clicked yet, never ends its notes.
    setTimeout(() => reject(new Error("silent")), TONE.length * NOTE_S * 1000 + 1500);
  });
}

function playNote(context, frequency, from) {
  const oscillator = context.createOscillator();
  const volume = context.createGain();
  oscillator.frequency.value = frequency;
  volume.gain.setValueAtTime(0.0001, from);
  volume.gain.exponentialRampToValueAtTime(0.3, from + 0.03);
  volume.gain.exponentialRampToValueAtTime(0.0001, from + NOTE_S);
  oscillator.connect(volume).connect(context.destination);
  oscillator.start(from);
  oscillator.stop(from + NOTE_S);
  return oscillator;
}
