// Short messages in a corner, read aloud by screen readers, that go by themselves.
const STAY = 10_000;

/** `kind` is "success", "warning" or "danger". A message `about` something takes the place of an older one about the
 * same. `link` is {href, text}. */
export function toast(message, kind = "success", { about = "", link = null } = {}) {
  const toasts = document.getElementById("toasts");
  const box = document.createElement("div");
  box.className = `toast-message toast-${kind}`;
  box.dataset.about = about;
  const text = document.createElement("span");
  text.textContent = message;
  if (link) text.append(" ", linkTo(link));
  box.append(text, closeButton(box));
  const older = about && [...toasts.children].find((other) => other.dataset.about === about);
  if (older) older.replaceWith(box);
  else toasts.append(box);
  goAfter(box);
}

function linkTo({ href, text }) {
  const link = document.createElement("a");
  link.href = href;
  link.textContent = text;
  return link;
}

function closeButton(box) {
  const close = document.createElement("button");
  close.type = "button";
  close.className = "btn-close";
  close.setAttribute("aria-label", "Dismiss");
  close.addEventListener("click", () => box.remove());
  return close;
}

// Whoever reads or reaches for a message keeps it.
function goAfter(box) {
  let timer;
  const wait = () => (timer = setTimeout(() => box.remove(), STAY));
  const stay = () => clearTimeout(timer);
  for (const event of ["pointerenter", "focusin"]) box.addEventListener(event, stay);
  for (const event of ["pointerleave", "focusout"]) box.addEventListener(event, wait);
  wait();
}
