// The server speaks UTC, the person in front of the page the time of their own zone.
export function startTime() {
  const field = document.getElementById("at");
  const iso = field.dataset.iso;
  const shown = iso ? local(utc(iso)) : "";
  // A browser restores what was typed when it goes back to a page.
  if (field.value === field.defaultValue) field.value = shown;
  document.getElementById("at-hint").textContent = `Your time zone: ${zone()}.`;
  field.form.addEventListener("formdata", ({ formData }) => {
    // What was not touched keeps its seconds.
    if (field.value) formData.set("at", field.value === shown ? iso : new Date(field.value).toISOString());
  });
}

/** The time of an ISO text, which is in UTC also where it does not say so. */
function utc(iso) {
  return new Date(/(Z|[+-]\d\d:?\d\d)$/.test(iso) ? iso : `${iso}Z`);
}

/** A time as a datetime-local field holds it. */
function local(time) {
  if (Number.isNaN(time.getTime())) return "";
  return new Date(time.getTime() - time.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

function zone() {
  return Intl.DateTimeFormat().resolvedOptions().timeZone;
}
