// What the page of a goal does besides what every page does.
import { startDelete } from "../delete.js";

startDelete();
