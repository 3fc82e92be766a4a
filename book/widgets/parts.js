// What dials are made of: labelled controls, and plots and drawings as SVG that follow their room and the page's colours.

const SVG = "http://www.w3.org/2000/svg";

/** An element with attributes (functions become listeners) and children. */
export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") made.addEventListener(name, value);
    else if (value !== false) made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children);
  return made;
}

/** The same in a drawing. */
export function shape(tag, attributes, ...children) {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

/** Numbers with a minus sign in place of a hyphen. */
export const minus = (text) => String(text).replace(/(^|[\s(=e])-(?=[\d.])/g, "$1−");

/** Where a dial says in a sentence what it shows. */
export const spoken = () => element("p", { class: "widget-says", "aria-live": "polite" });

let groups = 0;

/** One choice of several: `options` maps values to the words shown. */
export function choice(legend, options, chosen, changed) {
  const name = `widget-choice-${groups++}`;
  const buttons = Object.entries(options).map(([value, words]) =>
    element("label", {},
      element("input", { type: "radio", name, value, checked: value === chosen, change: () => changed(value) }),
      element("span", {}, words)));
  return element("fieldset", { class: "widget-choice" }, element("legend", {}, legend), ...buttons);
}

/** A slider that says its value: `{ node, set }`. `changed` gets numbers. */
export function slider(words, { min, max, step = 1, value, show = String }, changed) {
  const shown = element("output", {}, minus(show(value)));
  const input = element("input", {
    type: "range", min, max, step, value, "aria-valuetext": minus(show(value)),
    input: () => {
      say(Number(input.value));
      changed(Number(input.value));
    },
  });
  const say = (number) => {
    shown.textContent = minus(show(number));
    input.setAttribute("aria-valuetext", minus(show(number)));
  };
  const set = (number) => {
    input.value = number;
    say(number);
  };
  return { node: element("label", { class: "widget-slider" }, element("span", {}, words, " ", shown), input), set };
}

export const button = (words, pressed) => element("button", { type: "button", click: pressed }, words);

/** A table that says what a picture shows, folded: `{ node, fill }`. */
export function table(summary, columns) {
  const body = element("tbody");
  const node = element("details", { class: "widget-table" }, element("summary", {}, summary),
    element("table", {},
      element("thead", {}, element("tr", {}, ...columns.map((column) => element("th", { scope: "col" }, column)))),
      body));
  const fill = (rows) => body.replaceChildren(
    ...rows.map((row) => element("tr", {}, ...row.map((cell) => element("td", {}, minus(cell))))));
  return { node, fill };
}

/** A drawing in units of its own, which grows and shrinks as a whole: `{ node, draw }`. `draw` takes shapes. */
export function drawing({ width, height, says }) {
  const strokes = shape("g", {});
  const node = shape("svg", { class: "widget-drawing", viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": says }, strokes);
  return { node, draw: (shapes) => strokes.replaceChildren(...shapes) };
}

const named = (ticks) => ticks.map((tick) => (Array.isArray(tick) ? tick : [tick, minus(tick)]));

/**
 * A plot: `{ node, draw }`. `x` and `y` are `{ from, to, ticks, label }`, where a tick is a number or `[number, words]`.
 * `draw` takes marks: `{ line: [[x, y], ...], colour, width, dash }`, `{ dot: [x, y], colour, radius }` or
 * `{ words, at: [x, y], anchor, colour }`.
 */
export function plot({ x, y, height, says }) {
  const node = shape("svg", { class: "widget-plot", role: "img", "aria-label": says, height });
  let marks = [];
  const edge = { left: y.label ? 46 : 30, right: 10, top: 8, bottom: x.label ? 36 : 20 };
  const render = () => {
    const width = node.clientWidth || 300;
    const across = (at) => edge.left + ((at - x.from) / (x.to - x.from)) * (width - edge.left - edge.right);
    const up = (at) => height - edge.bottom - ((at - y.from) / (y.to - y.from)) * (height - edge.top - edge.bottom);
    const text = (words, at, attributes = {}) => shape("text", { x: at[0], y: at[1], ...attributes }, words);
    const axes = [
      shape("path", { class: "widget-axis", d: `M${edge.left} ${edge.top}V${height - edge.bottom}H${width - edge.right}` }),
      ...named(x.ticks).map(([at, words]) => text(words, [across(at), height - edge.bottom + 15], { "text-anchor": "middle" })),
      ...named(y.ticks).map(([at, words]) => text(words, [edge.left - 6, up(at) + 4], { "text-anchor": "end" })),
      text(x.label ?? "", [(edge.left + width - edge.right) / 2, height - 4], { "text-anchor": "middle" }),
      text(y.label ?? "", [0, 0], {
        "text-anchor": "middle",
        transform: `translate(12 ${(edge.top + height - edge.bottom) / 2}) rotate(-90)`,
      }),
    ];
    const drawn = marks.map((mark) => {
      const colour = mark.colour ?? "currentColor";
      if (mark.line) {
        const points = mark.line.map(([at, value]) => `${across(at).toFixed(1)} ${up(value).toFixed(1)}`);
        const look = { stroke: colour, "stroke-width": mark.width ?? 1.5, "stroke-dasharray": mark.dash ?? "none" };
        return shape("path", { d: points.length ? `M${points.join("L")}` : "", fill: "none", ...look });
      }
      if (mark.dot) return shape("circle", { cx: across(mark.dot[0]), cy: up(mark.dot[1]), r: mark.radius ?? 4, fill: colour });
      return text(mark.words, [across(mark.at[0]), up(mark.at[1])], { "text-anchor": mark.anchor ?? "start", fill: colour });
    });
    node.replaceChildren(...axes, ...drawn);
  };
  new ResizeObserver(render).observe(node);
  return { node, draw: (given) => { marks = given; render(); } };
}

/** Where a value outside a plot's range is drawn: on its border. */
export const within = (value, from, to) => Math.min(to, Math.max(from, value));
