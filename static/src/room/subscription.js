// Receives the tracks of everybody in a room over one connection, however often people come and go.
//
//   const subscription = new Subscription(link, { room, pin, token, private_id }, { onTrack, onTrackGone, onMediaState, onProblem });
//   subscription.want(participantId, ["0", "1"]);   // the mids that the publisher announced
//   subscription.forget(participantId);
//
// The media server checks the room token when this connection is made, and the token lives for a minute or two. So it
// is made at once, on the tracks of the room's own empty publisher (`hold`), and those who come later are added to it.

import { PluginHandle } from "./janus-link.js";

const keyOf = (feed, mid) => `${feed}\n${mid}`;
const SETTLED = (data) => ["attached", "updated", "updating"].includes(data.videoroom);

export class Subscription {
  #link;
  #where;
  #hooks;
  #handle;
  #holders = new Set(); // feeds that are nobody
  #wanted = new Map(); // key → {feed, mid}
  #taken = new Map(); // key → {feed, mid}, as the media server last said
  #shown = new Map(); // key → {feed, mid, kind, track}
  #running = null;
  #answering = Promise.resolve();

  constructor(link, where, hooks) {
    this.#link = link;
    this.#where = where;
    this.#hooks = hooks;
  }

  get connection() {
    return this.#handle?.connection ?? null;
  }

  has(feed) {
    return [...this.#wanted.values()].some((entry) => entry.feed === feed);
  }

  want(feed, mids) {
    const unseen = mids.filter((mid) => !this.#shown.has(keyOf(feed, mid)));
    for (const mid of unseen) this.#wanted.set(keyOf(feed, mid), { feed, mid });
    return this.#catchUp();
  }

  hold(feed, mids) {
    this.#holders.add(feed);
    return this.want(feed, mids);
  }

  // The media server takes a leaver's tracks out by itself; asking for it again would be refused.
  forget(feed) {
    for (const list of [this.#wanted, this.#taken]) {
      for (const [key, entry] of list) if (entry.feed === feed) list.delete(key);
    }
    this.#show([...this.#shown.values()].filter((shown) => shown.feed !== feed));
  }

  // Audio levels that the senders wrote into their packets: participant → 0..1 amplitude.
  amplitudes() {
    const found = new Map();
    for (const transceiver of this.connection?.getTransceivers() ?? []) {
      const shown = [...this.#shown.values()].find(({ track }) => track === transceiver.receiver.track);
      const [source] = shown?.kind === "audio" ? transceiver.receiver.getSynchronizationSources() : [];
      if (source) found.set(shown.feed, source.audioLevel ?? 0);
    }
    return found;
  }

  #catchUp() {
    // A turn later: whoever is announced together is asked for together.
    this.#running ??= Promise.resolve().then(() => this.#run()).finally(() => {
      this.#running = null;
    });
    return this.#running;
  }

  async #run() {
    for (let missing = this.#missing(); missing.length; missing = this.#missing()) {
      // Noted before asking: whoever leaves meanwhile is taken off both lists.
      for (const entry of missing) this.#taken.set(keyOf(entry.feed, entry.mid), entry);
      try {
        await this.#subscribe(missing);
      } catch (refusal) {
        // The publisher left between its announcement and our request: it will be announced again.
        for (const { feed, mid } of missing) this.#wanted.delete(keyOf(feed, mid));
        for (const { feed, mid } of missing) this.#taken.delete(keyOf(feed, mid));
        this.#hooks.onProblem(refusal);
      }
    }
  }

  #missing() {
    return [...this.#wanted].filter(([key]) => !this.#taken.has(key)).map(([, entry]) => entry);
  }

  async #subscribe(streams) {
    if (this.#handle) {
      await this.#handle.ask({ request: "subscribe", streams }, { until: SETTLED });
    } else {
      await this.#attach();
      await this.#handle.ask({ request: "join", ptype: "subscriber", ...this.#where, streams }, { until: SETTLED });
    }
    await this.#answering;
  }

  async #attach() {
    this.#handle = await PluginHandle.attach(this.#link, {
      onEvent: (data, jsep) => this.#hear(data, jsep),
      iceState: (state) => this.#hooks.onMediaState(state),
    });
  }

  #hear(data, jsep) {
    if (!jsep && !data.streams) return;
    this.#answering = this.#answering
      .then(() => this.#negotiate(data, jsep))
      .catch((problem) => this.#hooks.onProblem(problem));
  }

  async #negotiate(data, jsep) {
    if (jsep) {
      const answer = await this.#handle.answer(jsep);
      // Not awaited through the line: the request that caused this offer may still hold it.
      this.#handle.ask({ request: "start" }, { jsep: answer, until: (said) => said.started === "ok" }).catch(() => {});
    }
    if (data.streams) this.#show(this.#tracksOf(data.streams));
  }

  #tracksOf(streams) {
    const transceivers = this.connection?.getTransceivers() ?? [];
    return streams
      .filter(({ feed_id: feed, active }) => feed && active !== false && !this.#holders.has(feed))
      .map(({ mid, type, feed_id: feed, feed_mid: feedMid }) => {
        const transceiver = transceivers.find((candidate) => candidate.mid === mid);
        return { feed, mid: feedMid, kind: type, track: transceiver?.receiver.track };
      })
      .filter(({ track }) => track);
  }

  #show(tracks) {
    const now = new Map(tracks.map((shown) => [keyOf(shown.feed, shown.mid), shown]));
    for (const [key, shown] of this.#shown) if (now.get(key)?.track !== shown.track) this.#hooks.onTrackGone(shown);
    for (const [key, shown] of now) if (this.#shown.get(key)?.track !== shown.track) this.#hooks.onTrack(shown);
    this.#shown = now;
  }
}
