// Shows times in the reader's zone: "3 hours ago" with the exact time on hover, kept true, or the exact time.
const RELATIVE = new Intl.RelativeTimeFormat("en", { numeric: "auto" });
const EXACT = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "medium" });
const UNITS = [
  ["year", 31_557_600],
  ["month", 2_629_800],
  ["week", 604_800],
  ["day", 86_400],
  ["hour", 3600],
  ["minute", 60],
];

export function showTimes() {
  for (const time of document.querySelectorAll("time[data-relative]")) {
    const at = new Date(time.dateTime);
    time.textContent = ago((Date.now() - at) / 1000);
    time.title = exact(at);
  }
  for (const time of document.querySelectorAll("time[data-exact]")) time.textContent = exact(new Date(time.dateTime));
}

/** Date and time to the second, in this machine's zone. */
export function exact(time) {
  return EXACT.format(time);
}

export function startTimes() {
  showTimes();
  setInterval(showTimes, 60_000);
}

function ago(seconds) {
  const [unit, length] = UNITS.find(([, length]) => seconds >= length) ?? [];
  return unit ? RELATIVE.format(-Math.floor(seconds / length), unit) : "just now";
}
