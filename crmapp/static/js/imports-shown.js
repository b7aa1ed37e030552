// What the page of an import that was started does besides what every page does.
import { startFollowing } from "./imports/follow.js";
import { startUndo } from "./imports/undo.js";
import { startShown } from "./jobs/shown.js";

startUndo();
startFollowing();
if (document.getElementById("job")) startShown();
