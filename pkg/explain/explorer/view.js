// What is shown: the state, and how it is drawn. A redraw paints one pixel for each patch
// of the map and of each small one; the browser enlarges them.

const element = (id) => document.getElementById(id);

const state = {
  picture: 0,
  kind: "attention", // or "methods"
  layer: 0,
  head: -1, // the mean
  query: { token: 0 }, // or {row, col}
  kept: false, // the query stays where it is
  cursor: null, // {row, col}
  method: "",
  group: "",
  alpha: 0.6,
  smooth: false,
  colours: { plain: "inferno", signed: "coolwarm" },
};

const picture = () => pictures[state.picture];

/** The map that the state asks for, or null. */
function shown() {
  const p = picture();
  if (state.kind === "attention") {
    return attentionOf(state.layer, state.head);
  }
  return p.find(state.method, state.group)?.field ?? null;
}

function attentionOf(layer, head) {
  const { token, row, col } = state.query;
  return picture().attention(layer, head, token ?? picture().queryAt(row, col));
}

/** The colours of a map. */
function colormapOf(field) {
  const name = field?.signed ? state.colours.signed : state.colours.plain;
  return colormaps.find((m) => m.name === name);
}

/** Paints a map, a pixel for each patch. Without a map nothing is painted. */
function paint(canvas, field) {
  const { rows, cols } = picture();
  if (canvas.width !== cols || canvas.height !== rows) {
    canvas.width = cols;
    canvas.height = rows;
    canvas.pixels = null;
  }
  const context = canvas.getContext("2d");
  if (!field) {
    context.clearRect(0, 0, cols, rows);
    return;
  }
  canvas.pixels ??= context.createImageData(cols, rows);
  const out = new Uint32Array(canvas.pixels.data.buffer);
  const { colours } = colormapOf(field);
  for (let i = 0; i < out.length; i++) {
    out[i] = colours[field.bytes[i]];
  }
  context.putImageData(canvas.pixels, 0, 0);
}

/** A number with three digits that count. */
function format(v) {
  if (v === 0) {
    return "0";
  }
  const size = Math.abs(v);
  let text = String(Number(v.toPrecision(3)));
  if (size >= 1e-4 && size < 1e5) {
    const digits = Math.max(0, 2 - Math.floor(Math.log10(size)));
    text = v.toFixed(digits);
  } else {
    const [mantissa, power] = v.toExponential(2).split("e");
    text = `${mantissa}·10${[...String(Number(power))].map((d) => "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"["-0123456789".indexOf(d)]).join("")}`;
  }
  return text.replace("-", "−");
}

const setText = (id, text) => {
  if (element(id).textContent !== text) {
    element(id).textContent = text;
  }
};

const place = ({ row, col }) => `row ${row}, column ${col}`;

/** Puts a frame around patches. */
function mark(id, row, col, rows, cols) {
  const [down, across] = picture().covered;
  const style = element(id).style;
  style.left = `${(100 * col) / across}%`;
  style.top = `${(100 * row) / down}%`;
  style.width = `${(100 * cols) / across}%`;
  style.height = `${(100 * rows) / down}%`;
}

function drawMarks() {
  const { step, rows, cols } = picture();
  const { query, cursor } = state;
  const atPatch = state.kind === "attention" && query.token === undefined;
  element("query").hidden = !atPatch;
  if (atPatch) {
    const row = query.row - (query.row % step);
    const col = query.col - (query.col % step);
    mark("query", row, col, Math.min(step, rows - row), Math.min(step, cols - col));
    element("query").classList.toggle("kept", state.kept);
  }
  element("cursor").hidden = !cursor || (atPatch && !state.kept);
  if (cursor) {
    mark("cursor", cursor.row, cursor.col, 1, 1);
  }
}

function drawNumbers(field) {
  const p = picture();
  const { query, cursor } = state;
  const attention = state.kind === "attention";
  element("query-line").hidden = !attention;
  setText("query-text", query.token === undefined ? place(query) : p.tokens[query.token]);
  setText("cursor-text", cursor ? place(cursor) : "–");
  setText("low", field ? format(field.low) : "");
  setText("middle", field?.signed ? "0" : attention && field ? "softmax weight" : "");
  setText("high", field ? format(field.high) : "");
  const at = field && cursor ? cursor.row * p.cols + cursor.col : -1;
  setText("value", at < 0 ? "" : format(field.value(at)));
  element("tick").hidden = at < 0;
  if (at >= 0) {
    const b = field.bytes[at];
    element("tick").style.left = `${(100 * (b + 0.5)) / 256}%`;
  }
}

/** The small maps of the strips; controls.js makes them. */
let thumbs = [];

/** Shows the state. */
function draw() {
  const field = shown();
  paint(element("map"), field);
  for (const t of thumbs) {
    paint(t.canvas, t.field());
  }
  drawMarks();
  drawNumbers(field);
}

/** Paints the colour bar. */
function drawRamp() {
  const context = element("ramp").getContext("2d");
  const pixels = context.createImageData(256, 1);
  new Uint32Array(pixels.data.buffer).set(colormapOf(shown()).colours);
  context.putImageData(pixels, 0, 0);
}
