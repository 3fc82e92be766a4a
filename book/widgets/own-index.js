// An activation of the reader's own, piecewise linear between seven points, and its shattering index.

import { button, element, minus, plot, slider, spoken, table, within } from "./parts.js";

const KNOTS = [-3, -2, -1, 0, 1, 2, 3];

/** Value and slope at z of the lines through the points (KNOTS, heights), which go on beyond the outermost. */
export function activation(heights, z) {
  const piece = within(Math.floor(z - KNOTS[0]), 0, KNOTS.length - 2);
  const slope = heights[piece + 1] - heights[piece];
  return { value: heights[piece] + slope * (z - KNOTS[piece]), slope };
}

/** Means over a standard normal, by Simpson's rule on pieces that end at the knots. */
export function averages(heights) {
  const sums = { mean: 0, square: 0, meanSlope: 0, squareSlope: 0 };
  const steps = 100; // of a piece of length 1
  for (let start = -9; start < 9; start++) {
    for (let k = 0; k <= steps; k++) {
      const z = start + k / steps;
      const inside = start + within(k, 0.5, steps - 0.5) / steps; // on this piece also at its ends
      const { slope } = activation(heights, inside);
      const value = activation(heights, inside).value + slope * (z - inside);
      const weight = ((k === 0 || k === steps ? 1 : k % 2 ? 4 : 2) / (3 * steps)) * Math.exp(-z * z / 2) / Math.sqrt(2 * Math.PI);
      sums.mean += weight * value;
      sums.square += weight * value * value;
      sums.meanSlope += weight * slope;
      sums.squareSlope += weight * slope * slope;
    }
  }
  const variance = sums.square - sums.mean ** 2;
  return {
    exists: variance > 1e-12 * sums.square,
    decay: sums.meanSlope ** 2 / sums.squareSlope,
    growth: sums.squareSlope / variance,
    index: (sums.squareSlope - sums.meanSlope ** 2) / variance,
  };
}

const SHAPES = {
  "rectifier": KNOTS.map((z) => Math.max(z, 0)),
  "leaky": KNOTS.map((z) => Math.max(z, 0.2 * z)),
  "hat": [-1, -1, -1, 0, 1, 1, 1],
  "absolute value": KNOTS.map(Math.abs),
  "line": KNOTS,
};

export function render({ model, el }) {
  const picture = plot({
    x: { from: -3.2, to: 3.2, ticks: KNOTS, label: "preactivation z" },
    y: { from: -3, to: 3, ticks: [-3, 0, 3], label: "φ(z)" },
    height: 220, says: "The activation, lines between seven points",
  });
  const scale = plot({
    x: { from: 0, to: 3, ticks: [0, 1, 2, 3], label: "shattering index κ" }, y: { from: 0, to: 1, ticks: [] },
    height: 100, says: "The index on a line, beside those of known activations",
  });
  const sentence = spoken();
  const numbers = table("The same in numbers", ["activation", "index κ"]);
  const heights = KNOTS.map((z, k) => slider(`φ(${minus(z)}) =`,
    { min: -3, max: 3, step: 0.1, value: model.get("heights")[k], show: (value) => value.toFixed(1) },
    (value) => model.set("heights", model.get("heights").with(k, value))));

  function show() {
    const chosen = model.get("heights");
    const [colour, other] = ["plain", "residual"].map((name) => model.get("colours")[name]);
    const at = (z) => [z, within(activation(chosen, z).value, -3, 3)];
    picture.draw([
      { line: [[-3.2, 0], [3.2, 0]], width: 0.5 },
      { line: Array.from({ length: 129 }, (_, k) => at(-3.2 + k / 20)), colour, width: 2.2 },
      ...KNOTS.map((z) => ({ dot: at(z), colour })),
    ]);
    const { exists, decay, growth, index } = averages(chosen);
    const known = Object.entries(model.get("known")).sort((a, b) => a[1] - b[1]);
    scale.draw([
      ...known.map(([, value]) => ({ line: [[value, 0], [value, 0.35]], width: 1 })),
      ...known.map(([name, value], k) => ({ words: name, at: [value, 0.42 + 0.2 * (k % 3)], anchor: "middle" })),
      ...(exists ? [{ dot: [within(index, 0, 3), 0.12], colour: other, radius: 6 }] : []),
    ]);
    sentence.textContent = exists
      ? `κ = ${index.toFixed(3)}: in a residual network with batch norm R falls like L to the power −κ. ` +
        `A plain layer with batch norm multiplies R by s = ${decay.toFixed(3)}, and the gradients' variance by χ = ${growth.toFixed(3)}.`
      : "A constant carries no signal: it has no index.";
    numbers.fill([...(exists ? [["yours", index.toFixed(3)]] : []), ...known.map(([name, value]) => [name, value.toFixed(3)])]);
    el.setAttribute("data-ready", ""); // for those who wait
  }

  el.append(
    element("div", { class: "widget-row widget-wraps" }, ...Object.entries(SHAPES).map(([name, shape]) =>
      button(name, () => model.set("heights", [...shape])))),
    picture.node, element("div", { class: "widget-grid" }, ...heights.map(({ node }) => node)),
    scale.node, sentence, numbers.node);
  model.on("change:heights", () => {
    heights.forEach(({ set }, k) => set(model.get("heights")[k]));
    show();
  });
  show();
}
