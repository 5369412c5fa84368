// The inbox on a desk: the preview follows the row, choosing rows brings the list to print, and
// the competent body is proposed while classifying. Everything also works as plain links and forms.

const wide = window.matchMedia("(min-width: 761px)");
let asked = 0;
let wanted = "";

async function part(url, name) {
  const answer = await fetch(url, { headers: { "X-Part": name }, credentials: "same-origin" });
  if (!answer.ok || answer.redirected) throw new Error(String(answer.status));
  return answer.text();
}

function mark(link) {
  for (const row of document.querySelectorAll("[data-row][aria-current]")) row.removeAttribute("aria-current");
  document.querySelector(`[data-row] a[href="${CSS.escape(link.getAttribute("href"))}"]`)?.closest("[data-row]").setAttribute("aria-current", "true");
}

async function show(link) {
  if (link.href === wanted) return; // a click also moves the focus: one question is enough
  wanted = link.href;
  const mine = ++asked;
  mark(link); // the row answers at once, however slow the line is
  document.getElementById("preview").setAttribute("aria-busy", "true");
  let text;
  try {
    text = await part(link.href, "preview");
  } catch {
    window.location.assign(link.href);
    return;
  }
  if (mine !== asked) return;
  const holder = document.createElement("template");
  holder.innerHTML = text;
  const fresh = holder.content.querySelector("#preview");
  if (!fresh) { window.location.assign(link.href); return; }
  document.getElementById("preview").replaceWith(fresh);
  history.replaceState(null, "", link.href);
  document.dispatchEvent(new CustomEvent("page:part", { detail: fresh }));
}

function startPreview(split) {
  split.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-preview]");
    if (!link || !wide.matches || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    show(link);
  });
  let wait;
  split.addEventListener("focusin", (event) => {
    const link = event.target.closest("[data-row] a[data-preview]");
    if (!link || !wide.matches) return;
    clearTimeout(wait);
    wait = setTimeout(() => show(link), 180);
  });
  split.addEventListener("keydown", (event) => {
    const link = event.target.closest?.("[data-row] a[data-full]");
    if (event.key !== "Enter" || !link || !wide.matches) return;
    event.preventDefault();
    window.location.assign(link.dataset.full);
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.target !== document.body || event.ctrlKey || event.metaKey) return;
    document.querySelector("[data-row][aria-current] a[data-full]")?.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", bubbles: true }));
  });
}

function startStrips(list) {
  list.addEventListener("toggle", (event) => {
    if (event.target.open) event.target.querySelector(".pop")?.scrollIntoView({ block: "nearest" });
  }, true);
}

function startBulk(form) {
  const count = form.querySelector("[data-bulk-count]");
  const boxes = () => [...document.querySelectorAll(`input[form="${form.id}"]:checked`)];
  const tell = () => {
    const number = boxes().length;
    form.hidden = number === 0;
    count.textContent = count.dataset.one.replace("{n}", number);
  };
  document.addEventListener("change", (event) => { if (event.target.getAttribute("form") === form.id) tell(); });
  tell();
}

function startFilters(form) {
  form.addEventListener("change", () => form.requestSubmit());
}

function startProposal(form) {
  let turn = 0;
  const watched = ["kind", "round", "respondent", "respondent_unit"];
  form.addEventListener("change", async (event) => {
    if (!watched.includes(event.target.name)) return;
    const mine = ++turn;
    const query = new URLSearchParams(watched.map((name) => [name, new FormData(form).get(name) ?? ""]));
    try {
      const text = await part(`${form.dataset.proposal}?${query}`, "proposal");
      if (mine !== turn) return;
      const holder = document.createElement("template");
      holder.innerHTML = text;
      document.getElementById("proposal").replaceWith(holder.content.querySelector("#proposal"));
    } catch { /* the button below asks the same without a script */ }
  });
}

const split = document.querySelector("[data-inbox]");
if (split) { startPreview(split); startStrips(split); }
for (const form of document.querySelectorAll("[data-bulk]")) startBulk(form);
for (const form of document.querySelectorAll("form[data-auto]")) startFilters(form);
for (const form of document.querySelectorAll("form[data-proposal]")) startProposal(form);
