// Sets the colours before the first paint. A classic script in <head>: a module would run too late.
(() => {
  const dark = matchMedia("(prefers-color-scheme: dark)");

  function apply() {
    let choice = null;
    try {
      choice = localStorage.getItem("crmapp.theme");
    } catch {
      // Storage is switched off: follow the system.
    }
    const theme = choice === "light" || choice === "dark" ? choice : dark.matches ? "dark" : "light";
    document.documentElement.dataset.bsTheme = theme;
  }

  apply();
  dark.addEventListener("change", apply);
  addEventListener("storage", apply);
  addEventListener("crmapp:theme", apply);
})();
