// The angle of two inputs: which gates are open at both, and how the angle closes from layer to layer.

import { drawing, element, plot, shape, slider, spoken, table } from "./parts.js";

const LAYERS = 20;
const UNITS = 16; // drawn as dots
const [WIDTH, HEIGHT, CENTRE, RADIUS] = [340, 284, [170, 164], 96];

/** Share of the units whose gates are open at two inputs at an angle. */
export const share = (angle) => (Math.PI - angle) / (2 * Math.PI);

/** The angle at each of so many gated layers, from that at the first: the arc-cosine map, again and again. */
export function angles(first, layers) {
  const found = [first];
  while (found.length < layers) {
    const angle = found.at(-1);
    const cosine = (Math.sin(angle) + (Math.PI - angle) * Math.cos(angle)) / Math.PI;
    found.push(Math.acos(Math.min(1, cosine)));
  }
  return found;
}

const radians = (degrees) => (degrees * Math.PI) / 180;
const degrees = (angle) => `${((angle * 180) / Math.PI).toFixed(1)}°`;
const percent = (part) => `${(100 * part).toFixed(1)} %`;

/** A point at an angle from upright, clockwise. */
const place = (angle, radius) => [CENTRE[0] + radius * Math.sin(angle), CENTRE[1] - radius * Math.cos(angle)];
const point = (angle, radius) => place(angle, radius).map((at) => at.toFixed(2)).join(" ");

const arc = (from, to, radius) =>
  `M${point(from, radius)}A${radius} ${radius} 0 ${to - from > Math.PI ? 1 : 0} 1 ${point(to, radius)}`;
const sector = (from, to) => `${arc(from, to, RADIUS)}L${CENTRE.join(" ")}Z`;

function word(words, [x, y], look = {}) {
  return shape("text", { x, y: y + 5, "text-anchor": "middle", ...look }, words);
}

/** The disc of directions: the halves around two inputs, where they overlap, and units as dots. */
function disc(angle, first, colour) {
  const [half, border] = [angle / 2, Math.PI / 2 - angle / 2];
  const arrow = (at, look) => shape("path", { d: `M${CENTRE.join(" ")}L${point(at, RADIUS + 14)}`, fill: "none", stroke: "currentColor", ...look });
  const roomy = (width, ...shapes) => (width > 0.7 ? shapes : []); // a narrow sector has no room for words
  const units = Array.from({ length: UNITS }, (_, k) => ((k + 0.5) / UNITS) * 2 * Math.PI - Math.PI);
  return [
    shape("path", { d: sector(half - Math.PI / 2, half + Math.PI / 2), class: "widget-shade" }),
    shape("path", { d: sector(-half - Math.PI / 2, Math.PI / 2 - half), class: "widget-shade" }),
    shape("path", { d: sector(-border, border), fill: colour, "fill-opacity": 0.45 }),
    shape("path", { d: arc(-border, border, RADIUS + 25), fill: "none", stroke: colour, "stroke-width": 2 }),
    ...units.map((at) => {
      const [[cx, cy], open] = [place(at, RADIUS), Math.abs(at) < border];
      return shape("circle", { cx, cy, r: 5, stroke: "currentColor", class: "widget-dot", ...(open ? { style: `fill: ${colour}` } : {}) });
    }),
    ...[-1, 1].flatMap((side) => [
      arrow((side * first) / 2, { "stroke-dasharray": "3 3", opacity: 0.6 }),
      arrow(side * half, { "stroke-width": 2 }),
      word(side < 0 ? "i" : "j", place(side * Math.max(half + 0.09, 0.25), RADIUS + 36), { "font-style": "italic" }),
    ]),
    shape("path", { d: arc(-half, half, 26), fill: "none", stroke: "currentColor" }),
    word("open at both: π − θ", [CENTRE[0], 10]),
    ...roomy(Math.PI - angle, word("neither", place(Math.PI, 62))),
    ...roomy(angle, word("only i", place(-Math.PI / 2, 62)), word("only j", place(Math.PI / 2, 62))),
  ];
}

/** What one takes hold of to turn the inputs: the tips of the first layer's arrows. */
function handles(picture, turned) {
  const tips = [-1, 1].map((side) => [side, shape("circle", { r: 7, class: "widget-handle" })]);
  let held = false;
  for (const [, tip] of tips) {
    tip.addEventListener("touchstart", (event) => event.preventDefault()); // else the page scrolls under the finger
    tip.addEventListener("pointerdown", (event) => {
      held = true;
      tip.setPointerCapture(event.pointerId);
    });
    tip.addEventListener("pointermove", (event) => {
      if (!held) return;
      const box = picture.getBoundingClientRect();
      const scale = WIDTH / box.width;
      const [right, up] = [(event.clientX - box.left) * scale - CENTRE[0], CENTRE[1] - (event.clientY - box.top) * scale];
      turned(Math.min(180, Math.round((2 * Math.abs(Math.atan2(right, up)) * 180) / Math.PI)));
    });
    for (const end of ["pointerup", "pointercancel"]) tip.addEventListener(end, () => { held = false; });
  }
  picture.append(...tips.map(([, tip]) => tip));
  return (angle) => {
    for (const [side, tip] of tips) {
      const [cx, cy] = place((side * angle) / 2, RADIUS + 14);
      tip.setAttribute("cx", cx);
      tip.setAttribute("cy", cy);
    }
  };
}

export function render({ model, el }) {
  const colour = model.get("colours").plain;
  const angle = slider("angle of the inputs", { min: 0, max: 180, value: model.get("degrees"), show: (value) => `${value}°` },
    (value) => model.set("degrees", value));
  const depth = slider("gated layer", { min: 1, max: LAYERS, value: model.get("layer") }, (value) => model.set("layer", value));
  const picture = drawing({
    width: WIDTH, height: HEIGHT,
    says: "Directions of weights in the plane of two inputs, and the wedge of those whose gates are open at both",
  });
  const curve = plot({
    x: { from: 1, to: LAYERS, ticks: [1, 5, 10, 15, 20], label: "gated layer" },
    y: { from: 0, to: 180, ticks: [0, 90, 180], label: "angle θ in degrees" },
    height: 240, says: "The angle of the two inputs against the layer, closing towards zero",
  });
  const sentence = spoken();
  const numbers = table("The same in numbers", ["gated layer", "angle", "open at both"]);
  const hold = handles(picture.node, (value) => model.set("degrees", value));

  function show() {
    const [first, layer] = [radians(model.get("degrees")), model.get("layer")];
    const all = angles(first, LAYERS);
    const now = all[layer - 1];
    picture.draw(disc(now, first, colour));
    hold(first);
    const closing = all.map((value, k) => [k + 1, (value * 180) / Math.PI]);
    curve.draw([
      { line: closing, colour, width: 2 },
      ...closing.map((dot) => ({ dot, colour, radius: 2.5 })),
      { dot: closing[layer - 1], colour, radius: 6 },
    ]);
    sentence.textContent =
      `Gated layer ${layer}: the inputs are ${degrees(now)} apart. ` +
      `The gates of ${percent(share(now))} of the units are open at both, (π − θ)/(2π).`;
    numbers.fill([1, 2, 3, 5, 10, 15, 20].map((at) => [at, degrees(all[at - 1]), percent(share(all[at - 1]))]));
    el.setAttribute("data-ready", ""); // for those who wait
  }

  el.append(
    element("div", { class: "widget-row widget-wraps" }, angle.node, depth.node),
    element("div", { class: "widget-sides" }, picture.node, curve.node),
    sentence, numbers.node);
  model.on("change:degrees", () => { angle.set(model.get("degrees")); show(); });
  model.on("change:layer", () => { depth.set(model.get("layer")); show(); });
  show();
}
