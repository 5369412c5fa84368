// How loud a microphone is just now, 0 (silent) to 1 (as loud as it gets).
//
//   const meter = new LevelMeter(track);
//   meter.level();   meter.close();
//
// Browsers keep sound processing asleep until the person has clicked; until then the level is 0.

const QUIETEST_DB = -60;

export class LevelMeter {
  #context;
  #analyser;
  #samples;

  constructor(track) {
    const Context = window.AudioContext ?? window.webkitAudioContext;
    if (!Context) return;
    this.#context = new Context();
    this.#analyser = this.#context.createAnalyser();
    this.#analyser.fftSize = 1024;
    this.#samples = new Float32Array(this.#analyser.fftSize);
    this.#context.createMediaStreamSource(new MediaStream([track])).connect(this.#analyser);
  }

  level() {
    if (!this.#context) return 0;
    if (this.#context.state === "suspended") this.#context.resume().catch(() => {});
    this.#analyser.getFloatTimeDomainData(this.#samples);
    let sum = 0;
    for (const sample of this.#samples) sum += sample * sample;
    return fromAmplitude(Math.sqrt(sum / this.#samples.length));
  }

  close() {
    this.#context?.close().catch(() => {});
    this.#context = undefined;
  }
}

// Loudness is heard in decibels: a bar drawn from the bare amplitude would hardly move.
export function fromAmplitude(amplitude) {
  if (!(amplitude > 0)) return 0;
  const decibels = 20 * Math.log10(amplitude);
  return Math.min(1, Math.max(0, 1 - decibels / QUIETEST_DB));
}
