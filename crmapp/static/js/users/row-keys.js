// Keys of the list: from person to person, select, open. The link of the person that one is at has the focus, so Enter opens
// it.
import { onKey } from "../keys.js";

const list = document.getElementById("users");

export function startRowKeys() {
  onKey("j", "Next user", () => move(1));
  onKey("k", "Previous user", () => move(-1));
  onKey("x", "Select the user, or not", toggle);
}

function move(by) {
  const rows = [...list.querySelectorAll("tbody tr")];
  const at = rows.indexOf(document.activeElement.closest("tr"));
  const next = at < 0 ? 0 : Math.min(Math.max(at + by, 0), rows.length - 1);
  rows[next]?.querySelector("a.name").focus();
}

function toggle() {
  const box = list.contains(document.activeElement) && document.activeElement.closest("tr")?.querySelector(".select-row");
  if (!box) return false;
  box.click();
}
