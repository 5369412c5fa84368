// A bare page for the tests: one room, its events noted, nothing drawn but the pictures.
import { Room } from "../../static/src/room/media-client.js";
import { DeviceCheck } from "../../static/src/room/device-check.js";
import { JanusLink, PluginHandle } from "../../static/src/room/janus-link.js";

const NOTED = ["state", "participantjoined", "participantleft", "talking", "localended", "moderated", "problem", "trackgone"];

const sockets = [];
const PlainSocket = window.WebSocket;
window.WebSocket = class extends PlainSocket {
  constructor(...where) {
    super(...where);
    sockets.push(this);
  }
};

// As a proxy that restarts would: the line is cut, both ends live on.
function brokenSockets() {
  for (const socket of sockets) socket.close();
}

const notes = [];
const latest = {};

async function freshTicket() {
  const answer = await fetch("/ticket", { method: "POST" });
  if (answer.status === 410) return null;
  if (!answer.ok) throw new Error(`ticket: ${answer.status}`);
  return answer.json();
}

function drawn(id, stream) {
  const video = document.createElement("video");
  Object.assign(video, { id: `video-${id}`, autoplay: true, muted: true, playsInline: true, srcObject: stream });
  document.body.append(video);
}

function follow(room) {
  for (const name of NOTED) {
    room.addEventListener(name, ({ detail }) => notes.push({ name, at: performance.now(), ...detail }));
  }
  room.addEventListener("track", ({ detail: { id, kind, stream } }) => {
    notes.push({ name: "track", at: performance.now(), id, kind });
    if (!document.getElementById(`video-${id}`)) drawn(id, stream);
  });
  room.addEventListener("participantleft", ({ detail: { id } }) => document.getElementById(`video-${id}`)?.remove());
  room.addEventListener("levels", ({ detail }) => (latest.levels = Object.fromEntries(detail.levels)));
  room.addEventListener("stats", ({ detail }) => (latest.stats = detail));
}

async function join(ticket, wanted) {
  const room = new Room({ freshTicket });
  follow(room);
  window.room = room;
  await room.connect(ticket ?? (await freshTicket()));
  const { audioTrouble, videoTrouble } = await room.publishDevices(wanted);
  return { id: room.participantId, audioTrouble, videoTrouble };
}

async function refusalOf(action) {
  try {
    await action();
    return null;
  } catch (refusal) {
    return { message: refusal.message, code: refusal.code };
  }
}

// The middle of a participant's picture, and whether it moves on.
async function looksLike(id) {
  const video = document.getElementById(`video-${id}`);
  if (!video?.videoWidth) return null;
  const canvas = Object.assign(document.createElement("canvas"), { width: 1, height: 1 });
  const pen = canvas.getContext("2d");
  pen.drawImage(video, video.videoWidth / 2, (video.videoHeight * 3) / 4, 1, 1, 0, 0, 1, 1);
  return { rgb: [...pen.getImageData(0, 0, 1, 1).data.slice(0, 3)], time: video.currentTime };
}

Object.assign(window, { brokenSockets, join, notes, latest, looksLike, refusalOf, Room, DeviceCheck, JanusLink, PluginHandle });
document.body.dataset.ready = "yes";
