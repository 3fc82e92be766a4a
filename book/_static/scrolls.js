/* A table or equation that is wider than the page scrolls: it fades at the edge that hides more, and keys reach
   it. What fits is no tab stop. */
document.addEventListener("DOMContentLoaded", () => {
  const wide = ".pst-scrollable-table-container, .text_html > div, div.math > mjx-container, article pre";
  const mark = (each) => {
    const hidden = each.scrollWidth - each.clientWidth;
    each.classList.toggle("scrolls", hidden > 1 && each.scrollLeft < hidden - 1);
    if (each.matches("pre")) return; // the theme makes tab stops of code that scrolls
    if (hidden > 1) each.tabIndex = 0;
    else each.removeAttribute("tabindex");
  };
  const observer = new ResizeObserver((changed) => changed.forEach(({ target }) => mark(target)));
  document.querySelectorAll(wide).forEach((each) => {
    observer.observe(each);
    each.addEventListener("scroll", () => mark(each), { passive: true });
  });
});
