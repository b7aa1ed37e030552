// What the page of a journal entry does besides what every page does.
import { startDelete } from "../delete.js";
import { startLead } from "./lead.js";
import { startTime } from "./time.js";

startLead();
startTime();
startDelete();
