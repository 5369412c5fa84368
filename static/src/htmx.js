// htmx, set up so that it needs neither eval nor injected styles, sends the form token
// with every request and shows what a refused form answers.
import htmx from "htmx.org";

Object.assign(htmx.config, {
  allowEval: false,
  allowScriptTags: false,
  includeIndicatorStyles: false,
  selfRequestsOnly: true,
  historyCacheSize: 0,
  defaultFocusScroll: true,
});

document.addEventListener("htmx:configRequest", (event) => {
  const token = document.querySelector("meta[name=csrf-token]");
  if (token) event.detail.headers["X-CSRFToken"] = token.content;
});

const SHOWN_WHEN_REFUSED = [400, 403, 404, 409, 413, 422, 429];
document.addEventListener("htmx:beforeSwap", (event) => {
  if (!SHOWN_WHEN_REFUSED.includes(event.detail.xhr.status)) return;
  event.detail.shouldSwap = true;
  event.detail.isError = false;
});

document.addEventListener("htmx:load", (event) => {
  document.dispatchEvent(new CustomEvent("page:part", { detail: event.detail.elt }));
});
