// What a reader can do: choices, mouse, touch and keys.

const stage = element("stage");

function make(tag, properties, ...children) {
  const e = Object.assign(document.createElement(tag), properties);
  e.append(...children);
  return e;
}

/** Shows a change of the state that alters more than the query. */
function refresh() {
  settle();
  buildStrips();
  fillControls();
  drawRamp();
  draw();
}

/** Shows the state soon; several changes in a frame are one redraw. */
let waiting = 0;
function drawSoon() {
  waiting ||= requestAnimationFrame(() => {
    waiting = 0;
    draw();
  });
}

/** Makes the state one that the picture has. */
function settle() {
  const p = picture();
  if (!p.layers.length) {
    state.kind = "methods";
  } else if (!methodsOf(p).length) {
    state.kind = "attention";
  }
  state.layer = Math.min(state.layer, Math.max(p.layers.length - 1, 0));
  if (p.layers.length && !p.source(state.layer, state.head)) {
    state.head = -1;
  }
  const { token, row, col } = state.query;
  if (token === undefined ? row >= p.rows || col >= p.cols : token >= p.tokens.length) {
    state.query = p.tokens.length ? { token: 0 } : { row: p.rows >> 1, col: p.cols >> 1 };
    state.kept = false;
  }
  const methods = methodsOf(p);
  if (methods.length && !methods.some((m) => m.key === state.method)) {
    state.method = methods[0].key;
  }
  const groups = groupsOf(p);
  if (!groups.some((g) => g.name === state.group)) {
    state.group = groups[0]?.name ?? "";
  }
}

/** The methods that can be chosen: those with maps, and those that the cell can be asked for. */
function methodsOf(p) {
  const asked = live.connected ? data.live.methods : [];
  return [...p.methods, ...asked.filter((m) => !p.methods.some((known) => known.key === m.key))];
}

/** The groups that can be chosen, likewise. */
function groupsOf(p) {
  const asked = live.connected ? data.live.groups : [];
  return [...p.groups, ...asked.filter((name) => !p.groups.some((g) => g.name === name)).map((name) => ({ name, note: "", asked: true }))];
}

/** A group with its note, which isn't torn. */
const named = ({ name, note }) => [name, note?.replaceAll(" ", "\u00a0")].filter(Boolean).join(" ");

/** The beginning of a long name. */
const short = (text) => (text.length > 24 ? `${text.slice(0, 22)}…` : text);

/** A strip of small maps, one of which is chosen. */
function strip(label, name, entries, wide) {
  const group = make("div", { className: wide ? "strip wide" : "strip" });
  group.setAttribute("role", "radiogroup");
  group.setAttribute("aria-label", label);
  group.style.setProperty("--aspect", picture().width / picture().height);
  for (const e of entries) {
    const input = make("input", { type: "radio", name, checked: e.chosen, disabled: Boolean(e.absent) });
    input.addEventListener("change", () => choose(e.choose));
    const canvas = make("canvas", { width: 1, height: 1 });
    canvas.setAttribute("aria-hidden", "true");
    const kind = e.absent ? "thumb absent" : e.asked ? "thumb asked" : "thumb";
    group.append(make("label", { className: kind, title: e.absent || e.title || "" }, input, canvas, make("span", { textContent: e.label })));
    if (!e.absent) {
      thumbs.push({ canvas, field: e.field });
    }
  }
  element("strips").append(make("div", { className: "row" }, make("span", { textContent: label }), group));
}

/** Changes the state by a choice in a strip, and keeps the keyboard there. */
function choose(change) {
  const name = document.activeElement?.name;
  change();
  refresh();
  ask();
  if (name) {
    document.querySelector(`input[name="${name}"]:checked`)?.focus();
  }
}

function buildStrips() {
  thumbs = [];
  element("strips").replaceChildren();
  if (state.kind === "attention") {
    attentionStrips(picture());
  } else {
    methodStrips(picture());
  }
}

const NOT_HERE = "This head isn't in the page, which would be too large.";

function attentionStrips(p) {
  if (p.layers.length > 1) {
    strip("Layer", "layer", p.layers.map((l, layer) => ({
      label: l.name,
      chosen: layer === state.layer,
      field: () => attentionOf(layer, p.source(layer, state.head) ? state.head : -1),
      choose: () => (state.layer = layer),
    })));
  }
  const heads = p.layers[state.layer].heads;
  if (heads.length > 1) {
    strip("Head", "head", [-1, ...heads.keys()].map((head) => ({
      label: head < 0 ? "mean" : String(head),
      chosen: head === state.head,
      absent: p.source(state.layer, head) ? "" : NOT_HERE,
      field: () => attentionOf(state.layer, head),
      choose: () => (state.head = head),
    })));
  }
}

function methodStrips(p) {
  const methods = methodsOf(p);
  if (methods.length > 1) {
    strip("Method", "method", methods.map((m) => ({
      label: m.name,
      title: [m.name, m.note].filter(Boolean).join(" · "),
      chosen: m.key === state.method,
      asked: !p.find(m.key, state.group),
      field: () => p.find(m.key, state.group)?.field ?? null,
      choose: () => (state.method = m.key),
    })), true);
  }
  const groups = p.groups.filter((g) => p.find(state.method, g.name) || g.name === state.group);
  if (groups.length > 1 && !everyGroup(p)) {
    strip(p.groupLabel, "group-thumb", groups.map((g) => ({
      label: named(g),
      chosen: g.name === state.group,
      asked: !p.find(state.method, g.name),
      field: () => p.find(state.method, g.name)?.field ?? null,
      choose: () => (state.group = g.name),
    })), true);
  }
}

/** Whether the method's map is the same for every group. */
function everyGroup(p) {
  return p.maps.some((m) => m.key === state.method && m.group === "");
}

/** Fills the controls and texts that depend on more than the query. */
function fillControls() {
  const p = picture();
  const attention = state.kind === "attention";
  setText("name", p.name);
  setText("credit", [p.credit, p.model].filter(Boolean).join(" · "));
  element("kinds").hidden = !p.layers.length || !methodsOf(p).length;
  document.querySelectorAll('input[name="kind"]').forEach((e) => (e.checked = e.value === state.kind));
  const method = p.methods.find((m) => m.key === state.method);
  const group = p.groups.find((g) => g.name === state.group);
  const forGroup = group && !everyGroup(p) ? named(group) : "";
  const head = state.head < 0 ? `mean of ${p.layers[state.layer]?.heads.length} heads` : `head ${state.head}`;
  setText("title", attention ? `Attention · layer ${p.layers[state.layer].name}, ${p.layers[state.layer].heads.length > 1 ? head : "one head"}`
    : [method?.name ?? state.method, method?.note, forGroup].filter(Boolean).join(" · "));
  setText("about", attention ? "The patches that the query reads in this layer." : method?.about ?? "");
  element("token-label").hidden = element("tokens").hidden = !attention || !p.tokens.length;
  element("group-label").hidden = element("group").hidden = attention || groupsOf(p).length < 2;
  setText("group-label", p.groupLabel);
  fillTokens(p);
  fillSelects(p);
  element("alpha").value = Math.round(100 * state.alpha);
  setText("alpha-text", `${Math.round(100 * state.alpha)} %`);
  element("smooth").checked = state.smooth;
  element("over").style.opacity = state.alpha;
  element("over").classList.toggle("smooth", state.smooth);
  fillStage(p);
}

function fillTokens(p) {
  element("tokens").replaceChildren(...p.tokens.map((name, token) => {
    const button = make("button", { type: "button", textContent: name });
    button.setAttribute("aria-pressed", String(state.query.token === token));
    button.addEventListener("click", () => lookFrom({ token }));
    return button;
  }));
}

function fillSelects(p) {
  const option = (value, text) => make("option", { value, textContent: text });
  const groups = groupsOf(p);
  const here = groups.filter((g) => !g.asked).map((g) => option(g.name, named(g)));
  const asked = groups.filter((g) => g.asked).map((g) => option(g.name, g.name));
  const parts = asked.length ? [make("optgroup", { label: "in the page" }, ...here), make("optgroup", { label: "the cell computes" }, ...asked)] : here;
  element("group").replaceChildren(...parts);
  element("group").value = state.group;
  const signed = Boolean(shown()?.signed);
  element("colours").replaceChildren(...colormaps.filter((m) => m.diverging === signed).map((m) => option(m.name, m.name)));
  element("colours").value = state.colours[signed ? "signed" : "plain"];
}

function fillStage(p) {
  const [down, across] = p.covered;
  if (element("photo").getAttribute("src") !== p.photo) {
    element("photo").src = p.photo;
    element("photo").alt = p.name;
  }
  stage.parentElement.style.setProperty("--aspect", p.width / p.height);
  stage.setAttribute("aria-label", `${p.name}: ${p.rows} rows and ${p.cols} columns of patches; arrow keys move`);
  element("over").style.width = `${(100 * p.cols) / across}%`;
  element("over").style.height = `${(100 * p.rows) / down}%`;
  setText("precision", (p.step > 1 ? `A query stands for ${p.step}×${p.step} patches (their mean). ` : "") +
    "Each map has its own scale, and values are exact to 1/255 of it.");
}

/** Looks from a token or a patch. */
function lookFrom(query) {
  state.query = query;
  state.kept = query.token !== undefined;
  fillTokens(picture());
  drawSoon();
}

/** Moves the cursor, and the query with it unless it is kept. */
function moveTo(row, col) {
  state.cursor = { row, col };
  if (state.kind === "attention" && !state.kept) {
    const before = state.query.token;
    state.query = { row, col };
    if (before !== undefined) {
      fillTokens(picture());
    }
  }
  drawSoon();
}

/** Keeps the query, or lets it go. */
function keep(kept) {
  state.kept = kept && state.kind === "attention";
  if (!state.kept && state.cursor && state.kind === "attention") {
    state.query = { ...state.cursor };
  }
  fillTokens(picture());
  drawSoon();
}

/** The patch at a place of the screen. */
function patchAt(event) {
  const box = stage.getBoundingClientRect();
  const { rows, cols, covered } = picture();
  const clamp = (v, n) => Math.min(Math.max(Math.floor(v), 0), n - 1);
  return [clamp(((event.clientY - box.top) / box.height) * covered[0], rows), clamp(((event.clientX - box.left) / box.width) * covered[1], cols)];
}

let touched = false;
stage.addEventListener("pointerdown", (event) => {
  touched = event.pointerType === "touch";
  if (touched) {
    state.kept = false;
  }
  moveTo(...patchAt(event));
});
stage.addEventListener("pointermove", (event) => moveTo(...patchAt(event)));
stage.addEventListener("pointerleave", () => {
  if (!touched) {
    state.cursor = null;
    drawSoon();
  }
});
stage.addEventListener("click", () => {
  if (!touched) {
    keep(!state.kept);
  }
});

/** Keys on the photograph: the patch that each leads to. */
const MOVES = {
  ArrowLeft: ([r, c]) => [r, c - 1],
  ArrowRight: ([r, c]) => [r, c + 1],
  ArrowUp: ([r, c]) => [r - 1, c],
  ArrowDown: ([r, c]) => [r + 1, c],
  Home: ([r]) => [r, 0],
  End: ([r]) => [r, Infinity],
  PageUp: ([, c]) => [0, c],
  PageDown: ([, c]) => [Infinity, c],
};

stage.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) {
    return;
  }
  const { rows, cols } = picture();
  if (MOVES[event.key]) {
    const from = state.cursor ?? (state.query.token === undefined ? state.query : { row: rows >> 1, col: cols >> 1 });
    const [row, col] = MOVES[event.key]([from.row, from.col]);
    moveTo(Math.min(Math.max(row, 0), rows - 1), Math.min(Math.max(col, 0), cols - 1));
  } else if (event.key === "Enter" || event.key === " ") {
    keep(!state.kept);
  } else if (event.key === "Escape") {
    keep(false);
  } else {
    return;
  }
  event.preventDefault();
});

/** The next of a list of names, or the one before; round the ends. */
function next(list, now, by) {
  const at = list.indexOf(now);
  return list[(at + by + list.length) % list.length];
}

/** Moves along the first strip: layers or methods. */
function alongFirst(by) {
  if (state.kind === "attention") {
    state.layer = next([...picture().layers.keys()], state.layer, by);
  } else if (picture().methods.length) {
    state.method = next(picture().methods.map((m) => m.key), state.method, by);
  }
}

/** Moves along the second strip: heads, classes or words. */
function alongSecond(by) {
  const p = picture();
  if (state.kind === "attention") {
    const heads = [-1, ...p.layers[state.layer].heads.keys()].filter((h) => p.source(state.layer, h));
    state.head = next(heads, state.head, by);
  } else if (p.groups.length) {
    state.group = next(p.groups.map((g) => g.name), state.group, by);
  }
}

/** Keys anywhere in the page. */
const KEYS = {
  a: () => (state.kind = state.kind === "attention" ? "methods" : "attention"),
  t: () => picture().tokens.length && lookFrom({ token: ((state.query.token ?? -1) + 1) % picture().tokens.length }),
  "[": () => alongFirst(-1),
  "]": () => alongFirst(1),
  ",": () => alongSecond(-1),
  ".": () => alongSecond(1),
  "-": () => (state.alpha = Math.max(0, Math.round(20 * state.alpha - 1) / 20)),
  "+": () => (state.alpha = Math.min(1, Math.round(20 * state.alpha + 1) / 20)),
  c: () => {
    const kind = shown()?.signed ? "signed" : "plain";
    state.colours[kind] = next(colormaps.filter((m) => m.diverging === (kind === "signed")).map((m) => m.name), state.colours[kind], 1);
  },
  s: () => (state.smooth = !state.smooth),
  p: () => (state.picture = (state.picture + 1) % pictures.length),
};
KEYS["="] = KEYS["+"];

document.addEventListener("keydown", (event) => {
  const typing = event.target.tagName === "SELECT"; // letters choose an option there
  if (!KEYS[event.key] || typing || event.ctrlKey || event.metaKey || event.altKey) {
    return;
  }
  choose(KEYS[event.key]);
  fillPictures();
  event.preventDefault();
});

/** The photographs to choose from. */
function fillPictures() {
  element("pictures").hidden = pictures.length < 2;
  element("pictures").replaceChildren(...pictures.map((p, i) => {
    const input = make("input", { type: "radio", name: "picture", checked: i === state.picture });
    input.addEventListener("change", () => choose(() => (state.picture = i)));
    return make("label", { className: "thumb", title: p.name }, input, make("img", { src: p.photo, alt: "" }), make("span", { textContent: short(p.name) }));
  }));
}

document.querySelectorAll('input[name="kind"]').forEach((e) => e.addEventListener("change", () => choose(() => (state.kind = e.value))));
element("group").addEventListener("change", () => choose(() => (state.group = element("group").value)));
element("alpha").addEventListener("input", () => {
  state.alpha = element("alpha").value / 100;
  fillControls();
});
element("colours").addEventListener("change", () => choose(() => (state.colours[shown()?.signed ? "signed" : "plain"] = element("colours").value)));
element("smooth").addEventListener("change", () => choose(() => (state.smooth = element("smooth").checked)));
