// The test of a point's line: sends its own sound and picture to the media server and takes them back.
import { token } from "../lib/words.js";
import { DeviceCheck } from "./device-check.js";
import { Room } from "./media-client.js";
import { fill, number } from "./ui-format.js";

const MEASURE_MS = 8000;
const ARRIVE_MS = 8000;
const HEARD = 0.15;
const WEAK_LOSS = 3;

const json = (url, body) =>
  fetch(url, { method: "POST", headers: { Accept: "application/json", "Content-Type": "application/json", "X-CSRFToken": token() }, body: JSON.stringify(body) });

export function startLinkTest(root) {
  const words = JSON.parse(root.dataset.words);
  const check = new DeviceCheck();
  const said = root.querySelector("[data-test-said]");
  const result = {};
  const meter = root.querySelector("[data-level]");
  check.addEventListener("level", ({ detail }) => {
    meter.value = detail.level;
    root.querySelector("[data-level-word]").textContent = detail.level >= HEARD ? words.clear : "";
  });
  root.querySelector("[data-test-tone]").addEventListener("click", async () => {
    result.speaker = (await check.playTone()) || "ok";
  });
  root.querySelector("[data-test-start]").addEventListener("click", async ({ currentTarget: button }) => {
    button.disabled = true;
    try {
      await run({ root, check, words, said, result });
    } finally {
      button.disabled = false;
    }
  });
}

async function run({ root, check, words, said, result }) {
  said.textContent = words.running;
  const opened = await check.start();
  const video = root.querySelector("[data-preview]");
  video.srcObject = opened.stream;
  root.querySelector("[data-preview-empty]").hidden = opened.stream.getVideoTracks().length > 0;
  Object.assign(result, { camera: opened.videoTrouble || "ok", microphone: opened.audioTrouble || "ok" });
  Object.assign(result, await measure(root.dataset.roomUrl, opened.stream));
  const answer = await json(root.dataset.keepUrl, result);
  if (!answer.ok) {
    said.textContent = (await answer.json().catch(() => ({}))).error ?? words.failed;
    return;
  }
  const { passed } = await answer.json();
  said.textContent = sentence(result, passed, words);
  if (passed) setTimeout(() => location.reload(), 1200);
}

function sentence(result, passed, words) {
  for (const device of ["camera", "microphone"]) {
    if (result[device] !== "ok") return fill(words[device], { why: words[result[device]] ?? result[device] });
  }
  if (result.media !== "ok") return words.media;
  if ((result.loss ?? 0) > WEAK_LOSS) return fill(words.weak, { loss: number(result.loss) });
  return passed ? fill(words.passed, { loss: number(result.loss ?? 0), rtt: Math.round(result.rtt_ms ?? 0) }) : words.failed;
}

// Two places in one room of the test: one sends, the other receives what was sent.
async function measure(roomUrl, stream) {
  const answer = await json(roomUrl, {}).catch(() => null);
  if (!answer?.ok) return { media: "unreachable" };
  const { room, tickets } = await answer.json();
  const sender = new Room({ freshTicket: async () => null });
  const receiver = new Room({ freshTicket: async () => null });
  const arrived = new Promise((resolve) => receiver.addEventListener("track", resolve, { once: true }));
  const latest = {};
  sender.addEventListener("stats", ({ detail }) => (latest.sent = detail));
  receiver.addEventListener("stats", ({ detail }) => (latest.received = detail));
  try {
    await receiver.connect(tickets[1]);
    await sender.connect(tickets[0]);
    await sender.publish(copyOf(stream));
    await within(ARRIVE_MS, arrived);
    await wait(MEASURE_MS);
    return { room, media: "ok", ...numbers(latest) };
  } catch {
    return { room, media: "unreachable" };
  } finally {
    sender.leave();
    receiver.leave();
  }
}

// The room stops the tracks it was given when it is left; the preview goes on with its own.
const copyOf = (stream) => new MediaStream(stream.getTracks().map((track) => track.clone()));

function numbers({ sent, received }) {
  return {
    loss: Math.max(sent?.lossUp ?? 0, received?.lossDown ?? 0),
    rtt_ms: sent?.rttMs ?? received?.rttMs ?? 0,
    kbps_up: sent?.kbpsUp ?? 0,
    kbps_down: received?.kbpsDown ?? 0,
  };
}

const wait = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

const within = (milliseconds, promise) =>
  Promise.race([promise, wait(milliseconds).then(() => Promise.reject(new Error("late")))]);
