// The desk: shows what belongs to the chosen outcome, counts the two minutes, and never loses a
// visit. A visit that cannot be sent waits in this tab and is sent by itself when the line is
// back; its key makes it one line of the book however often it arrives.
import { clock, element, icon, token } from "../lib/words.js";

const RETRY_MS = 3000;
const WAITING = "desk-waiting:";

const chosen = (form, name) => form.querySelector(`input[name=${name}]:checked`)?.value ?? "";

function showParts(form) {
  const outcome = chosen(form, "outcome");
  const kind = chosen(form, "kind");
  for (const part of form.querySelectorAll("[data-for-outcome]")) part.classList.toggle("off", !part.dataset.forOutcome.split(" ").includes(outcome));
  for (const part of form.querySelectorAll("[data-for-kind]")) part.classList.toggle("off", part.dataset.forKind !== kind);
  const sum = form.querySelector("[data-sum]");
  const people = Math.max(1, Number.parseInt(form.elements.people.value, 10) || 1);
  for (const rule of form.querySelectorAll("[data-group]")) {
    const [first, last] = rule.dataset.group.split(" ").map(Number);
    rule.hidden = people < first || people > last;
  }
  const petition = outcome === "petition" ? sum.dataset.petition : sum.dataset.none;
  sum.textContent = (people === 1 ? sum.dataset.one : sum.dataset.many).replace("{people}", people).replace("{petition}", petition);
}

function startPapers(form) {
  const body = form.querySelector("[data-papers]");
  const add = form.querySelector("[data-add-paper]");
  add.hidden = false;
  add.addEventListener("click", () => {
    const row = body.lastElementChild.cloneNode(true);
    for (const input of row.querySelectorAll("input")) input.value = "";
    const number = String(body.children.length + 1);
    for (const field of row.querySelectorAll("[aria-label]")) field.setAttribute("aria-label", field.getAttribute("aria-label").replace(/\d+/, number));
    body.append(row);
    row.querySelector("input").focus();
  });
}

function startTimer() {
  const line = document.querySelector("[data-since]");
  if (!line) return;
  const bar = document.querySelector(".tbar");
  const since = new Date(line.dataset.since).getTime();
  const tick = () => {
    const seconds = Math.max(0, Math.floor((Date.now() - since) / 1000));
    const minutes = String(Math.floor(seconds / 60)).padStart(2, "0");
    line.firstElementChild.textContent = `${minutes}:${String(seconds % 60).padStart(2, "0")}`;
    bar.value = Math.min(120, seconds);
    bar.classList.toggle("over-time", seconds > 120);
  };
  tick();
  setInterval(tick, 1000);
}

// What the server says of open petitions while the content is typed.
function showSame(form, same) {
  for (const line of form.querySelectorAll("[data-same]")) {
    const found = same.find((one) => one.code === line.dataset.same);
    line.hidden = !found;
    if (found) line.querySelector("b").textContent = found.why;
  }
}

class Visit {
  constructor(form) {
    this.form = form;
    this.note = form.querySelector("[data-offline]");
    this.mine = `${WAITING}${form.dataset.account}:`;
    this.key = this.mine + form.elements.key.value;
    this.retry = 0;
    form.addEventListener("submit", (event) => this.submit(event), true);
    addEventListener("online", () => this.again());
    this.note.querySelector("[data-try]").addEventListener("click", () => this.again());
    // A page that was loaded anew still sends what the one before could not.
    const left = Object.keys(sessionStorage).find((name) => name.startsWith(this.mine));
    if (left) { this.key = left; this.send(); }
  }

  submit(event) {
    const finishing = !event.submitter || event.submitter.hasAttribute("data-finish");
    if (this.passing || !finishing) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    const body = new URLSearchParams(new FormData(this.form));
    body.delete("csrf_token"); // a page loaded anew has another one
    sessionStorage.setItem(this.key, body.toString());
    this.send();
  }

  again() {
    if (!sessionStorage.getItem(this.key)) return;
    this.say(this.form.dataset.wordsSending);
    this.send();
  }

  async send() {
    if (this.sending) return;
    this.sending = true;
    clearTimeout(this.retry);
    const body = sessionStorage.getItem(this.key);
    let answer = null;
    try {
      answer = await fetch(this.form.action, {
        method: "POST",
        body,
        headers: { Accept: "application/json", "Content-Type": "application/x-www-form-urlencoded", "X-CSRFToken": token() },
      });
    } catch {
      answer = null;
    }
    this.sending = false;
    if (answer === null || answer.status >= 502) this.wait();
    else if (answer.status === 201) this.done((await answer.json()).next);
    else if (answer.status === 400 || (answer.status === 403 && (await this.signedOut()))) this.say(this.form.dataset.wordsLogin);
    else this.showWrong();
  }

  // Whether the desk now asks for a log-in first: then nothing was wrong with the visit.
  async signedOut() {
    const page = await fetch(location.pathname, { redirect: "manual" }).catch(() => null);
    return page?.type === "opaqueredirect";
  }

  wait() {
    this.since ??= clock();
    this.say(this.form.dataset.wordsWait.replace("{time}", this.since));
    this.retry = setTimeout(() => this.send(), RETRY_MS);
  }

  say(words) {
    this.note.hidden = false;
    this.note.querySelector("[data-offline-words]").textContent = words;
  }

  // The server is there and has something to say: let it show the page with its sentences.
  showWrong() {
    sessionStorage.removeItem(this.key);
    this.letPass();
    this.form.submit();
  }

  done(next) {
    sessionStorage.removeItem(this.key);
    this.letPass();
    location.assign(next);
  }

  // Tell the keeper of drafts that what is typed has arrived.
  letPass() {
    this.passing = true;
    this.form.dispatchEvent(new Event("submit"));
  }
}

// Enter in a field must not look a visitor up; Ctrl+Enter ends the visit from anywhere.
function startKeys(form) {
  form.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.isComposing) return;
    if (event.ctrlKey || event.metaKey) {
      event.preventDefault();
      form.requestSubmit(form.querySelector("[data-finish]"));
    } else if (event.target.matches("input") && event.target.name !== "find" && !event.defaultPrevented) event.preventDefault();
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && !form.contains(event.target)) form.requestSubmit(form.querySelector("[data-finish]"));
  });
}

// The server keeps a draft too; its answer says whether an open petition looks alike.
function startHints(form) {
  let timer = 0;
  form.addEventListener("input", (event) => {
    if (!["content", "decision"].includes(event.target.name) || !form.querySelector("[data-same]")) return;
    clearTimeout(timer);
    timer = setTimeout(async () => {
      const body = new URLSearchParams(new FormData(form));
      const answer = await fetch(form.dataset.draftUrl, { method: "POST", body, headers: { Accept: "application/json", "X-CSRFToken": token() } }).catch(() => null);
      if (answer?.ok) showSame(form, (await answer.json()).same);
    }, 900);
  });
}

function startDesk(form) {
  const show = () => showParts(form);
  form.addEventListener("change", (event) => {
    show();
    if (event.target.name === "outcome") form.querySelector(".panel:not(.off)")?.scrollIntoView({ block: "nearest" });
  });
  form.addEventListener("input", show);
  show();
  startPapers(form);
  startKeys(form);
  startHints(form);
  new Visit(form);
}

// --- paper post: every row travels by itself

function rowBody(form, row) {
  const body = new FormData();
  for (const name of ["csrf_token", "dot"]) body.append(name, form.elements[name].value);
  for (const field of row.querySelectorAll("[name]")) {
    if (field.type === "checkbox" && !field.checked) continue;
    if (field.type === "file") { if (field.files[0]) body.append(field.name, field.files[0]); } else body.append(field.name, field.value);
  }
  return body;
}

function showKept(form, row, code) {
  const number = row.dataset.row;
  row.className = "env done";
  delete row.dataset.row;
  row.replaceChildren(element("span", { class: "no" }, number), element("div", { class: "kept", role: "status" }, icon("check-circle", "s"), ` ${form.dataset.wordsKept} `, element("b", {}, code)));
}

function showFaults(row, sentences) {
  row.classList.add("bad");
  row.querySelector(".faults").replaceChildren(...sentences.map((sentence) => element("p", { class: "govuk-error-message" }, icon("alert", "s"), sentence)));
}

async function saveRow(form, row) {
  const answer = await fetch(form.action, { method: "POST", body: rowBody(form, row), headers: { Accept: "application/json", "X-CSRFToken": token() } }).catch(() => null);
  if (!answer) { showFaults(row, [form.dataset.wordsLost]); return false; }
  const said = await answer.json().catch(() => ({ error: form.dataset.wordsLost, rows: {} }));
  if (!answer.ok) { showFaults(row, [said.error]); return false; }
  const result = said.rows[row.dataset.row];
  if (!result) return true;
  if (result.code) showKept(form, row, result.code);
  else showFaults(row, Object.values(result.errors));
  return Boolean(result.code);
}

function startEnvelopes(form) {
  for (const button of form.querySelectorAll("[data-save-row]")) {
    button.hidden = false;
    button.addEventListener("click", async () => {
      button.disabled = true;
      const row = button.closest("[data-row]");
      await saveRow(form, row);
      button.disabled = false;
      form.querySelector("[data-row] input, [data-row] select")?.focus();
    });
  }
  form.addEventListener("submit", async (event) => {
    if (form.dataset.passing) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    let all = true;
    for (const row of [...form.querySelectorAll("[data-row]")]) all = (await saveRow(form, row)) && all;
    if (!all) { form.querySelector(".env.bad input")?.focus(); return; }
    form.dataset.passing = "1";
    form.dispatchEvent(new Event("submit"));
    location.reload();
  }, true);
}

const visit = document.querySelector("form[data-desk]");
if (visit) startDesk(visit);
startTimer();
const envelopes = document.querySelector("form[data-envelopes]");
if (envelopes) startEnvelopes(envelopes);
