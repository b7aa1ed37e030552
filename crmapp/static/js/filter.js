// The filter of a list: a choice counts at once, and empty fields stay out of the address.
export function startFilter() {
  const form = document.getElementById("filter");
  form.addEventListener("change", (event) => event.target.matches("select") && form.requestSubmit());
  form.addEventListener("formdata", ({ formData }) => {
    for (const [name, value] of [...formData]) if (!value) formData.delete(name);
  });
  // A page that is gone back to shows what it is narrowed to, not what was chosen when it was left.
  addEventListener("pageshow", (event) => event.persisted && form.reset());
}
