// What the list of goals does besides what every page does.
import { startFilter } from "./filter.js";

startFilter();
