// One person's call as a page runs it: polls the server each second, joins when let in, leaves when
// sent out, opens the microphone only when invited. Knows nothing of how the page looks.
//
//   const call = new Call(rootElement, { publishes: true });
//   call.addEventListener("status", ({ detail }) => …);     // the JSON of tinh-trang
//   call.addEventListener("room", ({ detail }) => …);        // { room } a new Room was made
//   call.addEventListener("unreachable", ({ detail }) => …); // { seconds } since the last answer
//   call.start();
import { token as csrfToken } from "../lib/words.js";
import { Room } from "./media-client.js";

const EVERY_MS = 1000;
const TIMEOUT_MS = 5000;
const LIVE = ["OPEN", "PAUSED", "CLOSED_ROOM"];
const INSIDE = ["admitted", "in_room", "dropped"];
export const DEVICES = "room.devices";

export class Call extends EventTarget {
  #root;
  #joinToken;
  #publishes;
  #room = null;
  #connecting = false;
  #shut = false; // removed: do not knock again before the server has shown us out
  #stats = {};
  #answeredAt = performance.now();
  #timer = null;
  wantsMicrophone = true;
  wantsCamera = true;
  status = null;
  offsetMs = 0;

  constructor(root, { publishes }) {
    super();
    this.#root = root;
    this.#joinToken = root.dataset.token ?? "";
    this.#publishes = publishes;
  }

  get room() {
    return this.#room;
  }

  start(first) {
    this.#take(first);
    this.#timer = setTimeout(() => this.poll(), EVERY_MS);
    addEventListener("pagehide", () => clearTimeout(this.#timer));
  }

  headers(more = {}) {
    const own = this.#joinToken ? { "X-Join-Token": this.#joinToken } : {};
    return { Accept: "application/json", "X-CSRFToken": csrfToken(), ...own, ...more };
  }

  post(url, body = {}) {
    return fetch(url, { method: "POST", headers: this.headers({ "Content-Type": "application/json" }), body: JSON.stringify(body) });
  }

  async poll() {
    clearTimeout(this.#timer);
    try {
      const answer = await fetch(`${this.#root.dataset.stateUrl}?${this.#line()}`, { headers: this.headers(), signal: abortAfter(TIMEOUT_MS) });
      if (answer.status === 404 || answer.status === 403) return location.reload();
      if (!answer.ok) throw new Error(String(answer.status));
      this.#take(await answer.json());
      this.#answeredAt = performance.now();
    } catch {
      // The line of this page; media may well go on. It asks again.
    }
    this.#tell("unreachable", { seconds: (performance.now() - this.#answeredAt) / 1000 });
    this.#timer = setTimeout(() => this.poll(), EVERY_MS);
  }

  #line() {
    const line = new URLSearchParams();
    const state = this.#room?.state;
    if (state === "connected" || state === "reconnecting") line.set("media", state);
    const [sound] = this.#room?.localStream.getAudioTracks() ?? [];
    const [picture] = this.#room?.localStream.getVideoTracks() ?? [];
    if (this.#room) line.set("mic", sound ? (sound.enabled ? "on" : "off") : "none");
    if (this.#room) line.set("camera", picture ? (picture.enabled ? "on" : "off") : "none");
    const loss = Math.max(this.#stats.lossUp ?? 0, this.#stats.lossDown ?? 0);
    if (this.#stats.rttMs != null) {
      line.set("loss", loss.toFixed(1));
      line.set("rtt", this.#stats.rttMs.toFixed(0));
    }
    return line;
  }

  #take(status) {
    const before = this.status?.state;
    this.status = status;
    this.offsetMs = status.now_ms - Date.now();
    this.#tell("status", status);
    const inside = INSIDE.includes(status.me.state);
    if (!inside) this.#shut = false;
    if (!inside || !LIVE.includes(status.state)) this.#leave();
    else if (status.state === "PAUSED") this.applyMicrophone();
    else {
      if (before === "PAUSED") this.#room?.onOnline(); // do not wait out the pause between attempts
      this.#join();
      this.applyMicrophone();
    }
  }

  #leave() {
    if (!this.#room) return;
    this.#room.leave();
    this.#room = null;
    this.#tell("room", { room: null });
  }

  async #join() {
    if (this.#room || this.#connecting || this.#shut) return;
    this.#connecting = true;
    const room = new Room({ freshTicket: () => this.#ticket() });
    try {
      const ticket = await this.#ticket();
      if (!ticket) return;
      this.#follow(room);
      await room.connect(ticket);
      if (this.#publishes) await room.publishDevices(chosenDevices());
      room.setCamera(this.wantsCamera);
      this.applyMicrophone();
    } catch {
      room.leave();
      if (this.#room === room) this.#drop();
    } finally {
      this.#connecting = false;
    }
  }

  #drop() {
    this.#room = null;
    this.#tell("room", { room: null });
  }

  #follow(room) {
    this.#room = room;
    this.#tell("room", { room });
    room.addEventListener("stats", ({ detail }) => (this.#stats = detail));
    // Before the first packet: nobody uninvited is heard even for a moment.
    room.addEventListener("local", ({ detail }) => {
      for (const track of detail.stream.getAudioTracks()) track.enabled = this.#mayOpen();
    });
    room.addEventListener("state", ({ detail }) => {
      if (this.#room !== room) return;
      if (detail.state === "removed") this.#shut = true;
      if (["removed", "over"].includes(detail.state)) this.#drop();
      this.#tell("line", detail);
    });
  }

  async #ticket() {
    const answer = await this.post(this.#root.dataset.ticketUrl);
    if (answer.status === 410) return null;
    if (!answer.ok) throw new Error(`ticket ${answer.status}`);
    return answer.json();
  }

  /** The microphone is open only for those invited, and while the lamp is lit or about to be. */
  applyMicrophone() {
    this.#room?.setMicrophone(this.#mayOpen());
  }

  #mayOpen() {
    const { me, lamp } = this.status;
    const held = lamp.state === "silent" && me.part !== "chair";
    return me.may_speak && this.wantsMicrophone && !held;
  }

  get microphoneOpen() {
    return Boolean(this.#room?.localStream.getAudioTracks()[0]?.enabled);
  }

  setCamera(on) {
    this.wantsCamera = on;
    this.#room?.setCamera(on);
  }

  #tell(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }
}

function chosenDevices() {
  try {
    const { camera, microphone } = JSON.parse(localStorage.getItem(DEVICES) ?? "{}");
    return { videoDeviceId: camera || undefined, audioDeviceId: microphone || undefined };
  } catch {
    return {};
  }
}

// AbortSignal.timeout is younger than the browsers we serve.
function abortAfter(milliseconds) {
  const controller = new AbortController();
  setTimeout(() => controller.abort(), milliseconds);
  return controller.signal;
}
