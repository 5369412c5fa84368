// Nothing typed is lost: a form with data-draft keeps its words in this tab until it is sent, and
// with data-draft-url on the server as well, trying again until the line is back. Passwords, files
// and the form token are never kept; signing out clears what is left.
import { clock, element, settled, token } from "./words.js";

const PREFIX = "draft:";
const RETRY_S = 5;

function fieldsOf(form) {
  return [...form.elements].filter(
    (field) => field.name && !["password", "file", "hidden", "submit", "button"].includes(field.type),
  );
}

function collect(form) {
  const words = {};
  for (const field of fieldsOf(form)) {
    if (["checkbox", "radio"].includes(field.type)) {
      if (field.checked) (words[field.name] ??= []).push(field.value);
    } else if (field.value) words[field.name] = field.value;
  }
  return words;
}

function restore(form, words) {
  for (const field of fieldsOf(form)) {
    const kept = words[field.name];
    if (["checkbox", "radio"].includes(field.type)) field.checked = Array.isArray(kept) && kept.includes(field.value);
    else if (typeof kept === "string") field.value = kept;
    field.dispatchEvent(new Event("change", { bubbles: true }));
  }
}

class Draft {
  constructor(form) {
    this.form = form;
    this.key = PREFIX + form.dataset.draft;
    this.url = form.dataset.draftUrl;
    this.status = form.querySelector("[data-draft-status]") ?? document.querySelector("[data-draft-status]");
    this.first = JSON.stringify(collect(form));
    this.lostSince = null;
    this.offer();
    const save = settled(() => this.save(), 800);
    form.addEventListener("input", save);
    form.addEventListener("change", save);
    form.addEventListener("submit", () => { this.sent = true; sessionStorage.removeItem(this.key); });
    addEventListener("pagehide", () => { if (!this.sent) this.keep(); });
    addEventListener("online", () => this.save());
  }

  keep() {
    const words = collect(this.form);
    if (JSON.stringify(words) === this.first) return false;
    sessionStorage.setItem(this.key, JSON.stringify({ at: Date.now(), words }));
    return true;
  }

  async save() {
    if (this.sent || !this.keep()) return;
    if (!this.url) { this.say("kept", clock()); return; }
    clearTimeout(this.retry);
    try {
      const body = new FormData(this.form);
      for (const field of this.form.querySelectorAll("input[type=file]")) body.delete(field.name);
      const answer = await fetch(this.url, { method: "POST", body, headers: { "X-CSRFToken": token() } });
      if (!answer.ok) throw new Error(String(answer.status), { cause: answer });
      this.lostSince = null;
      this.say("saved", (await answer.json()).saved_at ?? clock());
    } catch (error) {
      this.lostSince ??= clock();
      this.say("lost", this.lostSince);
      const told = Number(error.cause?.headers?.get("Retry-After")); // many write behind this address
      this.retry = setTimeout(() => this.save(), Math.max(told || 0, RETRY_S) * 1000);
    }
  }

  say(what, time) {
    if (!this.status) return;
    const words = this.status.dataset[`words${what[0].toUpperCase()}${what.slice(1)}`];
    this.status.classList.toggle("lost", what === "lost");
    this.status.querySelector("span").textContent = words.replace("{time}", time);
  }

  offer() {
    const kept = JSON.parse(sessionStorage.getItem(this.key) ?? "null");
    if (!kept || JSON.stringify(kept.words) === this.first || !this.status) return;
    const { dataset } = this.status;
    const take = element("button", { type: "button", class: "btn quiet sm" }, dataset.wordsTake);
    const drop = element("button", { type: "button", class: "btn ghost sm" }, dataset.wordsDrop);
    const line = element("p", { class: "saved asking" }, dataset.wordsFound.replace("{time}", clock(new Date(kept.at))), take, drop);
    take.addEventListener("click", () => { restore(this.form, kept.words); line.remove(); this.save(); });
    drop.addEventListener("click", () => { sessionStorage.removeItem(this.key); line.remove(); });
    this.status.after(line);
  }
}

function warnUnsaved(form) {
  const first = JSON.stringify(collect(form));
  let sent = false;
  form.addEventListener("submit", () => { sent = true; });
  addEventListener("beforeunload", (event) => {
    if (!sent && JSON.stringify(collect(form)) !== first) event.preventDefault();
  });
}

export function forgetDrafts() {
  for (const key of Object.keys(sessionStorage)) if (key.startsWith(PREFIX)) sessionStorage.removeItem(key);
}

export function startDrafts(scope) {
  for (const form of scope.querySelectorAll("form[data-draft]")) new Draft(form);
  for (const form of scope.querySelectorAll("form[data-warn-unsaved]")) warnUnsaved(form);
  for (const form of scope.querySelectorAll("form[data-clear-drafts]")) form.addEventListener("submit", forgetDrafts);
}
