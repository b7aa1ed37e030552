// What the leads page does besides what every page does.
import { startFilter } from "./filter.js";
import { startActivate } from "./leads/activate.js";
import { startImport } from "./leads/import.js";
import { startReload } from "./leads/reload.js";
import { selection } from "./leads/selection.js";

startFilter();
startImport();
startActivate();
startReload();
selection.start();
