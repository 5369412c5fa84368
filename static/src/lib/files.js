// Says at once that a chosen file is too large, before anything is sent.
import { element, icon } from "./words.js";

function check(input) {
  const most = Number(input.dataset.maxMb) * 1024 * 1024;
  const tooBig = [...input.files].some((file) => file.size > most);
  const group = input.closest(".govuk-form-group");
  const id = `${input.id}-size`;
  document.getElementById(id)?.remove();
  group.classList.toggle("govuk-form-group--error", tooBig);
  input.setCustomValidity(tooBig ? input.dataset.tooBig : "");
  if (!tooBig) return;
  const message = element("p", { class: "govuk-error-message", id, role: "alert" }, icon("alert"), element("span", {}, input.dataset.tooBig));
  input.before(message);
}

export function startFiles(scope) {
  for (const input of scope.querySelectorAll("input[type=file][data-max-mb]")) {
    input.addEventListener("change", () => check(input));
  }
}
