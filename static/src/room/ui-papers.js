// Papers beside the faces: what this person may open, and the page that the desk shows to everybody.
// Pages come as pictures and are painted on a canvas; nothing of a paper stays in the browser.
import { icon } from "../lib/words.js";
import { fill } from "./ui-format.js";

const ZOOMS = [1, 1.5, 2.2];

export class Papers {
  #root;
  #call;
  #words;
  #url;
  #papers = null;
  #current = null; // { id, name, pages }
  #page = 1;
  #zoom = 0;
  #shown = null; // what the desk shows, as the server says
  #drawn = "";
  #own = false; // opened by hand, not by the desk

  constructor(root, { call, words, url, desk }) {
    this.#root = root;
    this.#call = call;
    this.#words = words;
    this.#url = url;
    this.desk = desk;
    const on = (name, action) => this.#find(name)?.addEventListener("click", action);
    on("close", () => this.close());
    on("before", () => this.#turn(-1));
    on("after", () => this.#turn(1));
    on("zoom", () => this.#magnify());
    on("show", () => this.#toggleShown());
    this.#find("pick").addEventListener("change", ({ target }) => this.#open(target.value));
    for (const button of document.querySelectorAll("[data-papers-open]")) button.addEventListener("click", () => this.toggle());
    this.#find("page").addEventListener("keydown", (event) => {
      if (event.key === "PageDown") this.#turn(1);
      if (event.key === "PageUp") this.#turn(-1);
    });
  }

  #find(name) {
    return this.#root.querySelector(`[data-paper-${name}]`);
  }

  /** What the server says is shown to all; null when nothing is. */
  follow(shown) {
    const before = this.#shown;
    this.#shown = shown;
    this.#paintShow();
    if (shown && (!this.#own || this.#current?.id === shown.id)) {
      if (before?.id === shown.id && before.page === shown.page && !this.#root.hidden) return;
      if (!before && this.#own && this.desk) return;
      this.#own = this.#own && this.desk;
      this.#take({ ...shown }, shown.page);
    } else if (!shown && before && !this.#own) this.close();
  }

  async toggle() {
    if (!this.#root.hidden) return this.close();
    this.#own = true;
    this.#reveal(true);
    await this.#list();
  }

  close() {
    this.#own = false;
    this.#current = null;
    this.#drawn = "";
    this.#reveal(false);
  }

  #reveal(on) {
    this.#root.hidden = !on;
    this.#root.parentElement.classList.toggle("with-doc", on);
    for (const button of document.querySelectorAll("[data-papers-open]")) button.setAttribute("aria-pressed", String(on));
  }

  async #list() {
    const pick = this.#find("pick");
    this.#say(this.#words.papersLoading);
    const answer = await fetch(this.#url, { headers: this.#call.headers() }).catch(() => null);
    if (!answer?.ok) return this.#say(this.#words.papersFailed);
    ({ papers: this.#papers } = await answer.json());
    pick.replaceChildren(...this.#groups());
    pick.hidden = this.#papers.length === 0;
    this.#find("name").hidden = !pick.hidden;
    this.#find("name").textContent = pick.hidden ? this.#words.papers : "";
    if (pick.hidden) return this.#say(this.#words.papersNone);
    this.#open(pick.value);
  }

  #groups() {
    const groups = new Map();
    for (const paper of this.#papers) {
      const label = fill(this.#words.paperVisit, { visit: paper.visit, name: paper.heard });
      if (!groups.has(label)) groups.set(label, Object.assign(document.createElement("optgroup"), { label }));
      groups.get(label).append(new Option(paper.name, paper.id));
    }
    return [...groups.values()];
  }

  async #open(id) {
    const paper = this.#papers.find((one) => one.id === id);
    this.#say(this.#words.papersLoading);
    const answer = await this.#call.post(`${this.#url}/${id}/mo`).catch(() => null);
    if (!answer?.ok) return this.#say(this.#words.papersFailed);
    this.#own = true;
    await this.#take(paper, 1);
  }

  async #take(paper, page) {
    this.#current = paper;
    this.#page = page;
    this.#reveal(true);
    const listed = this.#papers?.some(({ id }) => id === paper.id);
    const pick = this.#find("pick");
    pick.hidden = !listed;
    if (listed) pick.value = paper.id;
    this.#find("name").hidden = listed;
    this.#find("name").textContent = paper.name;
    this.#paintFooter();
    await this.#paint();
  }

  async #turn(by) {
    const page = this.#page + by;
    if (!this.#current || page < 1 || page > this.#current.pages) return;
    this.#page = page;
    this.#paintFooter();
    if (this.desk && this.#shown?.id === this.#current.id) await this.#call.post(`${this.#url}/${this.#current.id}/cho-xem`, { page });
    await this.#paint();
  }

  async #toggleShown() {
    const { id } = this.#current;
    const stop = this.#shown?.id === id;
    const answer = await this.#call.post(stop ? `${this.#url}/thoi-xem` : `${this.#url}/${id}/cho-xem`, { page: this.#page });
    if (!answer.ok) this.#say((await answer.json().catch(() => ({}))).error ?? this.#words.papersFailed);
    this.#own = true;
    this.#call.poll();
  }

  #magnify() {
    this.#zoom = (this.#zoom + 1) % ZOOMS.length;
    this.#find("canvas").style.setProperty("width", `${100 * ZOOMS[this.#zoom]}%`);
  }

  async #paint() {
    const wanted = `${this.#current.id}/${this.#page}`;
    if (this.#drawn === wanted) return;
    this.#drawn = wanted;
    this.#say(this.#words.papersLoading);
    try {
      const answer = await fetch(`${this.#url}/${wanted}.jpg`, { headers: this.#call.headers({ Accept: "image/jpeg, application/json" }) });
      if (!answer.ok) throw new Error(String(answer.status));
      const picture = await createImageBitmap(await answer.blob());
      if (this.#drawn !== wanted) return;
      const canvas = this.#find("canvas");
      Object.assign(canvas, { width: picture.width, height: picture.height });
      canvas.getContext("2d").drawImage(picture, 0, 0);
      canvas.hidden = false;
      this.#find("page").scrollTop = 0;
      this.#say("");
    } catch {
      if (this.#drawn !== wanted) return;
      this.#drawn = "";
      this.#find("canvas").hidden = true;
      this.#say(this.#words.papersFailed);
    }
  }

  #paintFooter() {
    const place = fill(this.#words.paperPage, { page: this.#page, pages: this.#current.pages });
    this.#find("place").textContent = place;
    this.#find("canvas").setAttribute("aria-label", `${this.#current.name}. ${place}`);
    const mayTurn = this.#own || this.desk;
    this.#find("before").disabled = !mayTurn || this.#page <= 1;
    this.#find("after").disabled = !mayTurn || this.#page >= this.#current.pages;
    this.#paintShow();
  }

  #paintShow() {
    const button = this.#find("show");
    if (!button) return;
    const on = Boolean(this.#current) && this.#shown?.id === this.#current.id;
    button.disabled = !this.#current || !["OPEN", "CLOSED_ROOM"].includes(this.#call.status?.state);
    if (button.getAttribute("aria-pressed") === String(on) && button.textContent) return;
    button.setAttribute("aria-pressed", String(on));
    button.replaceChildren(icon(on ? "eye-off" : "eye", "s"), on ? this.#words.stopShowing : this.#words.showAll);
  }

  #say(text) {
    this.#find("said").textContent = text;
  }
}
