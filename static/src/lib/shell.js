// The shell around a page: navigation on phones, what opens and shuts, text size, printing.

function startNavigation() {
  const opener = document.querySelector("[data-nav]");
  const rail = document.getElementById("rail");
  if (!opener || !rail) return;
  opener.setAttribute("role", "button");
  opener.setAttribute("aria-expanded", "false");
  const show = (open) => {
    rail.classList.toggle("open", open);
    opener.setAttribute("aria-expanded", String(open));
    if (open) rail.querySelector("li a")?.focus();
  };
  opener.addEventListener("click", (event) => {
    event.preventDefault();
    show(!rail.classList.contains("open"));
  });
  opener.addEventListener("keydown", (event) => {
    if (event.key === " ") { event.preventDefault(); opener.click(); }
  });
  rail.querySelector(".shut")?.addEventListener("click", (event) => {
    event.preventDefault();
    show(false);
    opener.focus();
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && rail.classList.contains("open")) { show(false); opener.focus(); }
  });
}

function startPopovers() {
  const open = () => document.querySelectorAll("details[data-pop][open]");
  document.addEventListener("click", (event) => {
    for (const details of open()) if (!details.contains(event.target)) details.open = false;
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    for (const details of open()) {
      details.open = false;
      details.querySelector("summary").focus();
    }
  });
}

function startTextSize() {
  const button = document.querySelector("[data-text-size]");
  if (!button) return;
  const root = document.documentElement;
  const tell = () => button.setAttribute("aria-pressed", String(root.classList.contains("text-large")));
  button.hidden = false;
  tell();
  button.addEventListener("click", () => {
    const large = root.classList.toggle("text-large");
    document.cookie = `chu=${large ? "to" : ""}; path=/; max-age=${large ? 31536000 : 0}; samesite=lax`;
    tell();
  });
}

function startSmallThings() {
  document.addEventListener("click", async (event) => {
    if (event.target.closest("[data-print]")) window.print();
    const copier = event.target.closest("[data-copy]");
    if (!copier) return;
    await navigator.clipboard?.writeText(copier.dataset.copy);
    if (copier.dataset.copied) copier.querySelector("span").textContent = copier.dataset.copied;
  });
  for (const hidden of document.querySelectorAll("[data-needs-script]")) hidden.hidden = false;
}

export function startShell() {
  startNavigation();
  startPopovers();
  startTextSize();
  startSmallThings();
}
