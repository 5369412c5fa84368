// Getting ready: see oneself, hear oneself, hear a tune. Nothing here stops anybody from going in.
import { DeviceCheck } from "./device-check.js";
import { DEVICES } from "./ui-call.js";
import { fill } from "./ui-format.js";

const HEARD = 0.15;

export function startReady(root) {
  const words = JSON.parse(root.dataset.words);
  const check = new DeviceCheck();
  const part = (name) => root.querySelector(`[data-check="${name}"]`);
  const result = (name, value) => {
    const field = root.querySelector(`[data-result="${name}"]`);
    if (field) field.value = value;
  };
  const say = (name, tone, head, text) => {
    const row = part(name);
    row.dataset.tone = tone;
    row.querySelector("[data-head]").textContent = head;
    if (text !== undefined) row.querySelector("[data-text]").textContent = text;
  };

  check.addEventListener("level", ({ detail }) => {
    const meter = root.querySelector("[data-level]");
    meter.value = detail.level;
    if (detail.level >= HEARD) say("microphone", "ok", words.microphone, words.microphoneHint);
  });

  async function begin(wanted) {
    const opened = await check.start(wanted);
    show(root, opened.stream);
    const camera = !opened.videoTrouble;
    say("camera", camera ? "ok" : "bad", camera ? words.camera : fill(words.cameraNo, { why: words[opened.videoTrouble] }), camera ? words.cameraHint : words.cameraNoHint);
    if (opened.audioTrouble) say("microphone", "bad", fill(words.microphoneNo, { why: words[opened.audioTrouble] }), words.microphoneNoHint);
    else say("microphone", check.heard() ? "ok" : "wait", check.heard() ? words.microphone : words.microphoneQuiet, words.microphoneHint);
    result("camera", opened.videoTrouble || "ok");
    result("microphone", opened.audioTrouble || "ok");
    await offer(root, check, opened.stream, begin);
    await network();
  }

  async function network() {
    const { online, downlinkMbps } = await check.network();
    const weak = downlinkMbps !== null && downlinkMbps < 1;
    say("network", online ? (weak ? "wait" : "ok") : "bad", online ? (weak ? words.networkWeak : words.network) : words.networkNo, words.networkHint);
    result("media", online ? "ok" : "offline");
  }

  root.querySelector("[data-tone]").addEventListener("click", async () => {
    const trouble = await check.playTone();
    say("speaker", trouble ? "bad" : "ok", trouble ? words.speakerNo : words.speaker);
    result("speaker", trouble || "ok");
  });
  const start = root.querySelector("[data-start]");
  start.hidden = false;
  start.addEventListener("click", () => begin());
  check.permissions().then(({ audio, video }) => {
    if (audio === "granted" || video === "granted") begin();
  });
}

function show(root, stream) {
  const video = root.querySelector("[data-preview]");
  video.srcObject = stream;
  root.querySelector("[data-preview-empty]").hidden = stream.getVideoTracks().length > 0;
}

async function offer(root, check, stream, begin) {
  const { cameras, microphones } = await check.devices();
  const chosen = { camera: stream.getVideoTracks()[0], microphone: stream.getAudioTracks()[0] };
  for (const [kind, devices] of [["camera", cameras], ["microphone", microphones]]) {
    const list = root.querySelector(`[data-pick="${kind}"]`);
    if (!list) continue;
    const now = chosen[kind]?.getSettings().deviceId;
    list.hidden = devices.length < 2;
    list.replaceChildren(...devices.map(({ deviceId, label }) => new Option(label || kind, deviceId, false, deviceId === now)));
    list.onchange = () => {
      const picked = Object.fromEntries([...root.querySelectorAll("[data-pick]")].map((each) => [each.dataset.pick, each.value]));
      localStorage.setItem(DEVICES, JSON.stringify(picked));
      begin({ videoDeviceId: picked.camera || undefined, audioDeviceId: picked.microphone || undefined });
    };
  }
}
