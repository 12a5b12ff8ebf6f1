// What lies around the page: the notebook that it is shown in, its colours, and the cell's
// program, which can compute more maps. Without a notebook there is nothing of this.
//
// The cell shows lists (ipywidgets) below the frame for what it can compute. The page moves
// them for the reader, and reads the answers that the cell shows, invisibly, below them.

const live = { connected: false, lists: [], asked: "", since: 0 };

/** The frame that the page is in, and the document around it; null in a page of its own. */
function surroundings() {
  try {
    return window.parent !== window && window.frameElement ? { frame: window.frameElement, around: window.parent.document } : null;
  } catch {
    return null; // another site's
  }
}

const outside = surroundings();

/** Takes over whether the page around is dark. */
function adoptTheme() {
  let dark = matchMedia("(prefers-color-scheme: dark)").matches;
  if (outside) {
    for (let e = outside.frame.parentElement; e; e = e.parentElement) {
      const [r, g, b, a = 1] = (getComputedStyle(e).backgroundColor.match(/[\d.]+/g) ?? [0, 0, 0, 0]).map(Number);
      if (a > 0.5) {
        dark = 0.3 * r + 0.6 * g + 0.1 * b < 128;
        document.documentElement.style.setProperty("--page", `rgb(${r} ${g} ${b})`);
        break;
      }
    }
  }
  document.documentElement.dataset.theme = dark ? "dark" : "light";
}

/** Makes the frame as high as the page, and hides the still picture beside it. */
function fitFrame() {
  if (outside) {
    outside.frame.style.height = `${Math.ceil(document.body.getBoundingClientRect().height)}px`;
  }
}

function settleIn() {
  adoptTheme();
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", adoptTheme);
  if (!outside) {
    return;
  }
  document.documentElement.classList.add("framed");
  new ResizeObserver(fitFrame).observe(document.body);
  new MutationObserver(adoptTheme).observe(outside.around.body, { attributes: true });
  const still = outside.frame.parentElement?.querySelector("img.gaze-explorer-still");
  if (still) {
    still.style.display = "none";
  }
}

/** The element with the cell's answers for this page. */
function answerElement() {
  return outside && [...outside.around.querySelectorAll(".gaze-explorer-answer")].find((e) => e.dataset.explorer === data.live.id && e.closest(".widget-vbox, .jupyter-widgets"));
}

/** Looks for the cell's lists, and for their loss when the program ends. */
function connect() {
  const box = answerElement()?.closest(".widget-vbox");
  const lists = box ? [...box.querySelectorAll("select")] : [];
  const connected = lists.length === 3 && lists.every((s) => !s.disabled);
  if (connected && live.lists[0] !== lists[0]) {
    new MutationObserver(takeAnswer).observe(box, { childList: true, subtree: true });
    lists.forEach((s) => (s.closest(".jupyter-widgets").style.display = "none"));
    live.lists = lists;
    takeAnswer(); // the last one, if the page was loaded anew
  }
  live.lists = lists;
  if (connected !== live.connected) {
    live.connected = connected;
    refresh();
  }
}

/** Asks the cell for the map that is chosen, if the page hasn't got it. */
function ask() {
  if (!live.connected || state.kind !== "methods" || picture().find(state.method, state.group)) {
    return;
  }
  const wanted = [String(state.picture), state.method, state.group];
  const key = JSON.stringify(wanted);
  if (live.asked === key) {
    return;
  }
  live.asked = key;
  live.since = performance.now();
  say("computing …");
  const indices = [state.picture, data.live.methods.findIndex((m) => m.key === state.method), data.live.groups.indexOf(state.group) + 1]; // the first entry is none
  live.lists.forEach((list, i) => {
    if (list.selectedIndex !== indices[i]) {
      list.selectedIndex = indices[i];
      list.dispatchEvent(new outside.around.defaultView.Event("change", { bubbles: true }));
    }
  });
}

/** Takes over the map that the cell has computed. */
function takeAnswer() {
  const text = answerElement()?.dataset.answer;
  if (!text || text === live.taken) {
    return;
  }
  live.taken = text;
  const a = JSON.parse(text);
  if (a.version !== data.version || !pictures[a.picture]) {
    return;
  }
  if (a.map) {
    pictures[a.picture].add(a.map, a.group);
  }
  if (live.asked === JSON.stringify([String(a.picture), a.key, a.group.name])) {
    live.asked = "";
    live.took = performance.now() - live.since;
    say(a.error || "", Boolean(a.error));
  }
  refresh();
}

function say(text, bad = false) {
  setText("status", text);
  element("status").classList.toggle("bad", bad);
}

// Begin.
pictures.forEach((p) => (p.changed = () => p === picture() && refreshSoon()));
let refreshing = 0;
function refreshSoon() {
  refreshing ||= requestAnimationFrame(() => {
    refreshing = 0;
    fillControls();
    drawRamp();
    draw();
  });
}
state.layer = Math.max(picture().layers.length - 1, 0);
settleIn();
fillPictures();
refresh();
fitFrame();
// Unpacks the heads while nothing else is to do, so that each is there when it is chosen.
(async () => {
  for (const p of pictures) {
    for (let layer = p.layers.length - 1; layer >= 0; layer--) {
      for (const head of p.layers[layer].heads.keys()) {
        p.block(layer, head);
        await new Promise((done) => (window.requestIdleCallback ?? setTimeout)(done));
      }
    }
  }
})();
if (data.live && outside) {
  connect();
  setInterval(connect, 500);
}
