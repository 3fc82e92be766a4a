// A path through residual layers: coins decide which gates it crosses, and what it leaves of the correlation.

import { normals } from "./network.js";
import { button, drawing, element, plot, shape, slider, spoken, table, within } from "./parts.js";

const DEPTH = 8;
const MOST = 100000; // tosses
const MANY = 1000;

/** Yield routes without end: a coin for each layer, true where the path goes through the gate, false where past it. */
export function* routes(seed, depth) {
  const draw = normals(seed);
  while (true) yield [...draw(depth)].map((number) => number > 0);
}

/** What is left of the correlation at two inputs, once each gate crossed has halved it. */
export const left = (route) => 2 ** -route.filter(Boolean).length;

/** (3/4)^L, the mean over all routes. */
export const law = (depth) => 0.75 ** depth;

/** Mean of the numbers added so far, and its standard error. */
export class Mean {
  tosses = 0;
  value = 0;
  #squares = 0;
  add(number) {
    this.tosses += 1;
    const deviation = number - this.value;
    this.value += deviation / this.tosses;
    this.#squares += deviation * (number - this.value);
  }
  get error() {
    return Math.sqrt(this.#squares / (this.tosses - 1) / this.tosses);
  }
}

/** Which numbers of tosses the curve passes: all at first, then ever fewer, and every power of ten. */
const worth = (n) => n % 10 ** Math.max(0, Math.ceil(Math.log10(n)) - 2) === 0;

const WIDTH = 340;
const [HEIGHT, LINE, BOX] = [150, 112, 62];

/** The path of one toss, with its coins and factors, as in the chapter's drawing. */
function path(route, colour) {
  const room = (WIDTH - 28) / route.length;
  const size = Math.min(1, room / 60);
  const middle = (layer) => 14 + room * (layer + 0.5);
  const reach = 24 * size;
  const way = (layer) => `M${14 + room * layer} ${LINE}H${middle(layer) - reach}V${BOX}H${middle(layer) + reach}V${LINE}H${14 + room * (layer + 1)}`;
  const past = (layer) => `M${14 + room * layer} ${LINE}H${14 + room * (layer + 1)}`;
  const stroke = (d, look) => shape("path", { d, fill: "none", stroke: "currentColor", ...look });
  const word = (words, layer, y, look = {}) => shape("text", { x: middle(layer), y, "text-anchor": "middle", ...look }, words);
  return [
    ...route.flatMap((_, layer) => [stroke(way(layer), { opacity: 0.35 }), stroke(past(layer), { opacity: 0.35 })]),
    ...route.map((gate, layer) => stroke(gate ? way(layer) : past(layer), { stroke: colour, "stroke-width": 5, "stroke-linejoin": "round" })),
    ...route.flatMap((gate, layer) => [
      shape("rect", { x: middle(layer) - 13 * size, y: BOX - 12 * size, width: 26 * size, height: 24 * size, stroke: "currentColor", class: "widget-dot" }),
      stroke(`M${middle(layer) - 8 * size} ${BOX + 6 * size}h${8 * size}l${8 * size} ${-12 * size}`, { "stroke-width": 1.5 }),
      word(gate ? "gate" : "skip", layer, 26, { "font-weight": gate ? "bold" : "normal" }),
      word(gate ? "½" : "1", layer, 138),
    ]),
    ...[10, WIDTH - 10].map((cx) => shape("circle", { cx, cy: LINE, r: 6, fill: "currentColor" })),
  ];
}

const figures = (number) => (Number.isFinite(number) ? number.toFixed(4) : "–");
const whole = (number) => number.toLocaleString("en-GB");
const raised = (number) => [...String(number)].map((digit) => "⁰¹²³⁴⁵⁶⁷⁸⁹"[digit]).join("");

export function render({ model, el }) {
  const colour = model.get("colours").residual;
  const depth = slider("residual layers L =", { min: 1, max: DEPTH, value: model.get("depth") }, (value) => model.set("depth", value));
  const picture = drawing({
    width: WIDTH, height: HEIGHT,
    says: "A path past or through the gate of each residual layer, as its coins decide",
  });
  const curve = plot({
    x: { from: 0, to: Math.log10(MOST), ticks: [[0, 1], [1, 10], [2, 100], [3, 1000], [4, "10⁴"], [5, "10⁵"]], label: "tosses" },
    y: { from: 0, to: 1, ticks: [0, 0.5, 1], label: "mean of 2⁻ᴷ" },
    height: 200, says: "The running mean of two to the minus K against the number of tosses, beside three quarters to the power L",
  });
  const sentence = spoken();
  const numbers = table("The same in numbers", ["tosses", "mean of 2^(−K)", "standard error"]);
  const once = button("toss", () => more(1));
  const often = button(`toss ${MANY}`, () => more(MANY));
  let tossed, mean, history, route;

  function start() {
    [tossed, mean, history] = [routes(model.get("seed"), model.get("depth")), new Mean(), []];
    more(1);
  }

  function more(tosses) {
    for (let k = 0; k < tosses; k++) {
      route = tossed.next().value;
      mean.add(left(route));
      const { tosses: n, value, error } = mean;
      if (worth(n)) history.push({ n, value, error });
    }
    show();
  }

  function show() {
    const L = model.get("depth");
    const last = { n: mean.tosses, value: mean.value, error: mean.error };
    const known = [...history, last];
    const edge = (side) => known.filter(({ n }) => n > 1)
      .map(({ n, value, error }) => [Math.log10(n), within(value + side * error, 0, 1)]);
    picture.draw(path(route, colour));
    curve.draw([
      { line: [[0, law(L)], [Math.log10(MOST), law(L)]], dash: "5 4" },
      { line: edge(-1), colour, width: 0.8 },
      { line: edge(1), colour, width: 0.8 },
      { line: known.map(({ n, value }) => [Math.log10(n), value]), colour, width: 2.5 },
      { dot: [Math.log10(last.n), last.value], colour },
      { words: `(3/4)${raised(L)}`, at: [Math.log10(MOST) - 0.02, law(L) + 0.03], anchor: "end" },
    ]);
    const crossed = route.filter(Boolean).length;
    sentence.textContent =
      `This path crosses K = ${crossed} of ${L} gates, which leave ${Number(left(route).toPrecision(3))} of the correlation. ` +
      `Mean of ${whole(last.n)} ${last.n === 1 ? "toss" : "tosses"}: ${figures(last.value)}` +
      `${last.n > 1 ? ` ± ${figures(last.error)} (standard error)` : ""}; (3/4)${raised(L)} = ${figures(law(L))}.`;
    const steps = [1, 10, 100, 1000, 10000].flatMap((n) => history.filter((step) => step.n === n && n < last.n));
    numbers.fill([
      ...[...steps, last].map(({ n, value, error }) => [whole(n), figures(value), figures(error)]),
      ["all routes", figures(law(L)), "0"],
    ]);
    once.disabled = last.n + 1 > MOST;
    often.disabled = last.n + MANY > MOST;
    el.setAttribute("data-ready", ""); // for those who wait
  }

  el.append(
    element("div", { class: "widget-row widget-wraps" }, depth.node, element("div", { class: "widget-row" }, once, often)),
    element("div", { class: "widget-sides" }, picture.node, curve.node),
    sentence, numbers.node);
  model.on("change:depth", () => { depth.set(model.get("depth")); start(); });
  start();
}
