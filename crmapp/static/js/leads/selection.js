// Which leads are selected.
import { Selection } from "../selection.js";

export const selection = new Selection(document.getElementById("leads"), "leadIds", "No leads selected");
