// What a lead's page does besides what every page does.
import { startDelete } from "./delete.js";
import { onKey } from "./keys.js";
import { startOnce } from "./lead-card/once.js";
import { startTags } from "./lead-card/tags.js";

startDelete();
startTags();
startOnce();
onKey("e", "Edit the lead", () => document.getElementById("name").select());
