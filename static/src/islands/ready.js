// Before the room: the check of one person's devices, or the test of a point's line.
import { startLinkTest } from "../room/ui-link-test.js";
import { startReady } from "../room/ui-ready.js";

for (const root of document.querySelectorAll("[data-ready]")) startReady(root);
for (const root of document.querySelectorAll("[data-link-test]")) startLinkTest(root);
