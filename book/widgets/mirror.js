// The mirror of a looks-linear layer, turned: its halves, the correlation it leaves, and recorded learning curves.

import { element, minus, plot, slider, spoken, table } from "./parts.js";

/** Correlation of gradients that a mirror turned by so many degrees leaves, with gates that are coins. */
export const correlation = (degrees, depth) => Math.cos((degrees * Math.PI) / 360) ** (2 * depth);

export function render({ model, el }) {
  const curves = model.get("curves"); // of each turn, of each depth, [steps, accuracy] pairs
  const turns = Object.keys(curves).map(Number);
  const depths = Object.keys(curves[turns[0]]).map(Number);
  const named = model.get("colours");
  const colours = [named["looks linear"], named["brown noise"], named.linear];
  const degrees = slider("turn ψ =", { min: 0, max: 180, step: 5, value: model.get("degrees"), show: (value) => `${value}°` },
    (value) => model.set("degrees", value));
  const depth = slider("depth L =", { min: 0, max: depths.length - 1, value: depths.indexOf(model.get("depth")), show: (k) => String(depths[k]) },
    (k) => model.set("depth", depths[k]));
  const halves = plot({
    x: { from: -1.1, to: 1.1, ticks: [] }, y: { from: -1.1, to: 1.1, ticks: [] },
    height: 150, says: "What the two halves of a layer do to one unit, as two arrows, the second turned",
  });
  const left = plot({
    x: { from: 0, to: 180, ticks: [0, 45, 90, 135, 180], label: "turn ψ in degrees" }, y: { from: 0, to: 1, ticks: [0, 1], label: "R" },
    height: 150, says: "Correlation of gradients against the turn of the mirror",
  });
  const learning = plot({
    x: { from: 0, to: Math.log10(5120), ticks: [0, 1, 2, 3], label: "steps of Adam, powers of ten" },
    y: { from: 0, to: 1, ticks: [0, 0.5, 1], label: "test accuracy" },
    height: 220, says: "Recorded test accuracy against steps, for three turns of the mirror",
  });
  const sentence = spoken();
  const numbers = table("The same in numbers", ["depth", ...turns.map((turn) => `steps to 90 %, ${turn}°`)]);
  const steps = (turn, L) => curves[turn][L].at(-1)[0];
  numbers.fill(depths.map((L) => [L, ...turns.map((turn) => steps(turn, L))]));

  function show() {
    const [psi, L] = [model.get("degrees"), model.get("depth")];
    const angle = (psi * Math.PI) / 180;
    const colour = named["looks linear"];
    halves.draw([
      { line: [[0, 0], [0, 0.9]], colour, width: 3 }, { dot: [0, 0.9], colour }, { words: "O", at: [0.1, 0.75] },
      { line: [[0, 0], [0.9 * Math.sin(angle), -0.9 * Math.cos(angle)]], width: 3 },
      { dot: [0.9 * Math.sin(angle), -0.9 * Math.cos(angle)] },
      { words: "its mirror", at: [1.05 * Math.sin(angle), -1.05 * Math.cos(angle)], anchor: psi < 20 ? "middle" : "start" },
    ]);
    const R = correlation(psi, L);
    left.draw([
      { line: Array.from({ length: 181 }, (_, turn) => [turn, correlation(turn, L)]), colour, width: 2 }, { dot: [psi, R], colour, radius: 6 },
    ]);
    learning.draw(turns.flatMap((turn, k) => [
      { line: curves[turn][L].map(([at, share]) => [Math.log10(at), share]), colour: colours[k], width: turn === psi ? 4 : 1.5 },
      { words: `${turn}°`, at: [Math.log10(steps(turn, L)), 0.93], colour: colours[k], anchor: "middle" },
    ]));
    const measured = turns.includes(psi) ? `With this turn the recorded network read nine of ten digits after ${steps(psi, L)} steps.`
      : `Recorded were ${turns.join("°, ")}°.`;
    sentence.textContent = `${L} layers, mirror turned by ${psi}°: with gates that are coins, R = ${minus(R.toPrecision(2))}. ${measured}`;
    el.setAttribute("data-ready", ""); // for those who wait
  }

  el.append(element("div", { class: "widget-row widget-wraps" }, degrees.node, depth.node),
    element("div", { class: "widget-pair" }, halves.node, left.node), learning.node, sentence, numbers.node);
  model.on("change:degrees", show);
  model.on("change:depth", show);
  show();
}
