// The chair's and clerk's desk: parts that the server draws, forms without reloading, dialogs, clocks.
import { element, icon } from "../lib/words.js";
import { raiseCommon, raiseRecorder } from "./ui-alarms.js";
import { duration, fill } from "./ui-format.js";
import { Papers } from "./ui-papers.js";

export function startDesk(root, { call, tiles, lamp, alarms, words }) {
  const first = JSON.parse(root.dataset.first);
  const papers = new Papers(document.querySelector("[data-papers]"), { call, words, url: root.dataset.papersUrl, desk: true });
  const parts = new Map();
  const notePart = (name, html) => parts.set(name, withoutTokens(html));
  for (const [name, html] of Object.entries(first.parts)) notePart(name, html);

  call.addEventListener("status", ({ detail: status }) => {
    if (status.state !== first.state && !busyWriting()) return location.reload();
    lamp.update(status.lamp, status.state);
    tiles.paused = status.state === "PAUSED";
    tiles.update(status.participants);
    papers.follow(status.shown);
    showParts(status.parts, parts);
    say(root, status, words);
    raise(alarms, words, call, status);
    controls(root, call, words);
  });
  call.addEventListener("unreachable", ({ detail }) => raiseCommon(alarms, words, { status: call.status, room: call.room, pageLostS: detail.seconds }));
  document.querySelector("[data-part=feed]").scrollTop = 1e6;
  startForms(call);
  startDialogs();
  startControls(root, call, tiles, alarms, words);
  setInterval(() => tickClocks(call.offsetMs), 500);
  call.start(first);
}

const busyWriting = () => document.querySelector("dialog[open]") !== null || document.getElementById("note-text")?.value;

// --- what the server draws ----------------------------------------------------------------------

// Each answer carries fresh form tokens. A part that differs in nothing else stays as it is, or a
// button would be taken away between pressing and letting go.
const withoutTokens = (html) => html.replace(/name="csrf_token" value="[^"]*"/g, "");

function showParts(fresh, known) {
  for (const [name, html] of Object.entries(fresh ?? {})) {
    const said = withoutTokens(html);
    if (known.get(name) === said) continue;
    known.set(name, said);
    const box = document.querySelector(`[data-part="${name}"]`);
    if (box) replaceKeepingHands(box, html);
  }
  tickClocks(0);
}

// Whoever is typing, or stands on a button, stays there when the part around it changes.
function replaceKeepingHands(box, html) {
  const focused = box.contains(document.activeElement) ? document.activeElement.id : "";
  const typed = new Map([...box.querySelectorAll("input[id]:not([type=hidden]), select[id]")].map((field) => [field.id, field.value]));
  const open = [...box.querySelectorAll("details")].map((details) => details.open);
  const atEnd = box.scrollHeight - box.scrollTop - box.clientHeight < 40;
  box.innerHTML = html;
  for (const [id, value] of typed) {
    const field = document.getElementById(id);
    if (field && value) field.value = value;
  }
  [...box.querySelectorAll("details")].forEach((details, place) => {
    if (place in open) details.open = open[place];
  });
  if (focused) document.getElementById(focused)?.focus();
  if (atEnd) box.scrollTop = box.scrollHeight;
}

function tickClocks(offsetMs) {
  const now = Date.now() + offsetMs;
  for (const clock of document.querySelectorAll("[data-since]")) {
    const text = duration((now - Number(clock.dataset.since)) / 1000, { short: true });
    if (clock.textContent !== text) clock.textContent = text;
  }
  for (const bar of document.querySelectorAll("[data-progress-since]")) {
    bar.value = Math.min(1, (now - Number(bar.dataset.progressSince)) / (60_000 * Number(bar.dataset.progressMinutes)));
  }
}

function say(root, status, words) {
  const clock = document.querySelector("[data-clock]");
  if (clock) clock.textContent = status.clock;
  const inside = status.participants.filter(({ state }) => state === "in_room");
  const points = new Set(inside.map(({ point_id: point }) => point));
  const people = document.querySelector("[data-people]");
  if (people) people.textContent = inside.length ? fill(words.people, { people: inside.length, points: points.size }) : "";
  root.dataset.state = status.state;
}

// --- alarms -------------------------------------------------------------------------------------

function raise(alarms, words, call, status) {
  raiseRecorder(alarms, words, status, breakButton(words));
  const lost = status.participants.filter(({ state, part }) => state === "dropped" && part !== "clerk");
  const [one] = lost;
  alarms.set(
    "lost",
    one ? { name: "lost", rank: 4, tone: "amber", head: fill(words.lostHead, { name: lost.map(({ name, point }) => `${name} (${point})`).join(", ") }), text: words.lostText, actions: callLink(one, words) } : null,
  );
  raiseCommon(alarms, words, { status, room: call.room, pageLostS: 0 });
}

// The chair's own button of the break, within reach of the alarm; the clerk has none.
function breakButton(words) {
  const pause = document.querySelector("[data-testid=pause]");
  if (!pause) return [];
  const button = element("button", { type: "button", class: "btn" }, icon("cup", "s"), words.declareBreak);
  button.addEventListener("click", () => pause.click());
  return [button];
}

function callLink({ contact, point }, words) {
  if (!contact) return [];
  return [element("a", { class: "btn", href: `tel:${contact.replaceAll(" ", "")}` }, icon("phone", "s"), `${fill(words.callPoint, { name: point })} · ${contact}`)];
}

// --- forms and dialogs --------------------------------------------------------------------------

function startForms(call) {
  document.addEventListener("submit", (event) => {
    const form = event.target.closest("form[data-quiet]");
    if (!form) return;
    event.preventDefault();
    send(form, call);
  });
}

async function send(form, call) {
  const key = form.querySelector("[name=key]");
  if (key) key.value ||= crypto.randomUUID?.() ?? String(Math.random());
  const said = form.querySelector("[data-error]");
  const buttons = form.querySelectorAll("button");
  buttons.forEach((button) => button.setAttribute("aria-busy", "true"));
  try {
    const answer = await fetch(form.action, { method: "POST", headers: call.headers(), body: new FormData(form) });
    const data = await answer.json().catch(() => ({}));
    if (!answer.ok) return complain(said, data.error);
    if (form.dataset.then === "reload") return location.reload();
    if (form.dataset.then === "next") return location.assign(data.next);
    if (form.hasAttribute("data-note")) clearNote(form, key);
    call.poll();
  } catch {
    complain(said, "");
  } finally {
    buttons.forEach((button) => button.removeAttribute("aria-busy"));
  }
}

function clearNote(form, key) {
  form.querySelector("[name=text]").value = "";
  if (key) key.value = "";
}

function complain(spot, sentence) {
  const words = JSON.parse(document.getElementById("room").dataset.words);
  const text = sentence || words.failed;
  if (spot) spot.textContent = text;
  else toast(text);
}

let toasts;

function toast(text) {
  toasts ??= document.body.appendChild(element("p", { class: "toast", role: "alert" }));
  toasts.textContent = text;
  clearTimeout(toasts.timer);
  toasts.timer = setTimeout(() => (toasts.textContent = ""), 8000);
}

function startDialogs() {
  document.addEventListener("click", (event) => {
    const opener = event.target.closest("[data-open-dialog]");
    if (opener) document.getElementById(`dialog-${opener.dataset.openDialog}`)?.showModal();
    if (event.target.closest("[data-close-dialog]")) event.target.closest("dialog").close();
  });
  for (const field of document.querySelectorAll("[data-confirm]")) {
    const button = field.form.querySelector("[data-confirmed]");
    const check = () => (button.disabled = normal(field.value) !== normal(field.dataset.confirm));
    field.addEventListener("input", check);
    check();
  }
}

const normal = (text) => text.normalize("NFC").toLowerCase().split(/\s+/).filter(Boolean).join(" ");

// --- own devices --------------------------------------------------------------------------------

function startControls(root, call, tiles, alarms) {
  const on = (selector, action) => document.querySelector(selector)?.addEventListener("click", action);
  on("[data-mic]", () => {
    call.wantsMicrophone = !call.wantsMicrophone;
    call.applyMicrophone();
    call.poll();
  });
  on("[data-camera]", () => {
    call.setCamera(!call.wantsCamera);
    call.poll();
  });
  on("[data-focus-note]", () => document.getElementById("note-text").focus());
  on("[data-alarm-sound]", ({ currentTarget: button }) => {
    const pressed = button.getAttribute("aria-pressed") !== "true";
    button.setAttribute("aria-pressed", String(pressed));
    alarms.switchSound(pressed);
  });
  for (const button of document.querySelectorAll("[data-sound]")) {
    tiles.addEventListener("silenced", () => (button.hidden = false));
    button.addEventListener("click", () => {
      tiles.play();
      button.hidden = true;
    });
  }
}

function controls(root, call, words) {
  const publishes = root.dataset.publishes === "yes";
  const mic = document.querySelector("[data-mic]");
  const camera = document.querySelector("[data-camera]");
  paint(mic, { on: call.microphoneOpen, off: !call.room || !publishes, words: [words.micOn, words.turnMicOn], icons: ["mic", "mic-off"] });
  paint(camera, { on: call.wantsCamera && Boolean(call.room) && publishes, off: !call.room || !publishes, words: [words.cameraOn, words.cameraOff], icons: ["camera", "camera-off"] });
}

function paint(button, { on, off, words, icons }) {
  if (!button) return;
  button.disabled = off;
  button.setAttribute("aria-pressed", String(on));
  button.querySelector("span").textContent = on ? words[0] : words[1];
  if (!icons || button.dataset.icon === icons[on ? 0 : 1]) return;
  button.dataset.icon = icons[on ? 0 : 1];
  button.querySelector("svg").replaceWith(icon(button.dataset.icon));
}
