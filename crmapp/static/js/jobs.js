// What the page of jobs does besides what every page does.
import { startActive } from "./jobs/active.js";
import { startRows } from "./jobs/rows.js";

startActive();
startRows();
