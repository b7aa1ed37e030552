// Short messages in a corner, read aloud by screen readers, that go by themselves.
const STAY = 10_000;

/** `kind` is "success", "warning" or "danger". */
export function toast(message, kind = "success") {
  const box = document.createElement("div");
  box.className = `toast-message toast-${kind}`;
  const text = document.createElement("span");
  text.textContent = message;
  const close = document.createElement("button");
  close.type = "button";
  close.className = "btn-close";
  close.setAttribute("aria-label", "Dismiss");
  close.addEventListener("click", () => box.remove());
  box.append(text, close);
  document.getElementById("toasts").append(box);
  goAfter(box);
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
