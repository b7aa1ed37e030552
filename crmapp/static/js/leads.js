// What the leads page does besides what every page does.
import { startFilter } from "./filter.js";
import { startActivate } from "./leads/activate.js";
import { startBulk } from "./leads/bulk.js";
import { startCompanies } from "./leads/companies.js";
import { startExport } from "./leads/export.js";
import { startRowKeys } from "./leads/row-keys.js";
import { startPageSize } from "./leads/page-size.js";
import { startReload } from "./leads/reload.js";
import { startSaved } from "./leads/saved.js";
import { selection } from "./leads/selection.js";

startFilter();
startPageSize();
startCompanies();
startSaved();
startActivate();
startBulk();
startExport();
startReload();
startRowKeys();
selection.start();
