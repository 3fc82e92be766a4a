// A random network of one input: values and tangents layer by layer, by the rules of shattered_lite.sampling.
// Arrays are row-major, shape (inputs, width). In a worker, this module simulates what it is sent.

export const KINDS = {
  "plain": { normalised: "centred", kept: 0, added: 1 },
  "plain, batch norm": { normalised: "batch norm", kept: 0, added: 1 },
  "residual": { normalised: "centred", kept: 1, added: 1 },
  "residual, beta 0.1": { normalised: "batch norm", kept: 1, added: 0.1 },
  "highway": { normalised: "centred", kept: Math.sqrt(1 - 1 / 100), added: Math.sqrt(1 / 100) },
  "looks linear": { normalised: "none", kept: 0, added: 1, concatenated: true },
};

const rootMeanSquare = (values) => Math.sqrt(values.reduce((sum, value) => sum + value * value, 0) / values.length) || 1;

/** What a layer's gates see: each unit less its mean over the inputs, and with batch norm over its deviation. */
function normalise({ values, tangents }, kind, width) {
  const { normalised, kept } = KINDS[kind];
  if (normalised === "none") return { values, tangents };
  const inputs = values.length / width;
  [values, tangents] = [values.slice(), tangents.slice()];
  for (let unit = 0; unit < width; unit++) {
    let mean = 0;
    for (let i = 0; i < inputs; i++) mean += values[i * width + unit] / inputs;
    let square = 0;
    for (let i = 0; i < inputs; i++) square += (values[i * width + unit] -= mean) ** 2 / inputs;
    if (normalised === "centred") continue;
    const size = Math.sqrt(square) || 1;
    for (let i = 0; i < inputs; i++) {
      values[i * width + unit] /= size;
      tangents[i * width + unit] /= size;
    }
  }
  if (normalised === "centred" && !kept) {
    const size = rootMeanSquare(values); // gates feel no common scale, and centring would shrink it with depth
    for (let k = 0; k < values.length; k++) values[k] /= size;
  }
  return { values, tangents };
}

/** Yield the states z_0, z_1, ... and their slopes. `first` holds weights and biases, `weights(layer)` one matrix. */
export function* states(kind, { inputs, width, depth, first, weights }) {
  const { kept, added, concatenated } = KINDS[kind];
  const size = inputs.length * width;
  let state = { values: new Float64Array(size), tangents: new Float64Array(size) };
  inputs.forEach((x, i) => {
    for (let unit = 0; unit < width; unit++) {
      state.values[i * width + unit] = x * first[unit] + first[width + unit];
      state.tangents[i * width + unit] = first[unit];
    }
  });
  yield state;
  for (let layer = 1; layer <= depth; layer++) {
    const seen = layer === 1 ? state : normalise(state, kind, width); // the first layer sees the inputs as they are
    const matrix = weights(layer);
    const next = { values: new Float64Array(size), tangents: new Float64Array(size) };
    for (let i = 0; i < inputs.length; i++) {
      const values = next.values.subarray(i * width, (i + 1) * width);
      const tangents = next.tangents.subarray(i * width, (i + 1) * width);
      for (let unit = 0; unit < width; unit++) {
        let value = added * seen.values[i * width + unit];
        let tangent = added * seen.tangents[i * width + unit];
        let row = unit;
        if (value <= 0) {
          if (!concatenated) continue; // a closed gate passes neither values nor slopes
          [value, tangent, row] = [-value, -tangent, unit + width];
        }
        const into = matrix.subarray(row * width, (row + 1) * width);
        for (let k = 0; k < width; k++) {
          values[k] += value * into[k];
          tangents[k] += tangent * into[k];
        }
      }
      for (let k = 0; kept && k < width; k++) {
        values[k] += kept * state.values[i * width + k];
        tangents[k] += kept * state.tangents[i * width + k];
      }
    }
    state = next;
    yield state;
  }
}

/** Correlation of the slopes at every pair of inputs, over all units; row-major. */
export function correlations(tangents, width, every = 1) {
  const rows = [];
  for (let i = 0; i < tangents.length / width; i += every) {
    const row = tangents.slice(i * width, (i + 1) * width);
    const size = Math.sqrt(row.reduce((sum, value) => sum + value * value, 0)) || 1;
    rows.push(row.map((value) => value / size));
  }
  const map = new Float64Array(rows.length ** 2);
  rows.forEach((row, i) => {
    for (let j = 0; j <= i; j++) {
      let sum = 0;
      for (let k = 0; k < width; k++) sum += row[k] * rows[j][k];
      map[i * rows.length + j] = map[j * rows.length + i] = sum;
    }
  });
  return map;
}

/** Mean correlation of inputs that lie 0, 1, 2, ... steps apart. */
export function autocorrelation(map) {
  const inputs = Math.sqrt(map.length);
  return Float64Array.from({ length: inputs }, (_, lag) => {
    let sum = 0;
    for (let i = lag; i < inputs; i++) sum += map[i * inputs + i - lag];
    return sum / (inputs - lag);
  });
}

/** Independent standard normal numbers; the same for the same seed (mulberry32, then Box and Muller). */
export function normals(seed) {
  const uniform = () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let mixed = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
  return (count, scale = 1) =>
    Float64Array.from({ length: count }, () =>
      scale * Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform()));
}

/** Rows of a random rotation: Gram and Schmidt on normal numbers. */
function orthogonal(draw, width) {
  const rows = draw(width * width);
  for (let i = 0; i < width; i++) {
    const row = rows.subarray(i * width, (i + 1) * width);
    for (let pass = 0; pass < 2; pass++) { // the second pass removes what rounding left
      for (let j = 0; j < i; j++) {
        const other = rows.subarray(j * width, (j + 1) * width);
        let along = 0;
        for (let k = 0; k < width; k++) along += row[k] * other[k];
        for (let k = 0; k < width; k++) row[k] -= along * other[k];
      }
    }
    const size = Math.hypot(...row);
    for (let k = 0; k < width; k++) row[k] /= size;
  }
  return rows;
}

/** Weights of one layer: Gaussian of variance 2 / width, or a rotation above its mirror, [O; -O]. */
export function drawn(kind, draw, width) {
  if (!KINDS[kind].concatenated) return draw(width * width, Math.sqrt(2 / width));
  const rotation = orthogonal(draw, width);
  const mirrored = new Float64Array(2 * width * width);
  mirrored.set(rotation);
  mirrored.set(rotation.map((value) => -value), width * width);
  return mirrored;
}

/** Simulate one network, and report each layer: the slope of its first unit, and how slopes agree. */
function simulate({ kind, seed, inputs, width, depth, every }, report) {
  const draw = normals(seed);
  const first = draw(2 * width);
  let layer = 0;
  for (const { tangents } of states(kind, { inputs, width, depth, first, weights: () => drawn(kind, draw, width) })) {
    const map = correlations(tangents, width, every);
    const slope = Float64Array.from(inputs, (_, i) => tangents[i * width]);
    report({ layer: layer++, slope, map, agreement: autocorrelation(map), size: rootMeanSquare(tangents) });
  }
}

export const address = import.meta.url; // from which a worker is made

if (typeof WorkerGlobalScope !== "undefined") {
  self.onmessage = ({ data }) => simulate(data, (found) => self.postMessage(found));
}
