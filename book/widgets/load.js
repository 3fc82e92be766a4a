// Brings the dials of a page to life. Their modules come with the page, so that they run from a disk as well.

const modules = JSON.parse(document.getElementById("widget-modules").textContent);
const addresses = {};
// Addresses that hold the module itself: from a disk, browsers start workers from no other.
const address = (name) => (addresses[name] ??= "data:text/javascript," + encodeURIComponent(
  modules[name].replace(/from "\.\/([\w-]+)\.js"/g, (_, other) => `from "${address(other)}"`)));

/** The part of anywidget's model that dials use. */
class Model {
  #state;
  #listeners = {};
  constructor(state) { this.#state = state; }
  get(name) { return this.#state[name]; }
  set(name, value) {
    this.#state[name] = value;
    for (const listener of this.#listeners[`change:${name}`] ?? []) listener();
  }
  on(event, listener) { (this.#listeners[event] ??= []).push(listener); }
}

async function bring(place) {
  const { name, state } = JSON.parse(place.querySelector("script").textContent);
  const el = document.createElement("div");
  el.className = "widget-live";
  place.prepend(el);
  try {
    const { render } = await import(address(name));
    place.model = new Model(state); // for tests and for the curious
    await render({ model: place.model, el });
  } catch (failure) {
    place.classList.add("widget-failed"); // which shows the still
    throw failure;
  }
}

const near = new IntersectionObserver((entries) => {
  for (const { isIntersecting, target } of entries) {
    if (!isIntersecting) continue;
    near.unobserve(target);
    bring(target);
  }
}, { rootMargin: "400px" });
document.querySelectorAll(".widget").forEach((place) => near.observe(place));
