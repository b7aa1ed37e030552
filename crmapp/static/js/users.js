// What the list of users does besides what every page does.
import { startFilter } from "./filter.js";
import { startPageSize } from "./leads/page-size.js";
import { startAdd } from "./users/add.js";
import { startBulk } from "./users/bulk.js";
import { startReload } from "./users/reload.js";
import { startRowKeys } from "./users/row-keys.js";
import { selection } from "./users/selection.js";

startFilter();
startPageSize();
startAdd();
startBulk();
startReload();
startRowKeys();
selection.start();
