// One person's place in a recorded reception room: sends the own sound and picture, receives everybody
// else's, finds its way back after a broken line. Shows nothing: pages listen to its events.
//
//   import { Room } from "./room/media-client.js";
//   const room = new Room({ freshTicket });        // async () => ticket, null when the session is over; when it
//                                                   // throws, it is asked again later
//   room.addEventListener("track", ({ detail }) => { video.srcObject = detail.stream; });
//   await room.connect(ticket);                     // the JSON that the join route answered
//   await room.publish(stream);                     // or: await room.publishDevices({ audio, video })
//   room.setMicrophone(false);                      // silence, without a gap in the recording
//   room.setCamera(false);                          // black picture, likewise
//   await room.useTrack(track);                     // another microphone or camera
//   room.leave();
//
// `connect` rejects with a MediaRefusal (`code` of the media server, 0 when it did not answer) when the first
// attempt fails. After that the room reconnects by itself: it first takes its session up again (nothing is lost),
// then joins anew with fresh tickets, waiting 0.5 s, 1 s, 2 s … at most 15 s between attempts.
//
// Events (`event.detail`):
//   state               { state, reason }  state: "connecting" | "connected" | "reconnecting" | "failed" (the first
//                       attempt; connect may be called again) | "left" | "removed" (by the chair) | "over"; the last
//                       three are final, and devices are closed
//   participantjoined   { id }             ids come from the server; look the person up there, never in the browser
//   participantleft     { id }
//   track               { id, kind, track, stream }   `stream` stays the same object for one participant
//   trackgone           { id, kind }
//   talking             { id, talking }
//   levels              { levels }         Map of participant id → 0..1, four times a second; own id included
//   stats               { lossUp, lossDown, rttMs, kbpsUp, kbpsDown }   loss in percent; null when not known yet
//   local               { stream, audioTrouble, videoTrouble }   after publishDevices; words of local-media.js
//   localended          { kind }           a device of one's own was unplugged
//   moderated           { kind, muted }    the chair stopped or restarted one's own track
//   problem             { message }        for the log; the room deals with it itself

import { JanusLink, MediaRefusal, PluginHandle } from "./janus-link.js";
import { Subscription } from "./subscription.js";
import { openLocalMedia, stopStream } from "./local-media.js";
import { LevelMeter, fromAmplitude } from "./level-meter.js";
import { StatsReader } from "./connection-stats.js";

export { MediaRefusal, openLocalMedia };

const LEVELS_EVERY_MS = 250;
const STATS_EVERY_MS = 2000;
const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 15_000;
const BROKEN_MEDIA_AFTER_MS = 6000;
const RECLAIM_ATTEMPTS = 2;

export class Room extends EventTarget {
  #freshTicket;
  #state = "idle";
  #place = null; // the Place in use
  #participants = new Map(); // id → MediaStream
  #local = new MediaStream();
  #meter = null;
  #timers = [];
  #rejoining = null;
  #wakeUp = () => {};

  constructor({ freshTicket }) {
    super();
    this.#freshTicket = freshTicket;
    this.onOnline = () => this.#wakeUp();
    this.onPageHide = () => this.leave();
  }

  get state() {
    return this.#state;
  }

  get #ended() {
    return ["left", "removed", "over"].includes(this.#state);
  }

  get participantId() {
    return this.#place?.id ?? null;
  }

  get participants() {
    return new Map(this.#participants);
  }

  get localStream() {
    return this.#local;
  }

  async connect(ticket) {
    if (this.#ended) return;
    this.#become("connecting");
    try {
      await this.#enter(ticket);
    } catch (refusal) {
      if (this.#ended) return;
      this.#become("failed", refusal.message);
      throw refusal;
    }
    if (this.#state !== "connected") return; // left meanwhile
    window.addEventListener("online", this.onOnline);
    window.addEventListener("pagehide", this.onPageHide);
    this.#timers = [
      setInterval(() => this.#tellLevels(), LEVELS_EVERY_MS),
      setInterval(() => this.#tellStats(), STATS_EVERY_MS),
    ];
  }

  async publish(stream) {
    if (this.#ended) return stopStream(stream); // the devices opened after the person had left
    for (const track of stream.getTracks()) this.#adopt(track);
    await this.#place?.publish(this.#local);
  }

  async publishDevices(wanted = {}) {
    const opened = await openLocalMedia(wanted);
    this.#tell("local", opened);
    await this.publish(opened.stream);
    return opened;
  }

  setMicrophone(on) {
    for (const track of this.#local.getAudioTracks()) track.enabled = on;
  }

  setCamera(on) {
    for (const track of this.#local.getVideoTracks()) track.enabled = on;
  }

  async useTrack(track) {
    const old = this.#local.getTracks().find(({ kind }) => kind === track.kind);
    track.enabled = old?.enabled ?? true;
    if (old) this.#discard(old);
    this.#adopt(track);
    await this.#place?.publish(this.#local);
  }

  leave() {
    this.#end("left");
  }

  #adopt(track) {
    track.dontStop = true; // ours to stop: the library would stop it with every connection
    track.addEventListener("ended", () => this.#tell("localended", { kind: track.kind }));
    this.#local.addTrack(track);
    if (track.kind === "audio") this.#listenTo(track);
  }

  #discard(track) {
    this.#local.removeTrack(track);
    track.stop();
  }

  #listenTo(track) {
    this.#meter?.close();
    this.#meter = new LevelMeter(track);
  }

  async #enter(ticket) {
    const place = new Place(ticket, this.#hooksOf(() => place));
    this.#place = place;
    try {
      await place.join();
      if (this.#local.getTracks().length) await place.publish(this.#local);
    } catch (refusal) {
      place.close();
      throw refusal;
    }
    if (this.#place !== place) return place.close(); // left meanwhile
    this.#become("connected");
  }

  // What an abandoned place still says is not heard.
  #hooksOf(placeOf) {
    const fromHere = (action) => (...said) => {
      if (this.#place && this.#place === placeOf()) action(...said);
    };
    return {
      joined: fromHere((id) => this.#welcome(id)),
      left: fromHere((id) => this.#farewell(id)),
      track: fromHere(({ feed, kind, track }) => this.#show(feed, kind, track)),
      trackGone: fromHere(({ feed, kind, track }) => this.#hide(feed, kind, track)),
      talking: fromHere((id, talking) => this.#tell("talking", { id, talking })),
      moderated: fromHere((kind, muted) => this.#tell("moderated", { kind, muted })),
      problem: fromHere((problem) => this.#tell("problem", { message: String(problem?.message ?? problem) })),
      removed: fromHere(() => this.#end("removed")),
      lost: fromHere((what) => this.#recover(what)),
    };
  }

  #welcome(id) {
    if (this.#participants.has(id)) return;
    this.#participants.set(id, new MediaStream());
    this.#tell("participantjoined", { id });
  }

  #farewell(id) {
    if (this.#participants.delete(id)) this.#tell("participantleft", { id });
  }

  #show(id, kind, track) {
    this.#welcome(id);
    const stream = this.#participants.get(id);
    stream.addTrack(track);
    this.#tell("track", { id, kind, track, stream });
  }

  #hide(id, kind, track) {
    this.#participants.get(id)?.removeTrack(track);
    this.#tell("trackgone", { id, kind });
  }

  #recover(what) {
    if (this.#rejoining) return;
    this.#become("reconnecting", what);
    this.#rejoining = this.#comeBack(what).finally(() => {
      this.#rejoining = null;
    });
  }

  async #comeBack(what) {
    if (what === "signalling" && (await this.#reclaim())) return this.#become("connected");
    this.#abandon();
    for (let wait = FIRST_WAIT_MS; this.#state === "reconnecting"; wait = Math.min(2 * wait, LONGEST_WAIT_MS)) {
      if (await this.#tryOnce()) return;
      await this.#pause(wait * (0.75 + Math.random() / 2)); // spread, or a whole room would knock at once
    }
  }

  async #reclaim() {
    for (let attempt = 0; attempt < RECLAIM_ATTEMPTS; attempt += 1) {
      try {
        await this.#place.reclaim();
        return true;
      } catch {
        await this.#pause(FIRST_WAIT_MS);
      }
    }
    return false;
  }

  async #tryOnce() {
    try {
      const ticket = await this.#freshTicket();
      if (this.#state !== "reconnecting") return true;
      if (ticket) await this.#enter(ticket);
      else this.#end("over");
      return true;
    } catch (problem) {
      this.#abandon();
      this.#tell("problem", { message: String(problem?.message ?? problem) });
      return false;
    }
  }

  #pause(milliseconds) {
    return new Promise((resolve) => {
      this.#wakeUp = resolve;
      setTimeout(resolve, milliseconds);
    });
  }

  #abandon() {
    this.#place?.close();
    this.#place = null;
    for (const id of [...this.#participants.keys()]) this.#farewell(id);
  }

  #end(state) {
    if (this.#ended) return;
    this.#become(state);
    this.#abandon();
    window.removeEventListener("online", this.onOnline);
    window.removeEventListener("pagehide", this.onPageHide);
    for (const timer of this.#timers) clearInterval(timer);
    for (const track of this.#local.getTracks()) this.#discard(track);
    this.#meter?.close();
    this.#wakeUp();
  }

  #become(state, reason = "") {
    this.#state = state;
    this.#tell("state", { state, reason });
  }

  #tell(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }

  #tellLevels() {
    if (!this.#place) return;
    const levels = new Map();
    for (const [id, amplitude] of this.#place.amplitudes()) levels.set(id, fromAmplitude(amplitude));
    if (this.#meter) levels.set(this.#place.id, this.#meter.level());
    this.#tell("levels", { levels });
  }

  async #tellStats() {
    const stats = await this.#place?.stats();
    if (stats) this.#tell("stats", stats);
  }
}

// One stay in one room under one ticket: gone for good once it is lost.
class Place {
  #ticket;
  #hooks;
  #link;
  #publisher;
  #subscription;
  #stats = new StatsReader();
  #publishing = Promise.resolve();
  #present = new Set();
  #watch = null;

  constructor(ticket, hooks) {
    this.#ticket = ticket;
    this.#hooks = hooks;
  }

  get id() {
    return this.#ticket.participant_id;
  }

  get #door() {
    const { room, pin, room_token: token } = this.#ticket;
    return { room, pin, token };
  }

  async join() {
    this.#link = new JanusLink(() => this.#hooks.lost("signalling"));
    await this.#link.open(this.#ticket);
    this.#publisher = await PluginHandle.attach(this.#link, {
      onEvent: (data, jsep) => this.#hear(data, jsep),
      iceState: (state) => this.#watchMedia(state),
      webrtcState: (up) => up || this.#hooks.lost("media"),
    });
    const { participant_id: id, display_id: display } = this.#ticket;
    const joined = await this.#publisher.ask(
      { request: "join", ptype: "publisher", ...this.#door, id, display },
      { until: (data) => data.videoroom === "joined" },
    );
    this.#receive(joined);
  }

  #receive(joined) {
    this.#subscription = new Subscription(
      this.#link,
      { ...this.#door, private_id: joined.private_id },
      {
        onTrack: this.#hooks.track,
        onTrackGone: this.#hooks.trackGone,
        onMediaState: (state) => this.#watchMedia(state),
        onProblem: this.#hooks.problem,
      },
    );
    for (const { id } of joined.attendees ?? []) this.#enterParticipant(id);
    this.#announce(joined.publishers ?? []);
  }

  // One after another: a second offer before the first is answered would be thrown away.
  publish(stream) {
    const published = this.#publishing.then(() => this.#publishNow(stream));
    this.#publishing = published.catch(() => {});
    return published;
  }

  async #publishNow(stream) {
    const added = [];
    for (const track of stream.getTracks()) {
      const sender = this.#senderOf(track.kind);
      if (sender) await sender.replaceTrack(track);
      else added.push({ type: track.kind, capture: track, recv: false });
    }
    if (!added.length) return;
    const first = !this.#publisher.connection;
    const offer = await this.#publisher.offer(added);
    const message = { request: first ? "publish" : "configure" };
    const heard = { jsep: offer, until: (data) => data.configured === "ok" };
    await this.#publisher.ask(message, heard);
  }

  #senderOf(kind) {
    const transceivers = this.#publisher.connection?.getTransceivers() ?? [];
    return transceivers.find((transceiver) => transceiver.receiver.track.kind === kind)?.sender;
  }

  #hear(data, jsep) {
    if (jsep) this.#publisher.accept(jsep).catch(this.#hooks.problem);
    if (data.error_code || data.videoroom === "joined") return;
    const heard = {
      destroyed: () => this.#hooks.lost("closed"),
      talking: () => this.#hooks.talking(data.id, true),
      "stopped-talking": () => this.#hooks.talking(data.id, false),
    };
    heard[data.videoroom]?.();
    if (data.joining) this.#enterParticipant(data.joining.id);
    if (data.publishers) this.#announce(data.publishers);
    if (data.moderation) this.#moderate(data);
    if (data.unpublished && data.unpublished !== "ok") this.#subscription?.forget(data.unpublished);
    this.#hearLeaving(data);
  }

  #hearLeaving({ leaving, kicked, reason }) {
    if (leaving === "ok") return reason === "kicked" && this.#hooks.removed();
    const gone = leaving ?? kicked;
    if (gone) this.#exitParticipant(gone);
  }

  #moderate({ id, mid, moderation }) {
    if (id && id !== this.id) return;
    const transceiver = this.#publisher.connection?.getTransceivers().find((candidate) => candidate.mid === mid);
    if (transceiver) this.#hooks.moderated(transceiver.receiver.track.kind, moderation === "muted");
  }

  #announce(publishers) {
    for (const { id, dummy, streams } of publishers) {
      const mids = streams.filter((stream) => !stream.disabled && stream.type !== "data").map(({ mid }) => mid);
      if (dummy) {
        this.#subscription.hold(id, mids);
      } else {
        this.#enterParticipant(id);
        this.#subscription.want(id, mids);
      }
    }
  }

  #enterParticipant(id) {
    this.#present.add(id);
    this.#hooks.joined(id);
  }

  #exitParticipant(id) {
    this.#present.delete(id);
    this.#subscription?.forget(id);
    this.#hooks.left(id);
  }

  // A short gap heals by itself; a long one or a failure does not.
  #watchMedia(state) {
    clearTimeout(this.#watch);
    if (state === "failed") this.#hooks.lost("media");
    if (state === "disconnected") this.#watch = setTimeout(() => this.#hooks.lost("media"), BROKEN_MEDIA_AFTER_MS);
  }

  // Events sent while the socket was broken are gone: ask who is here now.
  async reclaim() {
    await this.#link.reclaim();
    const listed = await this.#publisher.ask(
      { request: "listparticipants", room: this.#ticket.room },
      { until: (data) => data.videoroom === "participants" },
    );
    const participants = listed.participants.filter(({ id, dummy }) => !dummy && id !== this.id);
    const here = new Set(participants.map(({ id }) => id));
    for (const id of [...this.#present]) if (!here.has(id)) this.#exitParticipant(id);
    for (const { id, publisher } of participants) {
      this.#enterParticipant(id);
      // Without mids: all that a publisher sends whose announcement was missed.
      if (publisher && !this.#subscription.has(id)) this.#subscription.want(id, [undefined]);
    }
  }

  amplitudes() {
    return this.#subscription?.amplitudes() ?? new Map();
  }

  stats() {
    return this.#stats.read(this.#publisher?.connection, this.#subscription?.connection);
  }

  close() {
    clearTimeout(this.#watch);
    this.#link?.close();
  }
}
