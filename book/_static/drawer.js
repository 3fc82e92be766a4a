/* The contents of a page, which a phone shows in a drawer, give way to what they lead to. */
document.addEventListener("click", ({ target }) => {
  if (!target.closest(".bd-sidebar-secondary a")) return;
  document.getElementById("pst-secondary-sidebar-checkbox").checked = false;
  target.closest("dialog")?.close();
});
