// Shows times as "3 hours ago", with the exact time on hover, and keeps them true.
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
    time.title = EXACT.format(at);
  }
}

export function startTimes() {
  showTimes();
  setInterval(showTimes, 60_000);
}

function ago(seconds) {
  const [unit, length] = UNITS.find(([, length]) => seconds >= length) ?? [];
  return unit ? RELATIVE.format(-Math.floor(seconds / length), unit) : "just now";
}
