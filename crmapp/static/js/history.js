// What the history of jobs does besides what every page does.
import { startFilter } from "./filter.js";
import { startRows } from "./jobs/rows.js";

startFilter();
startRows();
