// What the page of imports does besides what every page does.
import { startFollowing } from "./imports/follow.js";
import { startUndo } from "./imports/undo.js";
import { startUpload } from "./imports/upload.js";

startUpload();
startUndo();
startFollowing();
