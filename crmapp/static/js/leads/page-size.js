// How many leads a page has: a choice counts at once. It stands below the list, outside of the form that it belongs to.
export function startPageSize() {
  document.getElementById("page-size").addEventListener("change", ({ target }) => target.form.requestSubmit());
}
