// Copies the token that was made; where there is no clipboard, it stands there to be copied by hand.
const made = document.getElementById("made");
const copy = document.getElementById("copy");

if (made && navigator.clipboard) {
  copy.hidden = false;
  copy.addEventListener("click", async () => {
    await navigator.clipboard.writeText(made.value);
    document.getElementById("copied").textContent = "Copied.";
  });
}
