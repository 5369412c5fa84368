// The faces: one tile for each connection, with the plates of everybody who sits before that camera.
// People come from the server's state; the browser only matches media ids to them.
import { element, icon } from "../lib/words.js";
import { fill, number } from "./ui-format.js";

const PRESENT = ["in_room", "dropped"];
const WITHOUT_TILE = ["clerk"];
const WEAK_LOSS = 3;
const WEAK_RTT_MS = 200;

export class Tiles extends EventTarget {
  #root;
  #words;
  #streams = new Map(); // media id → MediaStream
  #talking = new Set(); // media ids
  #tiles = new Map(); // participant id → { figure, video, ... }
  #people = [];
  #own = { id: null, stream: null };
  #big = null;
  paused = false; // on a break nobody has a picture, and nobody has lost the line

  constructor(root, words) {
    super();
    this.#root = root;
    this.#words = words;
  }

  showOwn(id, stream) {
    this.#own = { id, stream };
    this.#draw();
  }

  addStream(mediaId, stream) {
    this.#streams.set(mediaId, stream);
    this.#draw();
  }

  removeStream(mediaId) {
    this.#streams.delete(mediaId);
    this.#talking.delete(mediaId);
    this.#draw();
  }

  talk(mediaId, talking) {
    if (talking) this.#talking.add(mediaId);
    else this.#talking.delete(mediaId);
    this.#draw();
  }

  clear() {
    this.#streams.clear();
    this.#talking.clear();
    this.#draw();
  }

  update(participants) {
    this.#people = participants;
    this.#draw();
  }

  /** Start every picture and sound that the browser held back. */
  play() {
    for (const { video } of this.#tiles.values()) video.play().catch(() => {});
  }

  #hasTile(person) {
    return PRESENT.includes(person.state) && !WITHOUT_TILE.includes(person.part);
  }

  #draw() {
    const shown = this.#people.filter((person) => this.#hasTile(person) || (person.id === this.#own.id && this.#own.stream));
    const ids = new Set(shown.map(({ id }) => id));
    for (const [id, tile] of this.#tiles) {
      if (ids.has(id)) continue;
      tile.figure.remove();
      this.#tiles.delete(id);
    }
    for (const person of shown) this.#drawOne(person);
    this.#choose(shown);
    const empty = this.#root.querySelector("[data-tiles-empty]");
    if (empty) empty.hidden = shown.length > 0;
    this.#root.dataset.count = shown.length;
  }

  #streamOf(person) {
    if (person.id === this.#own.id) return this.#own.stream;
    const live = person.media_ids.filter((id) => this.#streams.has(id));
    return live.length ? this.#streams.get(live.at(-1)) : null;
  }

  #drawOne(person) {
    const tile = this.#tiles.get(person.id) ?? this.#make(person);
    const stream = this.#streamOf(person);
    this.#play(tile, stream);
    const lost = person.state === "dropped";
    const mine = person.id === this.#own.id;
    tile.video.muted = mine;
    if (tile.video.getAttribute("aria-label") !== person.name) tile.video.setAttribute("aria-label", person.name);
    const talking = person.media_ids.some((id) => this.#talking.has(id));
    tile.figure.classList.toggle("speaking", talking || person.speaking_since_ms !== null);
    tile.figure.classList.toggle("lost", lost);
    tile.figure.classList.toggle("interpreter", person.part === "interpreter");
    const picture = Boolean(stream?.getVideoTracks().length) && person.camera !== "off" && !this.paused;
    tile.figure.classList.toggle("no-picture", !picture && !lost);
    tile.over.hidden = !lost && picture;
    tile.say.textContent = lost ? fill(this.#words.lostLong, { name: person.name }) : this.paused ? this.#words.paused : this.#words.noPicture;
    tile.more.textContent = lost ? this.#words.reconnecting : "";
    this.#health(tile, person, lost);
    const open = mine ? person.mic === "on" : person.may_speak && person.mic !== "off";
    this.#plates(tile, person, open);
  }

  #make(person) {
    const video = element("video", { autoplay: "", playsinline: "" });
    const health = element("span", { class: "health" });
    const say = element("b");
    const more = element("p");
    const over = element("div", { class: "over" }, element("div", {}, icon("camera-off", "l"), say, more));
    const plates = element("figcaption", { class: "plates" });
    const raised = element("span", { class: "raised" }, icon("hand", "xs"));
    const figure = element(
      "figure",
      { class: "tile", "data-participant": person.id, "data-testid": "tile", "data-part": person.part },
      video, element("span", { class: "where" }), raised, health, over, plates,
    );
    const tile = { figure, video, raised, health, over, say, more, plates, drawn: "" };
    this.#tiles.set(person.id, tile);
    this.#root.append(figure);
    return tile;
  }

  #play(tile, stream) {
    if (tile.video.srcObject === stream) return;
    tile.video.srcObject = stream;
    if (stream) tile.video.play().catch(() => this.dispatchEvent(new Event("silenced")));
  }

  #health(tile, person, lost) {
    const measured = person.loss !== null && person.loss !== undefined;
    const weak = measured && (person.loss > WEAK_LOSS || (person.rtt ?? 0) > WEAK_RTT_MS);
    const text = lost ? this.#words.lost : measured ? `${number(person.loss)} % · ${Math.round(person.rtt ?? 0)} ms` : "";
    const wanted = `${text}|${weak}`;
    if (tile.health.dataset.drawn === wanted) return;
    tile.health.dataset.drawn = wanted;
    tile.health.className = `health${weak ? " weak" : ""}${lost ? " off" : ""}`;
    tile.health.hidden = !text;
    tile.health.replaceChildren(icon(lost ? "offline" : "signal", "xs"), text);
  }

  #plates(tile, person, open) {
    const holdsCamera = ["officer", "technician", "chair"].includes(person.part);
    const others = this.#people.filter((other) => other.seated && other.point_id === person.point_id && !this.#tiles.has(other.id));
    const row = [person, ...(holdsCamera ? others : [])];
    const wanted = JSON.stringify([row.map((one) => [one.id, one.name, one.label, one.hand_since_ms]), open]);
    if (tile.drawn === wanted) return;
    tile.drawn = wanted;
    tile.figure.querySelector(".where").textContent = person.point;
    tile.raised.hidden = !row.some((one) => one.hand_since_ms);
    tile.plates.replaceChildren(
      ...row.map((one) =>
        element(
          "span",
          { class: `plate${one.id === person.id && open ? " open" : ""}` },
          one.id === person.id ? icon(open ? "mic" : "mic-off", "xs") : null,
          element("b", {}, one.name), element("small", {}, one.label),
        ),
      ),
    );
  }

  // Who is seen large: the one invited to speak, else the one who talks, else who was there.
  #choose(shown) {
    const speaker = shown.filter((person) => person.speaking_since_ms !== null).sort((a, b) => b.speaking_since_ms - a.speaking_since_ms)[0];
    const talker = shown.find((person) => person.id !== this.#own.id && person.media_ids.some((id) => this.#talking.has(id)));
    const others = shown.filter((person) => person.id !== this.#own.id);
    const kept = others.find((person) => person.id === this.#big);
    const chosen = speaker ?? talker ?? kept ?? others[0] ?? shown[0];
    this.#big = chosen?.id ?? null;
    for (const [id, { figure }] of this.#tiles) figure.classList.toggle("big", id === this.#big);
  }
}
