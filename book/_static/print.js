/* A page that is printed has its proofs and solutions unfolded, and is light even where the screen is dark. */
(() => {
  const root = document.documentElement;
  let folded = [], theme;
  window.addEventListener("beforeprint", () => {
    folded = [...document.querySelectorAll("article :is(details.sd-dropdown, details.solution):not([open])")];
    folded.forEach((each) => (each.open = true));
    theme = root.dataset.theme;
    root.dataset.theme = "light";
  });
  window.addEventListener("afterprint", () => {
    folded.forEach((each) => (each.open = false));
    root.dataset.theme = theme;
  });
})();
