// What the audit log does besides what every page does.
import { startFilter } from "./filter.js";

startFilter();
