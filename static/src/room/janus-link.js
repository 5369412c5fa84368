// Promises around the media server's own browser library: a session and its plug-in handles.
// Only this file knows that library; nothing here knows rooms or people.

import Janus from "janus-gateway";
import adapter from "webrtc-adapter";

export const PLUGIN = "janus.plugin.videoroom";
const KEEPALIVE_MS = 10_000;
const ANSWER_WITHIN_MS = 10_000;

// The library reads a global of this name, which no bundler makes.
window.adapter = adapter;

let prepared;

function prepare() {
  prepared ??= new Promise((resolve) => {
    const dependencies = Janus.useDefaultDependencies({ adapter });
    Janus.init({ debug: false, dependencies, callback: resolve });
  });
  return prepared;
}

// A refusal by the media server: `code` is its number, 0 when it gave none.
export class MediaRefusal extends Error {
  constructor(message, code = 0) {
    super(message);
    this.name = "MediaRefusal";
    this.code = code;
  }
}

function within(milliseconds, promise, what) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new MediaRefusal(`no answer: ${what}`)), milliseconds);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

// One conversation with the media server. `onLost` is called at most once after it was open.
export class JanusLink {
  #janus;
  #onLost;
  #closed = false;

  constructor(onLost) {
    this.#onLost = onLost;
  }

  async open(ticket) {
    await prepare();
    const opened = new Promise((resolve, reject) => {
      let open = false;
      this.#janus = new Janus({
        server: ticket.ws_url,
        token: ticket.core_token,
        iceServers: ticket.ice_servers ?? [],
        keepAlivePeriod: KEEPALIVE_MS,
        destroyOnUnload: false,
        success: () => {
          open = true;
          if (!this.#closed) return resolve();
          this.#destroy(); // closed before there was anything to close
          reject(new MediaRefusal("closed"));
        },
        error: (problem) => (open ? this.#lost(problem) : reject(new MediaRefusal(String(problem)))),
        destroyed: () => this.#lost("destroyed"),
      });
    });
    await within(ANSWER_WITHIN_MS, opened, "session");
  }

  #lost(problem) {
    if (!this.#closed) this.#onLost(String(problem));
  }

  // After the socket broke: take the same session up again, media having gone on meanwhile.
  reclaim() {
    const claimed = new Promise((resolve, reject) => {
      this.#janus.reconnect({ success: resolve, error: (problem) => reject(new MediaRefusal(String(problem))) });
    });
    return within(3000, claimed, "claim");
  }

  async attach(callbacks) {
    const attached = new Promise((resolve, reject) => {
      this.#janus.attach({
        plugin: PLUGIN,
        ...callbacks,
        success: resolve,
        error: (problem) => reject(new MediaRefusal(String(problem))),
      });
    });
    return within(ANSWER_WITHIN_MS, attached, "attach");
  }

  close() {
    if (this.#closed) return;
    this.#closed = true;
    this.#destroy();
  }

  #destroy() {
    this.#janus?.destroy({ cleanupHandles: true, notifyDestroyed: false });
  }
}

// A plug-in handle on which requests are made one after another. Events that answer no request, and
// those that do, all reach `onEvent(data, jsep)`.
export class PluginHandle {
  #handle;
  #waiting;
  #line = Promise.resolve();

  static async attach(link, { onEvent, ...callbacks }) {
    const made = new PluginHandle();
    made.#handle = await link.attach({
      ...callbacks,
      onmessage: (data, jsep) => {
        made.#settle(data);
        onEvent(data, jsep);
      },
    });
    return made;
  }

  get connection() {
    return this.#handle.webrtcStuff.pc ?? null;
  }

  #settle(data) {
    const waiting = this.#waiting;
    if (!waiting) return;
    if (data.error_code) waiting.reject(new MediaRefusal(data.error, data.error_code));
    else if (waiting.until(data)) waiting.resolve(data);
  }

  // Resolves with the first event that `until` accepts; rejects with a MediaRefusal.
  ask(message, { jsep, until }) {
    const asked = this.#line.then(() => this.#askNow(message, jsep, until));
    this.#line = asked.catch(() => {});
    return asked;
  }

  #askNow(message, jsep, until) {
    const answered = new Promise((resolve, reject) => {
      this.#waiting = { until, resolve, reject };
      // A synchronous answer comes here with its data; an asynchronous one as an event later.
      const success = (data) => data && this.#settle(data);
      this.#handle.send({ message, jsep, success, error: (problem) => reject(new MediaRefusal(String(problem))) });
    });
    return within(ANSWER_WITHIN_MS, answered, message.request).finally(() => {
      this.#waiting = undefined;
    });
  }

  offer(tracks) {
    return new Promise((success, error) => this.#handle.createOffer({ tracks, success, error }));
  }

  answer(jsep) {
    return new Promise((success, error) => this.#handle.createAnswer({ jsep, success, error }));
  }

  accept(jsep) {
    return new Promise((success, error) => this.#handle.handleRemoteJsep({ jsep, success, error }));
  }
}
