// Opens camera and microphone and names what went wrong in a word a page can explain.
//
//   const media = await openLocalMedia({ audio: true, video: true });
//   media.stream            MediaStream with whatever could be opened
//   media.audioTrouble      "" or one of the words below; videoTrouble likewise
//
// Words: "refused" (the person or the browser said no), "missing" (no such device), "busy" (another
// program holds it), "insecure" (the page is not served over HTTPS), "failed" (anything else),
// "unwanted" (not asked for). The two devices fail apart: a refused camera never costs the sound.

const VIDEO = { width: { ideal: 640 }, height: { ideal: 480 }, frameRate: { ideal: 25, max: 30 } };
const AUDIO = { echoCancellation: true, noiseSuppression: true, autoGainControl: true };

const WORDS = {
  NotAllowedError: "refused",
  SecurityError: "refused",
  NotFoundError: "missing",
  OverconstrainedError: "missing",
  NotReadableError: "busy",
  AbortError: "busy",
};

export function troubleOf(error) {
  return WORDS[error?.name] ?? "failed";
}

export function canOpenMedia() {
  return Boolean(window.isSecureContext && navigator.mediaDevices?.getUserMedia);
}

function constraintsOf(kind, wanted, deviceId) {
  if (!wanted) return false;
  const usual = kind === "video" ? VIDEO : AUDIO;
  const asked = wanted === true ? usual : { ...usual, ...wanted };
  return deviceId ? { ...asked, deviceId: { exact: deviceId } } : asked;
}

async function openOne(kind, constraints) {
  if (!constraints) return { tracks: [], trouble: "unwanted" };
  try {
    const stream = await navigator.mediaDevices.getUserMedia({ [kind]: constraints });
    return { tracks: stream.getTracks(), trouble: "" };
  } catch (error) {
    return { tracks: [], trouble: troubleOf(error) };
  }
}

// Asking for both at once shows one permission prompt; only when that fails are they asked apart.
async function openBoth(audio, video) {
  if (!audio || !video) return null;
  try {
    return (await navigator.mediaDevices.getUserMedia({ audio, video })).getTracks();
  } catch {
    return null;
  }
}

export async function openLocalMedia({ audio = true, video = true, audioDeviceId, videoDeviceId } = {}) {
  if (!canOpenMedia()) {
    return { stream: new MediaStream(), audioTrouble: "insecure", videoTrouble: "insecure" };
  }
  const wantedAudio = constraintsOf("audio", audio, audioDeviceId);
  const wantedVideo = constraintsOf("video", video, videoDeviceId);
  const both = await openBoth(wantedAudio, wantedVideo);
  if (both) return { stream: new MediaStream(both), audioTrouble: "", videoTrouble: "" };
  const sound = await openOne("audio", wantedAudio);
  const picture = await openOne("video", wantedVideo);
  return {
    stream: new MediaStream([...sound.tracks, ...picture.tracks]),
    audioTrouble: sound.trouble,
    videoTrouble: picture.trouble,
  };
}

export function stopStream(stream) {
  for (const track of stream?.getTracks() ?? []) track.stop();
}
