// A file that is dropped or chosen is sent, and the page of what it holds opened.
const form = document.getElementById("drop-zone");
const input = document.getElementById("import-file");
const problem = document.getElementById("import-problem");
const sending = document.getElementById("import-sending");
const bar = sending.querySelector("progress");
const label = document.getElementById("sending-label");

export function startUpload() {
  form.addEventListener("submit", (event) => event.preventDefault());
  input.addEventListener("change", () => input.files[0] && send(input.files[0]));
  for (const type of ["dragenter", "dragover"]) form.addEventListener(type, over);
  for (const type of ["dragleave", "drop"]) form.addEventListener(type, () => form.classList.remove("is-over"));
  form.addEventListener("drop", drop);
  // A file that misses its mark must not take the place of the page.
  for (const type of ["dragover", "drop"]) document.addEventListener(type, (event) => event.preventDefault());
  // Back comes here again, with nothing under way.
  addEventListener("pageshow", (event) => event.persisted && reset());
  // It may have been chosen before this script was there.
  if (input.files[0]) send(input.files[0]);
}

function over(event) {
  event.preventDefault();
  if (!input.disabled) form.classList.add("is-over");
}

function drop(event) {
  event.preventDefault();
  const { files } = event.dataTransfer;
  if (input.disabled || !files.length) return;
  if (files.length > 1) return tell("Drop one file at a time.");
  send(files[0]);
}

function send(file) {
  tell("");
  if (file.size > Number(form.dataset.largest)) {
    reset();
    return tell("The file is larger than 256 MB. Split it, and import its parts one after the other.");
  }
  const data = new FormData();
  data.set("file", file);
  // Unlike fetch, it tells how much of the file has been sent.
  const request = new XMLHttpRequest();
  request.open("POST", form.getAttribute("action"));
  request.setRequestHeader("Accept", "application/json");
  request.setRequestHeader("X-CSRFToken", document.querySelector('meta[name="csrf-token"]').content);
  request.upload.addEventListener("progress", ({ loaded, total }) => showSent(file, (100 * loaded) / total));
  request.addEventListener("load", () => answered(request));
  request.addEventListener("error", () => fail("The server cannot be reached. Nothing was imported: try again."));
  input.disabled = true;
  sending.hidden = false;
  showSent(file, 0);
  request.send(data);
}

function showSent(file, percent) {
  bar.value = percent;
  label.textContent = percent < 100 ? `Sending ${file.name}…` : `Looking at ${file.name}…`;
}

function answered(request) {
  const { pathname } = location;
  if (request.status === 401) return location.assign(`/login?next=${encodeURIComponent(pathname)}`);
  try {
    const { data, msg } = JSON.parse(request.responseText);
    if (request.status === 201) location.assign(`${form.getAttribute("action")}/${data.id}`);
    else fail(msg);
  } catch {
    fail(`The server answered with an error (${request.status}). Nothing was imported: try again.`);
  }
}

function fail(text) {
  reset();
  tell(text);
  input.focus();
}

function reset() {
  form.reset();
  input.disabled = false;
  sending.hidden = true;
}

function tell(text) {
  problem.textContent = text;
  problem.hidden = !text;
}
