// What the page of one job does besides what every page does.
import { startErrors } from "./jobs/errors.js";
import { startShown } from "./jobs/shown.js";

startShown();
startErrors();
