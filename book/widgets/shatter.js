// The start page: a random network, simulated here, and its slope from one input to the next.

import { address, KINDS } from "./network.js";
import { button, choice, element, minus, plot, slider, spoken, table, within } from "./parts.js";

const DEPTH = 100;
const WIDTH = 128;
const EVERY = 2; // of the inputs, in the map
const INPUTS = Array.from({ length: 256 }, (_, i) => -2 + (4 * i) / 255);
const SPAN = 4;
const SHOWN = 4; // root mean squares
const NAMES = {
  "plain": "plain", "plain, batch norm": "plain, batch norm", "residual": "residual",
  "residual, beta 0.1": "residual, batch norm, β = 0.1", "highway": "highway", "looks linear": "looks linear",
};

/** Two figures, as people write them. */
const round = (number) => (number < 100 ? number.toFixed(number < 10 ? 2 : 0) : Number(number.toPrecision(2)).toLocaleString("en-GB"));

/** The map as an image: blue where slopes agree, red where they are opposed. */
function paint(canvas, map) {
  const inputs = Math.sqrt(map.length);
  canvas.width = canvas.height = inputs;
  const pen = canvas.getContext("2d");
  const image = pen.createImageData(inputs, inputs);
  map.forEach((value, k) => {
    const row = inputs - 1 - Math.floor(k / inputs); // the first input at the bottom, as in a plot
    const weak = 255 * (1 - Math.min(1, Math.abs(value)));
    const colour = value > 0 ? [15 + weak * 0.94, 105 + weak * 0.59, 195 + weak * 0.24] : [215 + weak * 0.16, weak, 45 + weak * 0.82];
    image.data.set([...colour, 255], 4 * (row * inputs + (k % inputs)));
  });
  pen.putImageData(image, 0, 0);
}

export function render({ model, el }) {
  let layers = [];
  let worker = null;

  const depth = slider("depth L =", { min: 1, max: DEPTH, value: model.get("depth") }, (value) => model.set("depth", value));
  const slopes = plot({
    x: { from: -2, to: 2, ticks: [-2, -1, 0, 1, 2], label: "input x" },
    y: { from: -SHOWN, to: SHOWN, ticks: [-3, 0, 3], label: "slope, in its size" },
    height: 190, says: "Slope of the network against its input, in units of its root mean square",
  });
  const agreement = plot({
    x: { from: 0, to: SPAN / 2, ticks: [0, 0.5, 1, 1.5, 2], label: "distance of two inputs" },
    y: { from: -0.3, to: 1, ticks: [0, 0.5, 1], label: "correlation" },
    height: 190, says: "Correlation of the slopes at two inputs against their distance",
  });
  const map = element("canvas", { role: "img", "aria-label": "Correlation of the slopes at each pair of inputs" });
  const sentence = spoken();
  const numbers = table("The same in numbers", ["depth", "size of the slope", "correlation side by side", "at distance 1"]);

  const found = (layer) => {
    const { agreement: at, size } = layers[layer];
    return [layer, round(size / layers[0].size), at[1].toFixed(2), at[Math.round((at.length - 1) / SPAN)].toFixed(2)].map(minus);
  };

  function show() {
    const L = Math.min(model.get("depth"), layers.length - 1);
    if (L < 1) return;
    const { slope, map: correlations, agreement: at } = layers[L];
    const colour = model.get("colours")[model.get("kind")];
    const size = Math.sqrt(slope.reduce((sum, value) => sum + value * value, 0) / slope.length) || 1;
    const shown = Array.from(slope, (value, i) => [INPUTS[i], within(value / size, -SHOWN, SHOWN)]);
    slopes.draw([{ line: [[-2, 0], [2, 0]], width: 0.5 }, { line: shown, colour, width: 1.2 }]);
    const steps = Array.from(at.slice(0, at.length / 2 + 1), (value, lag) => [(lag * SPAN) / (at.length - 1), within(value, -0.3, 1)]);
    agreement.draw([{ line: [[0, 0], [SPAN / 2, 0]], width: 0.5 }, { line: steps, colour, width: 2 }]);
    paint(map, correlations);
    const [, relative, next, apart] = found(L);
    sentence.textContent =
      `${NAMES[model.get("kind")]}, ${L} ${L === 1 ? "layer" : "layers"}. Correlation of the slopes at two inputs: ` +
      `${next} side by side, ${apart} at distance 1. The slope's size: ${relative} times that before the first layer.`;
    numbers.fill([1, 2, 5, 10, 20, 50, 100].filter((layer) => layer < layers.length).map(found));
    el.toggleAttribute("data-ready", L === model.get("depth")); // for those who wait
  }

  function start() {
    worker?.terminate();
    layers = [];
    worker = new Worker(address, { type: "module" });
    worker.onmessage = ({ data }) => {
      layers.push(data);
      const L = model.get("depth");
      if (data.layer === L || (data.layer < L && data.layer % 5 === 0) || data.layer === DEPTH) show();
    };
    worker.postMessage({ kind: model.get("kind"), seed: model.get("seed"), inputs: INPUTS, width: WIDTH, depth: DEPTH, every: EVERY });
  }

  const kinds = Object.fromEntries(Object.keys(KINDS).map((kind) => [kind, NAMES[kind]]));
  el.append(
    choice("network", kinds, model.get("kind"), (kind) => model.set("kind", kind)),
    element("div", { class: "widget-row" }, depth.node,
      button("new weights", () => model.set("seed", model.get("seed") + 1))),
    slopes.node,
    element("div", { class: "widget-pair" }, element("div", { class: "widget-map" }, map,
      element("p", { "aria-hidden": "true" }, "Pairs of inputs: blue +1, red −1")), agreement.node),
    sentence, numbers.node);
  model.on("change:depth", () => { depth.set(model.get("depth")); show(); });
  model.on("change:kind", start);
  model.on("change:seed", start);
  start();
  return () => worker.terminate();
}
