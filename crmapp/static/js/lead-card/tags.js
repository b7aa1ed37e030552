// Suggests tags for what is typed after the last comma.
export function startTags() {
  const field = document.getElementById("tags");
  const list = document.getElementById("tag-options");
  const every = [...list.options].map((option) => option.value);

  field.addEventListener("input", offer);
  offer();

  function offer() {
    const before = field.value.slice(0, field.value.lastIndexOf(",") + 1);
    const there = new Set(before.split(",").map((tag) => tag.trim().toLowerCase()));
    const free = every.filter((tag) => !there.has(tag.toLowerCase()));
    list.replaceChildren(...free.map((tag) => new Option("", before ? `${before.trim()} ${tag}` : tag)));
  }
}
