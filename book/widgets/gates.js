// A small network of one input: which gates and paths are open there, and its slope as the sum over the open paths.

import { normals } from "./network.js";
import { button, drawing, element, minus, plot, shape, slider, spoken, table } from "./parts.js";

const LAYERS = 3;
const UNITS = 4;
const FROM = -2;
const TO = 2;
const INPUTS = Array.from({ length: 401 }, (_, i) => FROM + ((TO - FROM) * i) / 400);

/** Weights and biases of the first units, a matrix [from][to] between layers, and the weights of the output. */
export function drawn(seed, layers = LAYERS, units = UNITS) {
  const draw = normals(seed);
  const scale = Math.sqrt(2 / units);
  const matrix = () => Array.from({ length: units }, () => [...draw(units, scale)]);
  return {
    first: [...draw(units)], biases: [...draw(units)],
    between: Array.from({ length: layers - 1 }, matrix), last: [...draw(units, scale)],
  };
}

/** The network's value at an input, and which gates are open there, layer by layer. */
export function pass({ first, biases, between, last }, input) {
  let values = first.map((weight, unit) => weight * input + biases[unit]);
  const gates = [values.map((value) => value > 0)];
  const sum = (weights) => weights.reduce((total, weight, unit) => total + weight * Math.max(0, values[unit]), 0);
  for (const matrix of between) {
    values = matrix[0].map((_, to) => sum(matrix.map((row) => row[to])));
    gates.push(values.map((value) => value > 0));
  }
  return { value: sum(last), gates };
}

/** Every path from the input to the output, one unit of each layer, with the product of the weights along it. */
export function paths({ first, between, last }) {
  let found = first.map((weight, unit) => ({ units: [unit], weight }));
  for (const matrix of between) {
    found = found.flatMap(({ units, weight }) =>
      matrix[units.at(-1)].map((factor, to) => ({ units: [...units, to], weight: weight * factor })));
  }
  return found.map(({ units, weight }) => ({ units, weight: weight * last[units.at(-1)] }));
}

/** Whether a path crosses open gates alone. */
export const open = ({ units }, gates) => units.every((unit, layer) => gates[layer][unit]);

const figures = (number, digits = 2) => minus(number.toFixed(digits)).replace(/^−(0(?:\.0*)?)$/, "$1");

const WIDTH = 340;
const HEIGHT = 190;
const across = (column) => 22 + (column * (WIDTH - 44)) / (LAYERS + 1);
const down = (unit) => 34 + unit * 42;
const MIDDLE = down((UNITS - 1) / 2);

/** Input, units and output, joined by lines; what lies on an open path is lit. */
function net(gates, colour) {
  const columns = [[true], ...gates, [true]];
  const joined = gates.every((layer) => layer.some(Boolean)); // else no path is open
  const at = (column, unit) => [across(column), columns[column].length === 1 ? MIDDLE : down(unit)];
  const lines = columns.slice(1).flatMap((units, column) => units.flatMap((there, to) =>
    columns[column].map((here, from) => {
      const [[x1, y1], [x2, y2]] = [at(column, from), at(column + 1, to)];
      return joined && here && there
        ? shape("line", { x1, y1, x2, y2, stroke: colour, "stroke-width": 2.5, "data-open": "" })
        : shape("line", { x1, y1, x2, y2, stroke: "currentColor", opacity: 0.2 });
    })));
  const discs = columns.flatMap((units, column) => units.map((lit, unit) => {
    const [cx, cy] = at(column, unit);
    const style = units.length === 1 ? "fill: currentColor" : lit ? `fill: ${colour}` : "";
    return shape("circle", { cx, cy, r: units.length === 1 ? 6 : 10, stroke: "currentColor", class: "widget-dot", style });
  }));
  const word = (words, x) => shape("text", { x, y: MIDDLE - 14, "text-anchor": "middle" }, words);
  lines.sort((one, other) => one.hasAttribute("data-open") - other.hasAttribute("data-open")); // lit ones on top
  return [...lines, ...discs, word("x", across(0)), word("f", across(LAYERS + 1)),
    ...gates.map((layer, l) => shape("text", { x: across(l + 1), y: 14, "text-anchor": "middle" },
      `${layer.filter(Boolean).length} of ${UNITS}`))];
}

export function render({ model, el }) {
  const colour = model.get("colours").plain;
  const input = slider("input x =", { min: FROM, max: TO, step: 0.01, value: model.get("input"), show: figures },
    (value) => model.set("input", value));
  const picture = drawing({
    width: WIDTH, height: HEIGHT,
    says: `A network of ${LAYERS} layers of ${UNITS} units; open gates and the paths through them are lit`,
  });
  const pictures = element("div", { class: "widget-sides" });
  const sentence = spoken();
  const numbers = table("The open paths in numbers", ["path", "weight of the path"]);
  let network, all, curve, bars;

  /** The frames of the two plots depend on the weights alone, and so does the curve. */
  function start() {
    network = drawn(model.get("seed"));
    all = paths(network);
    const passed = INPUTS.map((x) => pass(network, x));
    const line = passed.map(({ value }, k) => [INPUTS[k], value]);
    const [low, high] = [Math.min(...line.map(([, y]) => y)), Math.max(...line.map(([, y]) => y))];
    const room = 0.1 * (high - low) || 1;
    const most = Math.max(...all.map(({ weight }) => Math.abs(weight)));
    curve = { line, gates: passed.map(({ gates }) => gates), ...plot({
      x: { from: FROM, to: TO, ticks: [-2, -1, 0, 1, 2], label: "input x" },
      y: { from: low - room, to: high + room, ticks: [low, high].map((value) => [value, figures(value, 1)]), label: "f(x)" },
      height: 190, says: "The network's function, in straight pieces, and the point at this input",
    }) };
    const starts = network.first.map((_, unit) => [((unit + 0.5) / UNITS) * all.length + 0.5, `unit ${unit + 1}`]);
    bars = plot({
      x: { from: 0, to: all.length + 1, ticks: starts, label: `the ${all.length} paths, by their first unit` },
      y: { from: -most, to: most, ticks: [-most, 0, most].map((value) => [value, figures(value, 1)]), label: "weight" },
      height: 130, says: "The weight of each path; those of the open paths are lit",
    });
    pictures.replaceChildren(picture.node, curve.node, bars.node);
    show();
  }

  function show() {
    const x = model.get("input");
    const { value, gates } = pass(network, x);
    const lit = all.map((path) => open(path, gates));
    const through = all.filter((_, k) => lit[k]);
    const slope = through.reduce((sum, { weight }) => sum + weight, 0);
    picture.draw(net(gates, colour));
    const piece = curve.line.filter((_, k) => String(curve.gates[k]) === String(gates)); // where the same gates are open
    curve.draw([
      { line: curve.line, width: 1.5 },
      { line: piece, colour, width: 3.5 },
      { dot: [x, value], colour, radius: 5 },
    ]);
    bars.draw([
      { line: [[0, 0], [all.length + 1, 0]], width: 0.5 },
      ...all.map(({ weight }, k) => ({ line: [[k + 1, 0], [k + 1, weight]], width: lit[k] ? 3.5 : 1, colour: lit[k] ? colour : "#8c8c8c" })),
    ]);
    const counts = gates.map((layer) => layer.filter(Boolean).length);
    sentence.textContent =
      `Open gates at x = ${figures(x)}: ${counts.join(", ")}; so ${through.length} of ${all.length} paths. ` +
      `Their weights add up to the slope f′(x) = ${figures(slope, 3)}.`;
    numbers.fill([
      ...through.map(({ units, weight }) => [units.map((unit) => unit + 1).join(" – "), figures(weight, 3)]),
      ["sum: the slope", figures(slope, 3)],
    ]);
    el.setAttribute("data-ready", ""); // for those who wait
  }

  el.append(
    element("div", { class: "widget-row widget-wraps" }, input.node,
      button("new weights", () => model.set("seed", model.get("seed") + 1))),
    pictures, sentence, numbers.node);
  model.on("change:input", () => { input.set(model.get("input")); show(); });
  model.on("change:seed", start);
  start();
}
