// The page of a reception session: chair and clerk get the desk, everybody else a seat.
import { Alarms } from "../room/ui-alarms.js";
import { Call } from "../room/ui-call.js";
import { startDesk } from "../room/ui-desk.js";
import { Lamp } from "../room/ui-lamp.js";
import { startSeat } from "../room/ui-seat.js";
import { Tiles } from "../room/ui-tiles.js";

const root = document.getElementById("room");
const words = JSON.parse(root.dataset.words);
const desk = root.dataset.view === "desk";
const call = new Call(root, { publishes: !desk || root.dataset.publishes === "yes" });
const tiles = new Tiles(document.querySelector("[data-tiles]"), words);
const lamp = new Lamp(document.querySelector("[data-lamp]"), words);
const alarms = new Alarms(document.querySelector("[data-alarms]"), words);

call.addEventListener("room", ({ detail: { room } }) => {
  tiles.clear();
  tiles.showOwn(call.status.me.id, room?.localStream ?? null);
  if (!room) return;
  room.addEventListener("track", ({ detail: { id, stream } }) => tiles.addStream(id, stream));
  room.addEventListener("participantleft", ({ detail: { id } }) => tiles.removeStream(id));
  room.addEventListener("talking", ({ detail: { id, talking } }) => tiles.talk(id, talking));
  room.addEventListener("local", () => tiles.showOwn(call.status.me.id, room.localStream));
});

(desk ? startDesk : startSeat)(root, { call, tiles, lamp, alarms, words });
