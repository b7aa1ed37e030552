// What the page of the e-mail queue does besides what every page does.
import { startActions } from "./email-queue/actions.js";
import { startCorrect } from "./email-queue/correct.js";
import { startDrop } from "./email-queue/drop.js";
import { startHealth } from "./email-queue/health.js";
import { startRefresh } from "./email-queue/refresh.js";
import { selection } from "./email-queue/selection.js";
import { startTimelines } from "./email-queue/timeline.js";
import { startFilter } from "./filter.js";

startFilter();
startHealth();
startActions();
startCorrect();
startDrop();
startTimelines();
startRefresh();
selection.start();
