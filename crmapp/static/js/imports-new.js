// What the page of a file that is not imported yet does besides what every page does.
import { startMapping } from "./imports/mapping.js";

startMapping();
