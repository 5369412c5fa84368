// The page of a citizen or a point: one sentence, one large button.
import { icon } from "../lib/words.js";
import { raiseCommon } from "./ui-alarms.js";
import { Papers } from "./ui-papers.js";

const OVER = ["ENDED", "MINUTED", "SEALED", "RECORDED", "CONCLUDED", "CANCELLED", "IN_PERSON"];
const LIVE = ["OPEN", "CLOSED_ROOM"];
const INSIDE = ["admitted", "in_room", "dropped"];

export function startSeat(root, { call, tiles, lamp, alarms, words }) {
  const first = JSON.parse(root.dataset.first);
  const papers = new Papers(document.querySelector("[data-papers]"), { call, words, url: root.dataset.papersUrl, desk: false });
  call.addEventListener("status", ({ detail: status }) => {
    if (OVER.includes(status.state)) return location.reload();
    lamp.update(status.lamp, status.state);
    tiles.paused = status.state === "PAUSED";
    tiles.update(status.participants);
    say(status);
    papers.follow(status.shown);
    hand(status, words);
    microphone(call, status, words);
    raiseCommon(alarms, words, { status, room: call.room, pageLostS: 0 });
  });
  call.addEventListener("unreachable", ({ detail }) => raiseCommon(alarms, words, { status: call.status, room: call.room, pageLostS: detail.seconds }));
  call.addEventListener("line", ({ detail }) => {
    if (detail.state === "removed") tell(words.removed);
  });
  call.addEventListener("room", ({ detail: { room } }) => {
    room?.addEventListener("local", ({ detail }) => tell(trouble(detail, words)));
  });
  startButtons(root, call, tiles, words);
  call.start(first);
}

const put = (selector, text) => {
  const spot = document.querySelector(selector);
  if (spot && spot.textContent !== text) spot.textContent = text;
};

const tell = (text) => put("[data-said]", text);

function trouble({ audioTrouble, videoTrouble }, words) {
  if (audioTrouble && videoTrouble) return words.bothRefused;
  if (videoTrouble) return words.cameraRefused;
  return audioTrouble ? words.micRefused : "";
}

function say({ say: { head, text } }) {
  put("[data-say-head]", head);
  put("[data-say-text]", text);
  put("[data-tiles-empty] span", head);
}

function hand({ me, state }, words) {
  const button = document.querySelector("[data-hand]");
  button.disabled = !LIVE.includes(state) || !INSIDE.includes(me.state) || me.may_speak;
  button.setAttribute("aria-pressed", String(me.hand));
  button.querySelector("span").textContent = me.hand ? words.lower : words.raise;
}

function microphone(call, { me }, words) {
  const open = call.microphoneOpen;
  const spot = document.querySelector("[data-mic-icon]");
  if (spot.dataset.open !== String(open)) {
    spot.dataset.open = String(open);
    spot.replaceChildren(icon(open ? "mic" : "mic-off"));
    spot.classList.toggle("open", open);
  }
  put("[data-mic-text]", open ? words.openText : me.hand ? words.handUp : words.mutedText);
}

function startButtons(root, call, tiles, words) {
  document.querySelector("[data-hand]").addEventListener("click", async () => {
    await call.post(root.dataset.handUrl, { up: call.status.me.hand ? "0" : "1" });
    call.poll();
  });
  for (const button of document.querySelectorAll("[data-help]")) {
    button.addEventListener("click", async () => {
      const answer = await call.post(root.dataset.helpUrl, { what: button.dataset.help });
      tell(answer.ok ? words.asked : "");
    });
  }
  const sound = document.querySelector("[data-sound]");
  tiles.addEventListener("silenced", () => (sound.hidden = false));
  sound.addEventListener("click", () => {
    tiles.play();
    sound.hidden = true;
  });
}

