/* A figure that is tapped, or opened with Enter, is shown large over the page; Escape, a tap or the button closes it. */
document.addEventListener("click", (event) => {
  const link = event.target.closest("a.enlarge");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  const dialog = document.createElement("dialog");
  dialog.className = "enlarged";
  dialog.setAttribute("aria-label", "Enlarged figure");
  const button = document.createElement("button");
  button.textContent = "Close";
  const picture = link.querySelector("img").cloneNode();
  picture.loading = "eager";
  dialog.append(button, picture);
  dialog.addEventListener("click", () => dialog.close());
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
});
