// Loaded in <head> without defer: the theme stands before the first paint.
(() => {
  "use strict";
  const KEY = "pok-theme";
  const dark = matchMedia("(prefers-color-scheme: dark)");

  function chosen() {
    try {
      return localStorage.getItem(KEY) || "auto";
    } catch {
      return "auto"; // storage is blocked: follow the system
    }
  }

  function apply() {
    const theme = chosen();
    const isDark = theme === "dark" || (theme === "auto" && dark.matches);
    document.documentElement.dataset.bsTheme = isDark ? "dark" : "light";
  }

  function choose(theme) {
    try {
      localStorage.setItem(KEY, theme);
    } catch {
      // The choice lasts for this page only.
    }
    apply();
  }

  apply();
  document.documentElement.classList.add("has-js");
  dark.addEventListener("change", apply);
  addEventListener("storage", (event) => event.key === KEY && apply());
  document.addEventListener("DOMContentLoaded", () => {
    const select = document.getElementById("theme");
    if (!select) return;
    select.value = chosen();
    select.addEventListener("change", () => choose(select.value));
  });
})();
