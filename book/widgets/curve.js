// One curve for every network: similarity of the outputs against that of the inputs, and its two slopes.

import { choice, element, minus, plot, slider, spoken, table, within } from "./parts.js";

const PI = Math.PI;

/** Dual of a rectifier that lets a share of the negative side through: value and slope at the cosine c. */
function leaky(share) {
  const angle = (c) => Math.acos(within(c, -1, 1));
  const square = (1 + share * share) / 2;
  return {
    value: (c) => {
      const arc = (Math.sin(angle(c)) + (PI - angle(c)) * c) / (2 * PI);
      return (share * c + (1 - share) ** 2 * arc) / square;
    },
    slope: (c) => (share + (1 - share) ** 2 * (PI - angle(c)) / (2 * PI)) / square,
  };
}

/** Dual of a smooth activation, from the shares p_k of its Hermite degrees: sum of p_k c^k. */
function series(shares) {
  return {
    value: (c) => shares.reduceRight((sum, share) => sum * c + share, 0),
    slope: (c) => shares.reduceRight((sum, share, k) => (k ? sum * c + k * share : sum), 0),
  };
}

export const NETWORKS = {
  "plain": { kept: 0, added: 1 },
  "plain, batch norm": { kept: 0, added: 1, centred: true, normalised: true },
  "residual, layer norm": { kept: 1, added: 1, normalised: true },
  "residual, batch norm": { kept: 1, added: 1, centred: true, normalised: true },
  "residual, beta 0.1": { kept: 1, added: 0.01, centred: true, normalised: true },
  "highway": { kept: 0.9, added: 0.1 },
};

/** The dual of a named activation; `shares` has those that no closed form is known of. */
export function dual(name, shares) {
  const closed = { "rectifier": 0, "leaky, 0.2": 0.2, "linear": 1 };
  return name in closed ? leaky(closed[name]) : series(shares[name]);
}

/** Layer by layer, from layer 0: similarity of the outputs, and covariance of the gradients, the slope dK_L/dK_0. */
export function similarities(network, { value, slope }, cosine, depth) {
  const { kept, added, centred, normalised } = NETWORKS[network];
  const mean = centred ? value(0) : 0;
  let [covariance, variance, gradients] = [cosine, 1, 1];
  const found = [{ similarity: cosine, gradients }];
  for (let layer = 0; layer < depth; layer++) {
    const c = covariance / variance;
    const size = normalised ? 1 : variance;
    gradients *= kept + (added * size / variance) * slope(c);
    covariance = kept * covariance + added * size * (value(c) - mean);
    variance = kept * variance + added * size * (value(1) - mean);
    found.push({ similarity: covariance / variance, gradients, variance });
  }
  return found;
}

const GRID = Array.from({ length: 161 }, (_, i) => Math.cos(PI * (1 - i / 160)));

export function render({ model, el }) {
  const shares = model.get("shares");
  const depth = slider("depth L =", { min: 1, max: 50, value: model.get("depth") }, (value) => model.set("depth", value));
  const cosine = slider("inputs, c =", { min: -0.95, max: 0.95, step: 0.05, value: model.get("cosine"), show: (c) => c.toFixed(2) },
    (value) => model.set("cosine", value));
  const picture = plot({
    x: { from: -1, to: 1, ticks: [-1, -0.5, 0, 0.5, 1], label: "similarity of the inputs, c" },
    y: { from: -1, to: 1, ticks: [-1, 0, 1], label: "similarity of the outputs" },
    height: 300, says: "Similarity of the outputs against similarity of the inputs, with a tangent at the chosen inputs and one at identical ones",
  });
  const sentence = spoken();
  const numbers = table("The same in numbers", ["depth", "similarity of the outputs", "C(i, j)", "C(i)", "R(i, j)"]);

  function show() {
    const [network, L, c] = [model.get("network"), model.get("depth"), model.get("cosine")];
    const layer = dual(model.get("activation"), shares);
    const curve = GRID.map((at) => similarities(network, layer, at, L));
    const [pair, alike] = [c, 1].map((at) => similarities(network, layer, at, L));
    const colour = model.get("colours")[network];
    const at = (l) => GRID.map((x, i) => [x, curve[i][l].similarity]);
    const earlier = [1, 2, 5, 10, 20].filter((l) => l < L).map((l) => ({ line: at(l), width: 0.6 }));
    const tangent = (x, l, reach) => { // in the units of the plot, where a variance is 1
      const { similarity, gradients, variance = 1 } = l;
      const steepness = gradients / variance;
      const run = reach / Math.hypot(1, steepness);
      return [-run, x < 1 ? run : 0].map((step) => [x + step, similarity + steepness * step]);
    };
    picture.draw([
      ...earlier, { line: at(L), colour, width: 2.2 },
      { line: tangent(c, pair[L], 0.3), width: 2, dash: "5 3" }, { dot: [c, pair[L].similarity], colour },
      { line: tangent(1, alike[L], 0.3), width: 2, dash: "5 3" }, { dot: [1, alike[L].similarity], colour },
    ]);
    const row = (l) => [pair[l].similarity, pair[l].gradients, alike[l].gradients, pair[l].gradients / alike[l].gradients];
    const words = (number) => minus(Math.abs(number) >= 1e-3 || number === 0 ? number.toPrecision(3) : number.toExponential(1));
    const [similarity, covariance, variance, correlation] = row(L).map(words);
    sentence.textContent = `The outputs' similarity is ${similarity}. Slope here: C(i, j) = ${covariance}. ` +
      `Slope at identical inputs: C(i) = ${variance}. Their ratio is the correlation of gradients, R = ${correlation}.`;
    numbers.fill([1, 2, 5, 10, 20, 50].filter((l) => l <= L).map((l) => [l, ...row(l).map(words)]));
    el.setAttribute("data-ready", ""); // for those who wait
  }

  const named = (names, called = {}) => Object.fromEntries(names.map((name) => [name, called[name] ?? name]));
  el.append(
    choice("network", named(Object.keys(NETWORKS), { "residual, beta 0.1": "residual, batch norm, β = 0.1", "highway": "highway, 0.9 kept" }),
      model.get("network"), (value) => model.set("network", value)),
    choice("activation", named(["rectifier", "leaky, 0.2", "linear", ...Object.keys(shares)]),
      model.get("activation"), (value) => model.set("activation", value)),
    element("div", { class: "widget-row widget-wraps" }, depth.node, cosine.node),
    picture.node, sentence, numbers.node);
  for (const name of ["network", "activation", "depth", "cosine"]) model.on(`change:${name}`, show);
  show();
}
