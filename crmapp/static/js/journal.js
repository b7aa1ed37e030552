// What the journal's list does besides what every page does.
import { startFilter } from "./filter.js";

startFilter();
