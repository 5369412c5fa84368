// Files travel while their owner writes on: each by itself, with what is done and what waits.
// Without this script a plain file field and a button do the same.
import { element, icon, token } from "../lib/words.js";

const RETRY_S = 5;
const waiting = new Set();
const megabytes = (bytes) => (bytes < 1048576 ? `${Math.max(1, Math.round(bytes / 1024))} KB` : `${(bytes / 1048576).toFixed(1).replace(".", document.documentElement.lang === "vi" ? "," : ".")} MB`);

class Row {
  constructor(box, file) {
    this.box = box;
    this.file = file;
    this.words = box.root.dataset;
    this.bar = element("progress", { max: 100, value: 0, "aria-label": file.name });
    this.state = element("span", { class: "state", role: "status" });
    this.button = element("button", { type: "button", class: "ib" });
    this.button.addEventListener("click", () => this.act());
    this.row = element("li", {}, this.thumb(file), element("div", {}, element("b", {}, file.name), this.bar, this.state), this.button);
    box.list().append(this.row);
    if (file.size > box.most) this.refuse(this.words.wordsLarge);
    else this.send();
  }

  /** The photo itself, so that its owner sees which one it was; anything else as a drawn sheet. */
  thumb(file) {
    const drawn = element("span", { class: "thumb" }, icon(file.type.startsWith("image/") ? "photo" : "document"));
    if (!file.type.startsWith("image/") || file.size > this.box.most) return drawn;
    const picture = element("img", { class: "thumb", src: URL.createObjectURL(file), alt: "", width: 64, height: 64 });
    const done = () => URL.revokeObjectURL(picture.src);
    picture.addEventListener("load", done);
    picture.addEventListener("error", () => { done(); picture.replaceWith(drawn); });
    return picture;
  }

  say(tone, text, name) {
    this.state.className = `state ${tone}`;
    this.state.replaceChildren(icon(name, "s"), text);
  }

  label(words) { this.button.replaceChildren(words, element("span", { class: "vh" }, ` ${this.file.name}`)); }

  send() {
    clearTimeout(this.retry);
    waiting.delete(this);
    this.now = "sending";
    this.bar.hidden = false;
    this.label(this.words.wordsStop);
    const body = new FormData();
    body.append("part", this.box.root.dataset.part);
    body.append("file", this.file);
    const request = this.request = new XMLHttpRequest();
    request.open("POST", this.box.root.dataset.files);
    request.setRequestHeader("X-CSRFToken", token());
    request.setRequestHeader("Accept", "application/json");
    request.responseType = "json";
    request.upload.addEventListener("progress", (event) => this.progress(event));
    request.addEventListener("load", () => this.answered(request));
    request.addEventListener("error", () => this.wait());
    request.send(body);
  }

  progress({ loaded, total }) {
    const percent = total ? Math.round((loaded / total) * 100) : 0;
    this.bar.value = percent;
    this.say("", this.words.wordsSending.replace("{percent}", percent), "clock");
  }

  answered(request) {
    if (request.status === 201) this.keep(request.response);
    else if (request.status >= 500) this.wait();
    else if (request.status === 429) this.wait(request.response?.error, Number(request.getResponseHeader("Retry-After")));
    else this.refuse(request.status === 413 ? this.words.wordsLarge : request.response?.error || this.words.wordsBad);
  }

  keep({ size, remove }) {
    this.now = "kept";
    this.remove = remove;
    this.bar.hidden = true;
    this.say("ok", this.words.wordsDone.replace("{size}", megabytes(size)), "check-circle");
    this.label(this.words.wordsRemove);
  }

  refuse(sentence) {
    this.now = "refused";
    this.bar.hidden = true;
    this.say("bad", sentence, "alert");
    this.label(this.words.wordsRemove);
  }

  wait(sentence, seconds) {
    this.now = "waiting";
    waiting.add(this);
    this.say("wait", sentence || this.words.wordsWait, sentence ? "clock" : "wifi");
    this.label(this.words.wordsAgain);
    this.retry = setTimeout(() => this.send(), Math.max(seconds || 0, RETRY_S) * 1000);
  }

  async act() {
    if (this.now === "waiting") { this.send(); return; }
    if (this.now === "sending") this.request.abort();
    if (this.now === "kept" && !(await this.box.remove(this.remove))) return;
    clearTimeout(this.retry);
    waiting.delete(this);
    this.row.remove();
  }
}

class FilesBox {
  constructor(root) {
    this.root = root;
    this.most = Number(root.dataset.maxMb) * 1024 * 1024;
    this.input = root.querySelector("input[type=file]");
    root.classList.add("live");
    const camera = this.input.accept === "application/pdf" ? null : this.opener("photo", root.dataset.wordsPhoto, true);
    const tools = element("div", { class: "tools" }, camera, this.opener("upload", root.dataset.wordsChoose, false));
    root.querySelector(".no-script").before(tools);
    root.addEventListener("click", (event) => this.click(event));
    this.input.disabled = true; // the files have gone by themselves; the form must not send them again
  }

  opener(name, words, camera) {
    const chooser = element("input", { type: "file", hidden: "", accept: camera ? "image/*" : this.input.accept, capture: camera ? "environment" : null, multiple: camera ? null : "" });
    const button = element("button", { type: "button", class: "btn quiet" }, icon(name), words);
    button.addEventListener("click", () => chooser.click());
    chooser.addEventListener("change", () => {
      for (const file of chooser.files) new Row(this, file);
      chooser.value = "";
    });
    return element("span", {}, button, chooser);
  }

  list() {
    let list = this.root.querySelector("ul.files");
    if (!list) {
      list = element("ul", { class: "files" });
      this.root.querySelector(".tools").before(list);
    }
    return list;
  }

  async remove(url) {
    const answer = await fetch(url, { method: "POST", headers: { "X-CSRFToken": token(), Accept: "application/json" } }).catch(() => null);
    return Boolean(answer?.ok);
  }

  async click(event) {
    const button = event.target.closest("button[formaction]");
    if (!button) return;
    event.preventDefault();
    if (await this.remove(button.formAction)) button.closest("li").remove();
  }
}

for (const root of document.querySelectorAll("[data-files]")) new FilesBox(root);
addEventListener("online", () => { for (const row of [...waiting]) row.send(); });
