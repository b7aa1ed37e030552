// The numbers of the page: those of the tabs, and of the reasons why mail failed.
const tabs = document.querySelector(".tabs");
const groups = document.getElementById("groups");

/** Show the counts of `page`, a newer version of this document. */
export function showCounts(page) {
  for (const tab of page.querySelectorAll(".tabs a")) {
    const shown = tabs.querySelector(`[data-state="${tab.dataset.state}"]`);
    shown.dataset.count = tab.dataset.count;
    copyText(tab, shown, "count");
  }
  const dropped = page.querySelector(".dropped-link");
  if (dropped) copyText(dropped, document.querySelector(".dropped-link"), "dropped");
}

/** Show the groups of `page`. Those that stay are not touched, because somebody may be about to press one. */
export function showGroups(page) {
  if (!groups) return;
  const newer = new Map([...page.querySelectorAll(".group")].map((group) => [group.dataset.reason, group]));
  for (const group of [...groups.children]) {
    const now = newer.get(group.dataset.reason);
    newer.delete(group.dataset.reason);
    if (now) copyText(now, group, "count");
    else remove(group);
  }
  groups.append(...newer.values());
}

function remove(group) {
  const focused = group.contains(document.activeElement);
  group.remove();
  if (focused) document.getElementById("queue-list").focus({ preventScroll: true });
}

function copyText(from, to, name) {
  const [source, target] = [from, to].map((root) => root.querySelector(`[data-field="${name}"]`));
  if (source && target && source.textContent !== target.textContent) target.textContent = source.textContent;
}
