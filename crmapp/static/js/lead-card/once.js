// A second click on the button of the form sends nothing again.
export function startOnce() {
  const form = document.getElementById("lead-form");
  let sent = false;
  form.addEventListener("submit", (event) => {
    if (sent) event.preventDefault();
    sent = true;
  });
  // A page that one comes back to may be sent again.
  addEventListener("pageshow", () => (sent = false));
}
