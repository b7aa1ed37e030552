// The server's time, so that elapsed times are right where this machine's clock is not.
let offset = 0;

/** Learn from the Date header of an answer. */
export function learnTime(response) {
  const date = response.headers.get("Date");
  if (date) offset = Date.parse(date) - Date.now();
}

export function serverNow() {
  return Date.now() + offset;
}
