// Numbers, plurals and durations as text.
const GROUPED = new Intl.NumberFormat("en");

export function number(value) {
  return GROUPED.format(value);
}

/** count(2, "user") is "2 users". */
export function count(value, noun) {
  return `${number(value)} ${noun}${value === 1 ? "" : "s"}`;
}

/** Seconds as "42 s", "3 min 5 s" or "2 h 10 min". */
export function duration(seconds) {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
}
