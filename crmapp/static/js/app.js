// What every page of the back office does.
import { startBanner } from "./banner.js";
import { startConnection } from "./connection.js";
import { live } from "./live.js";
import { startMenu } from "./menu.js";
import { startQueueBadge } from "./queue-badge.js";
import { startSentences } from "./sentence.js";
import { startTheme } from "./theme.js";
import { startTimes } from "./times.js";
import { startAnnouncer } from "./tracker/announcer.js";
import { trackerDialog } from "./tracker/dialog.js";
import { startDock } from "./tracker/dock.js";
import { startStarted } from "./tracker/started.js";

startTheme();
startMenu();
startTimes();
startSentences();
startBanner();
startQueueBadge();
startConnection();
trackerDialog.start();
startDock();
startAnnouncer();
startStarted();
live.start();
