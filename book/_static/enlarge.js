/* A figure that is tapped, or opened with Enter, is shown large over the page: whole, and after a tap in its full size;
   the other way round where the whole is hardly larger than on the page. Escape, the button, or going back closes it. */
document.addEventListener("click", (event) => {
  const link = event.target.closest("a.enlarge");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  const dialog = document.createElement("dialog");
  dialog.className = "enlarged";
  dialog.setAttribute("aria-label", "Enlarged figure");
  const button = document.createElement("button");
  button.textContent = "Close";
  const shown = link.querySelector("img");
  const picture = shown.cloneNode();
  picture.loading = "eager";
  picture.style.setProperty("--ratio", shown.offsetWidth / shown.offsetHeight);
  const whole = Math.min(innerWidth, (innerHeight * shown.offsetWidth) / shown.offsetHeight);
  dialog.classList.toggle("near", whole < 1.3 * shown.offsetWidth);
  dialog.append(button, picture);
  picture.addEventListener("click", () => dialog.classList.toggle("near"));
  button.addEventListener("click", () => dialog.close());
  const back = () => dialog.close();
  const escape = ({ key }) => key === "Escape" && dialog.close();
  dialog.addEventListener("close", () => {
    removeEventListener("popstate", back);
    removeEventListener("keydown", escape, true);
    dialog.remove();
    if (history.state === "enlarged") history.back();
  });
  document.body.append(dialog);
  dialog.showModal();
  history.pushState("enlarged", "");
  addEventListener("popstate", back);
  addEventListener("keydown", escape, true);
});

