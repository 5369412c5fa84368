// How numbers and times are written in the room.

/** 00:47:12, or 16:12 without hours when `short`. */
export function duration(seconds, { short = false } = {}) {
  const whole = Math.max(0, Math.floor(seconds));
  const parts = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const text = parts.map((part) => String(part).padStart(2, "0"));
  return short && parts[0] === 0 ? text.slice(1).join(":") : text.join(":");
}

/** 0,91 GB */
export function size(bytes) {
  const lang = document.documentElement.lang || "vi";
  const [amount, unit] = bytes >= 1e9 ? [bytes / 1e9, "GB"] : bytes >= 1e6 ? [bytes / 1e6, "MB"] : [bytes / 1e3, "KB"];
  return `${amount.toLocaleString(lang, { maximumFractionDigits: amount < 10 ? 2 : 0 })} ${unit}`;
}

export function number(value, digits = 1) {
  return value.toLocaleString(document.documentElement.lang || "vi", { maximumFractionDigits: digits });
}

export function percent(value) {
  return `${number(value)} %`;
}

/** Put values into a sentence: fill("{name} left", { name }). */
export function fill(sentence, values) {
  return sentence.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
}
