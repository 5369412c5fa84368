// Keys for people who do this all day. A single key works only while nobody is typing, each key
// is written on its control (data-key, data-key-focus), and all can be switched off.

const OFF = "keys-off";
const off = () => localStorage.getItem(OFF) === "1";
const typing = (target) => target.closest?.("input:not([type=checkbox]):not([type=radio]), textarea, select, [contenteditable]");

function visible(element) {
  return element.getClientRects().length > 0 && !element.disabled;
}

function named(attribute, key) {
  return [...document.querySelectorAll(`[${attribute}]`)].find(
    (element) => element.getAttribute(attribute).toLowerCase() === key && visible(element),
  );
}

// Rows: a list with data-rows whose items carry data-row, one of them aria-current.
function rows() {
  return [...document.querySelectorAll("[data-rows] [data-row]")].filter(visible);
}

function moveRow(step) {
  const all = rows();
  if (!all.length) return false;
  const now = all.findIndex((row) => row.contains(document.activeElement));
  const start = now >= 0 ? now : all.findIndex((row) => row.getAttribute("aria-current") === "true");
  const next = all[Math.min(all.length - 1, Math.max(0, start + step))];
  (next.querySelector("a[href]") ?? next).focus();
  next.scrollIntoView({ block: "nearest" });
  return true;
}

function currentRow() {
  return document.activeElement?.closest("[data-row]") ?? document.querySelector("[data-rows] [data-row][aria-current=true]");
}

function onRow(selector) {
  const control = currentRow()?.querySelector(selector);
  control?.click();
  return Boolean(control);
}

function press(key) {
  const field = named("data-key-focus", key);
  if (field) { field.focus(); field.select?.(); return true; }
  const inRow = currentRow()?.querySelector(`[data-key="${CSS.escape(key)}" i]`);
  const control = inRow ?? named("data-key", key);
  if (!control) return false;
  if (control.tagName === "DETAILS") control.open = !control.open;
  else control.click();
  return true;
}

const FIXED = {
  j: () => moveRow(1),
  k: () => moveRow(-1),
  x: () => onRow("input[type=checkbox]"),
  "?": () => showHelp(),
};

function showHelp() {
  const dialog = document.getElementById("keys-help");
  if (!dialog) return false;
  listOwnKeys(dialog);
  dialog.showModal();
  return true;
}

// The keys of this page, read from the controls themselves.
function listOwnKeys(dialog) {
  const list = dialog.querySelector("dl");
  list.querySelectorAll("[data-own]").forEach((old) => old.remove());
  for (const control of document.querySelectorAll("[data-key]")) {
    if (!visible(control) || list.querySelector(`[data-own="${CSS.escape(control.dataset.key)}"]`)) continue;
    const term = Object.assign(document.createElement("dt"), { innerHTML: "<kbd></kbd>" });
    term.firstChild.textContent = control.dataset.key;
    term.dataset.own = control.dataset.key;
    const words = document.createElement("dd");
    const spoken = control.querySelector("summary, b") ?? control;
    words.textContent = [...spoken.childNodes].filter((node) => node.nodeType === Node.TEXT_NODE).map((node) => node.data).join(" ").trim();
    words.dataset.own = control.dataset.key;
    list.append(term, words);
  }
}

function onKey(event) {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "Escape" && typing(event.target)) { event.target.blur(); return; }
  if (off() || typing(event.target) || document.querySelector("dialog[open]")) return;
  const key = event.key.toLowerCase();
  if (press(key) || FIXED[key]?.()) event.preventDefault();
}

export function startKeys() {
  document.addEventListener("keydown", onKey);
  for (const button of document.querySelectorAll("[data-keys-help]")) {
    button.hidden = false;
    button.addEventListener("click", showHelp);
  }
  const box = document.querySelector("[data-keys-off]");
  if (!box) return;
  box.checked = off();
  box.addEventListener("change", () => localStorage.setItem(OFF, box.checked ? "1" : "0"));
}
