// Which failed mail is selected.
import { Selection } from "../selection.js";

export const selection = new Selection(document.getElementById("queue-list"), "ids", "No mail selected");
