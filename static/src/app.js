// Makes pages that already work more comfortable. Nothing here is needed to finish a task.
import { Button, CharacterCount, ErrorSummary, Tabs, createAll } from "govuk-frontend";
import { startCombos } from "./lib/combo.js";
import { startDrafts } from "./lib/drafts.js";
import { startFiles } from "./lib/files.js";
import { startKeys } from "./lib/keys.js";
import { startShell } from "./lib/shell.js";

const COMPONENTS = [Button, CharacterCount, ErrorSummary, Tabs];

function start(scope) {
  for (const component of COMPONENTS) createAll(component, undefined, { scope, onError: () => {} });
  startCombos(scope);
  startDrafts(scope);
  startFiles(scope);
}

document.body.classList.add("js-enabled", "govuk-frontend-supported");
start(document);
startKeys();
startShell();
document.addEventListener("page:part", ({ detail }) => {
  if (detail !== document.body) start(detail);
});
