// Who is selected.
import { Selection } from "../selection.js";

export const selection = new Selection(document.getElementById("users"), "userIds", "Nobody selected");
