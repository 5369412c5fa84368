// A text field that offers what may be meant, after the ARIA combobox pattern. The list lies over
// the page; without a script the server works with the typed words.
import { element, icon, settled } from "./words.js";

class Combo {
  constructor(box) {
    this.box = box;
    this.input = box.querySelector("input[type=text]");
    this.hidden = box.querySelector("input[type=hidden]");
    this.status = box.querySelector("[role=status]");
    this.list = element("ul", { role: "listbox", id: `${this.input.id}-list`, hidden: "" });
    this.list.setAttribute("aria-label", document.querySelector(`label[for="${this.input.id}"]`)?.textContent.trim() ?? "");
    box.append(this.list);
    for (const [name, value] of Object.entries({ role: "combobox", "aria-expanded": "false", "aria-controls": this.list.id, "aria-autocomplete": "list" })) this.input.setAttribute(name, value);
    const ask = settled(() => this.ask(), 180);
    this.input.addEventListener("input", () => { this.hidden.value = ""; ask(); });
    this.input.addEventListener("keydown", (event) => this.key(event));
    this.input.addEventListener("blur", () => setTimeout(() => this.shut(), 150));
    this.list.addEventListener("mousedown", (event) => event.preventDefault());
    this.list.addEventListener("click", (event) => {
      const option = event.target.closest("[role=option]");
      if (option) this.take(option);
    });
  }

  get options() { return [...this.list.querySelectorAll("[role=option]")]; }

  async ask() {
    const words = this.input.value.trim();
    if (words.length < 2) { this.shut(); return; }
    this.asked = words;
    const url = new URL(this.box.dataset.combo, location.href);
    url.searchParams.set("q", words);
    const answer = await fetch(url, { headers: { Accept: "application/json" } }).catch(() => null);
    if (!answer?.ok || this.asked !== words) return;
    this.show(await answer.json());
  }

  show(found) {
    this.list.replaceChildren(...found.flatMap((item, index) => this.rows(item, index)));
    const open = found.length > 0;
    this.list.hidden = !open;
    this.input.setAttribute("aria-expanded", String(open));
    this.input.removeAttribute("aria-activedescendant");
    this.status.textContent = open ? this.box.dataset.found.replace("{n}", found.length) : this.box.dataset.none;
  }

  rows(item, index) {
    const option = element("li", { role: "option", id: `${this.list.id}-${index}`, "aria-selected": "false", "data-value": item.value, "data-label": item.label },
      icon("pin"), element("b", {}, item.label), item.detail ? element("small", {}, item.detail) : null);
    return item.cap ? [element("li", { class: "cap", role: "presentation" }, item.cap), option] : [option];
  }

  mark(option) {
    for (const other of this.options) other.setAttribute("aria-selected", String(other === option));
    if (!option) return;
    this.input.setAttribute("aria-activedescendant", option.id);
    option.scrollIntoView({ block: "nearest" });
  }

  key(event) {
    if (this.list.hidden) return;
    const { options } = this;
    const now = options.findIndex((option) => option.getAttribute("aria-selected") === "true");
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      const step = event.key === "ArrowDown" ? 1 : -1;
      this.mark(options[(now + step + options.length) % options.length]);
    } else if (event.key === "Enter" && now >= 0) {
      event.preventDefault();
      this.take(options[now]);
    } else if (event.key === "Escape") {
      event.preventDefault();
      event.stopPropagation();
      this.shut();
    }
  }

  take(option) {
    this.input.value = option.dataset.label;
    this.hidden.value = option.dataset.value;
    this.hidden.dispatchEvent(new Event("change", { bubbles: true }));
    this.shut();
  }

  shut() {
    this.list.hidden = true;
    this.input.setAttribute("aria-expanded", "false");
    this.input.removeAttribute("aria-activedescendant");
  }
}

export function startCombos(scope) {
  for (const box of scope.querySelectorAll("[data-combo]")) new Combo(box);
}
