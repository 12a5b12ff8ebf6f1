#!/usr/bin/env python3
"""Uses the page of pkg/explain/explorer in a real Chromium without a network.

    tools/with-env.sh python tools/browser/explorer.py [-o report/browser/explorer] [--short] [PAGE.html...]

Go makes a page of drawn pictures and says which colours each view must have; a mouse, a finger
and keys lead through the views. Nothing may be loaded, nothing thrown, and each redraw must fit
into a frame of 16 ms. It is the same in a frame, as notebooks show it. --short leaves out the screenshots.
Pages that are named are only opened, looked at and timed.
"""

import argparse
import base64
import json
import os
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import lab  # noqa: E402
import look  # noqa: E402
from lab import ROOT, Failed, patience  # noqa: E402

# A frame of 60 in a second, in milliseconds.
FRAME = 16.0

# The colours of the map's canvas, without opacity, in base64.
PIXELS = """() => {
  const c = document.getElementById('map'), d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data;
  let text = '';
  for (let i = 0; i < d.length; i++) { if (i % 4 < 3) text += String.fromCharCode(d[i]); else if (d[i] !== 255) return 'not painted'; }
  return btoa(text);
}"""

# Times redraws for a list of queries: the script's part with the layout, and until the picture is painted.
REDRAWS = """async (count) => {
  const script = [], painted = [], p = picture();
  const after = () => new Promise(done => { const c = new MessageChannel(); c.port1.onmessage = done; c.port2.postMessage(0); });
  for (let i = 0; i < count; i++) {
    await new Promise(requestAnimationFrame);
    const began = performance.now();
    state.cursor = {row: (i * 7) % p.rows, col: (i * 5) % p.cols};
    if (state.kind === 'attention') state.query = {...state.cursor};
    draw();
    document.body.getBoundingClientRect();
    script.push(performance.now() - began);
    await after();
    painted.push(performance.now() - began);
  }
  const at = (list, share) => list.sort((a, b) => a - b)[Math.min(list.length - 1, Math.floor(share * list.length))];
  return {script: [at(script, 0.5), at(script, 0.95)], painted: [at(painted, 0.5), at(painted, 0.95)]};
}"""

# Everything is unpacked.
UNPACKED = "() => pictures.every(p => p.maps.every(m => m.field) && [...p.blocks.values()].every(Boolean))"


def expect(condition, message):
    if not condition:
        raise Failed(message)


def made(folder):
    """Lets Go make the page; returns what each view must show."""
    done = subprocess.run([str(ROOT / "tools" / "with-env.sh"), "go", "test", "./pkg/explain/explorer", "-count=1", "-run", "^TestPage$", "-args", "-page", str(folder)],
                          cwd=ROOT, capture_output=True, text=True, check=False)
    expect(done.returncode == 0, f"the page wasn't made:\n{done.stdout}{done.stderr}")
    return json.loads((folder / "views.json").read_text(encoding="utf-8"))


class Reader:
    """Someone with a mouse and a keyboard in front of a page. frame is the frame that the explorer is in."""

    def __init__(self, page, frame):
        self.page, self.frame = page, frame

    def ask(self, script, arg=None):
        return self.frame.evaluate(script, arg)

    def pixels(self):
        self.page.wait_for_timeout(40)  # the next frame
        return self.ask(PIXELS)

    def shows(self, view, how):
        got = self.pixels()
        for _ in range(20):
            if got == view["rgb"]:
                return
            self.page.wait_for_timeout(25)
            got = self.pixels()
        differing = sum(a != b for a, b in zip(base64.b64decode(got), base64.b64decode(view["rgb"])))
        raise Failed(f"{how}: the map differs in {differing} of {len(base64.b64decode(view['rgb']))} bytes from Go's for {view | {'rgb': ''}}; the page is at {self.ask('() => JSON.stringify(state)')}")

    def hover(self, row, col):
        """Moves the mouse over a patch."""
        box = self.frame.locator("#stage").bounding_box()
        rows, cols = self.ask("() => picture().covered")
        self.page.mouse.move(box["x"] + box["width"] * (col + 0.5) / cols, box["y"] + box["height"] * (row + 0.5) / rows)

    def pick(self, name, value):
        """Chooses an entry of a strip with the mouse."""
        self.frame.locator(f"#strips input[name='{name}']").nth(value).check(force=True)

    def text(self, where):
        return self.frame.locator(where).inner_text()


def every_view(reader, views):
    """Sets each view and compares it with Go's."""
    for v in views:
        reader.ask("""v => { state.colours = {plain: "inferno", signed: "coolwarm"}; state.picture = v.picture; state.kind = v.kind; state.layer = v.layer; state.head = v.head; state.method = v.method; state.group = v.group || picture().groups[0].name;
            state.query = v.token >= 0 ? {token: v.token} : {row: v.row, col: v.col}; refresh(); }""", v)
        got = reader.ask(PIXELS)
        expect(got == v["rgb"], f"the map isn't Go's for {v | {'rgb': ''}}")


def mouse(reader, views):
    """Hovers, keeps a patch, and chooses layers, heads, methods and classes."""
    find = lambda **wanted: next(v for v in views if all(v[k] == x for k, x in wanted.items()))  # noqa: E731
    reader.hover(8, 1)
    reader.shows(find(picture=0, layer=3, head=-1, row=8, col=1), "hovering")
    expect("row 8, column 1" in reader.text("#readout"), f"the numbers are {reader.text('#readout')!r}")
    reader.pick("layer", 1)
    reader.hover(0, 0)
    reader.shows(find(picture=0, layer=1, head=-1, row=0, col=0, token=-1), "another layer")
    reader.pick("head", 2)
    reader.hover(15, 15)
    reader.shows(find(picture=0, layer=1, head=1, row=15, col=15), "a head")
    reader.page.mouse.down()
    reader.page.mouse.up()
    reader.hover(3, 3)
    reader.shows(find(picture=0, layer=1, head=1, row=15, col=15), "a patch that was kept")
    expect("row 15, column 15" in reader.text("#query-text") and "row 3, column 3" in reader.text("#cursor-text"), "the numbers of a patch that was kept")
    shown = float(reader.text("#value").replace("−", "-"))
    expect(shown > 0, f"the value under the cursor is {shown}")
    reader.frame.get_by_role("button", name="[class]").click()
    reader.shows(find(picture=0, layer=1, head=1, token=0), "[class]")
    reader.frame.locator("input[value='methods']").check(force=True)
    reader.shows(find(picture=0, method="chefer", group="Birman"), "a method")
    reader.pick("method", 1)
    reader.shows(find(picture=0, method="attcat", group="Birman"), "a signed method")
    reader.frame.locator("#group").select_option("Ragdoll")
    reader.shows(find(picture=0, method="attcat", group="Ragdoll"), "another class")
    reader.pick("method", 2)
    reader.shows(find(picture=0, method="rollout"), "a method without classes")


def keys(reader, views):
    """The same with keys only."""
    find = lambda **wanted: next(v for v in views if all(v[k] == x for k, x in wanted.items()))  # noqa: E731
    press = reader.page.keyboard.press
    reader.ask("() => { Object.assign(state, {picture: 0, kind: 'attention', layer: 3, head: -1, query: {token: 0}, kept: false, cursor: null, method: 'chefer', group: 'Birman'}); refresh(); }")
    reader.frame.locator("#stage").focus()
    outline = reader.ask("() => { const s = getComputedStyle(document.activeElement); return document.activeElement.id + ' ' + s.outlineStyle; }")
    press("ArrowRight")
    press("Home")
    press("PageUp")
    reader.shows(find(picture=0, layer=3, head=-1, row=0, col=0, token=-1), "arrow keys")
    expect(reader.ask("() => getComputedStyle(document.getElementById('stage')).outlineStyle") == "solid", f"the focus isn't seen: {outline}")
    press("End")
    press("PageDown")
    reader.shows(find(picture=0, layer=3, head=-1, row=15, col=15), "End and Page Down")
    press("[")
    press(",")
    reader.shows(find(picture=0, layer=2, head=2, row=15, col=15), "the layer before, the head before")
    press("t")
    reader.shows(find(picture=0, layer=2, head=2, token=0), "the next token")
    press("a")
    reader.shows(find(picture=0, method="chefer", group="Birman"), "maps by methods")
    press(".")
    press("]")
    reader.shows(find(picture=0, method="attcat", group="Ragdoll"), "another method and class")
    before = reader.pixels()
    press("c")
    expect(reader.pixels() != before, "other colours are the same")
    for _ in range(3):
        press("+")
    press("s")
    expect(reader.ask("() => [state.alpha, state.smooth, document.getElementById('over').style.opacity]") == [0.75, True, "0.75"], "opacity and smoothness")
    press("p")
    expect("script" in reader.text("#name") and reader.page.title() != "broken", "a name with markup in it")
    press("a")
    reader.shows(find(picture=1, layer=1, head=-1, row=3, col=1), "another photograph") if reader.ask("() => (state.query = {row: 3, col: 1}, refresh(), true)") else None


def touch(browser, address, views):
    """A finger on the photograph."""
    context = browser.new_context(has_touch=True, viewport={"width": 420, "height": 900}, offline=True)
    page = context.new_page()
    page.goto(address)
    page.wait_for_function(UNPACKED)
    reader = Reader(page, page.main_frame)
    box = page.locator("#stage").bounding_box()
    page.touchscreen.tap(box["x"] + box["width"] * 1.5 / 16, box["y"] + box["height"] * 8.5 / 16)
    reader.shows(next(v for v in views if v["layer"] == 3 and v["row"] == 8 and v["col"] == 1), "a tap")
    wide = page.evaluate("() => document.documentElement.scrollWidth - document.documentElement.clientWidth")
    expect(wide <= 0, f"on a phone the page is {wide} pixels too wide")
    context.close()


def timed(reader, what):
    """Redraws in a frame's time."""
    times = reader.ask(REDRAWS, 200)
    (_, script), (_, painted) = times["script"], times["painted"]
    expect(script < FRAME * patience(), f"{what}: a redraw takes {script:.1f} ms at the 95th percentile")
    return f"{what}: redraw p50 {times['script'][0]:.2f} ms, p95 {script:.2f} ms; painted p50 {times['painted'][0]:.1f} ms, p95 {painted:.1f} ms"


def visit(browser, path, test=None, framed=False, out=None):
    """Opens a file offline, tests it and times it; returns what there is to say."""
    context = browser.new_context(viewport={"width": 1280, "height": 1000}, offline=True)
    page = context.new_page()
    loaded, wrong = [], []
    page.on("request", lambda r: loaded.append(r.url))
    page.on("pageerror", lambda e: wrong.append(str(e)))
    page.on("console", lambda m: wrong.append(m.text) if m.type in ("error", "warning") and "willReadFrequently" not in m.text else None)  # that is this test's own reading
    page.goto(path.as_uri())
    frame = page.wait_for_selector("iframe.gaze-explorer").content_frame() if framed else page.main_frame
    frame.wait_for_function("() => typeof state === 'object' && Boolean(document.getElementById('map').pixels)", timeout=30_000)
    frame.wait_for_function(UNPACKED, timeout=30_000)
    reader, said = Reader(page, frame), []
    if test:
        test(reader)
    said.append(timed(reader, path.stem))
    outside = [u for u in loaded if not u.startswith(("data:", "about:", "blob:")) and u != path.as_uri()]
    expect(not outside, f"{path.name} loads {outside[:3]}")
    expect(not wrong, f"{path.name} throws {wrong[:3]}")
    context.close()
    return said


def shots(browser, path, out):
    """Screenshots of a page: light, dark, narrow, with each kind of map."""
    for scheme in look.SCHEMES:
        for width in (1280, 800, 420):
            context = browser.new_context(viewport={"width": width, "height": 1000}, color_scheme=scheme, offline=True)
            page = context.new_page()
            page.goto(path.as_uri())
            page.wait_for_function(UNPACKED)
            reader = Reader(page, page.main_frame)
            for kind in ("attention", "methods"):
                if page.locator("#kinds").is_visible():
                    page.locator(f"input[value='{kind}']").check(force=True)
                rows, cols = reader.ask("() => picture().covered")
                reader.hover(int(rows * 0.4), int(cols * 0.55))
                page.wait_for_timeout(150)
                page.screenshot(path=out / f"{path.stem}-{width}-{scheme}-{kind}.png", full_page=True)
            context.close()


CELL = """import "gaze/pkg/notebook"
%%
notebook.ExploreModel(notebook.Classifier(), "{picture}")"""

# Limits in milliseconds for a map that the cell computes: the median, and the 95th percentile.
ANSWERED, MOSTLY = 100.0, 200.0


def asked(frame, wait):
    """Chooses classes that the page hasn't got; returns the milliseconds until each map is there."""
    times = []
    names = frame.evaluate("() => data.live.groups.filter(g => !picture().groups.some(h => h.name === g))")
    for name in names[:20]:
        frame.evaluate("() => { live.took = 0; }")
        frame.locator("#group").select_option(name)
        frame.wait_for_function("() => live.took > 0", timeout=60_000)
        expect(frame.evaluate("n => Boolean(picture().find(state.method, n)) && state.group === n", name), f"the map for {name} isn't there")
        times.append(frame.evaluate("() => live.took"))
        wait(100)
    times.sort()
    return times[len(times) // 2], times[int(0.95 * (len(times) - 1))]


def in_jupyterlab(browser, out):
    """A cell with an explorer: run, asked, exported, opened again."""
    import check
    import nbformat
    from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

    path = ROOT / "notebooks" / f"browser-test-{os.getpid()}-explorer.ipynb"
    cells = [new_markdown_cell("# Explorer"), new_code_cell(CELL.format(picture=out / "pet.png"))]
    nbformat.write(new_notebook(cells=cells, metadata={"kernelspec": check.KERNELSPEC, "language_info": {"name": "go"}}), path)
    context = browser.new_context(viewport={"width": 1280, "height": 1000}, accept_downloads=True)
    page = context.new_page()
    wrong = []
    page.on("pageerror", lambda e: wrong.append(str(e)))
    try:
        with open(out / "jupyterlab.log", "w", encoding="utf-8") as log, lab.jupyterlab(log) as (address, token):
            book = lab.Book(page)
            book.open(f"{address}/lab/tree/notebooks/{path.name}?token={token}&reset")
            said = [f"cell {book.finish(1, 600):.1f} s, again {book.finish(1, 600):.1f} s"]
            frame = page.wait_for_selector("iframe.gaze-explorer", timeout=20_000).content_frame()
            frame.wait_for_function("() => typeof state === 'object' && Boolean(document.getElementById('map').pixels)", timeout=30_000)
            said.append(timed(Reader(page, frame), "in JupyterLab"))
            frame.wait_for_function("() => live.connected", timeout=60_000)
            expect(page.locator(".widget-dropdown:visible").count() == 0, "the lists by which the page asks are seen")
            frame.locator("input[value='methods']").check(force=True)
            frame.evaluate("() => { state.method = 'chefer'; refresh(); }")
            page.wait_for_timeout(5000)  # the programs are made ready
            median, most = asked(frame, page.wait_for_timeout)
            said.append(f"other classes: median {median:.0f} ms, p95 {most:.0f} ms")
            expect(median < ANSWERED * patience() and most < MOSTLY * 2 * patience(), said[-1])
            page.screenshot(path=out / "jupyterlab.png")
            export(page, book, out / "export.html")
            expect(not wrong, f"JupyterLab throws {wrong[:3]}")
    finally:
        context.close()
        path.unlink(missing_ok=True)
    said += visit(browser, out / "export.html", lambda r: expect(not r.ask("() => live.connected || Boolean(data.live)"), "an export asks a cell"), framed=True)
    faults = look.check(browser, out / "export.html", out)
    expect(not faults, "the export: " + "; ".join(faults[:8]))
    return said


def export(page, book, path):
    """File, Save and Export Notebook As, HTML, with "Sanitize" ticked."""
    page.locator(".jp-Notebook").first.click(position={"x": 5, "y": 5})
    page.keyboard.press("Escape")
    page.keyboard.press("Control+s")
    page.wait_for_timeout(1000)
    got = []
    page.context.on("page", lambda p: p.on("download", lambda d: got.append(d)))
    page.on("download", lambda d: got.append(d))
    lab.menu(page, "File", "Save and Export Notebook As", "HTML")
    page.locator(".jp-Dialog .jp-mod-accept").click(timeout=10_000)
    book.wait("download of the export", lambda: got, 90)
    got[0].save_as(path)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("pages", nargs="*", type=Path, metavar="PAGE")
    parser.add_argument("-o", "--output", type=Path, default=ROOT / "report" / "browser" / "explorer", metavar="DIR")
    parser.add_argument("--short", action="store_true", help="leave out JupyterLab and the screenshots")
    args = parser.parse_args()
    from playwright.sync_api import Error, sync_playwright

    out = args.output.resolve()
    out.mkdir(parents=True, exist_ok=True)
    try:
        with sync_playwright() as p:
            browser = p.chromium.launch(executable_path=lab.find_browser(), args=lab.FLAGS)
            said = []
            if not args.pages:
                views = made(out)
                frames = out / "frames.html"  # two on a page, as in a notebook
                frame = (out / "frame.html").read_text(encoding="utf-8")
                frames.write_text(f"<!DOCTYPE html><meta charset=utf-8><title>T</title><body style='background:#111;margin:20px'>{frame}{frame}", encoding="utf-8")
                said += visit(browser, out / "explorer.html", lambda r: (mouse(r, views), keys(r, views), every_view(r, views)))
                said += visit(browser, frames, lambda r: (mouse(r, views), framed(r)), framed=True)
                touch(browser, (out / "explorer.html").as_uri(), views)
                faults = look.check(browser, out / "explorer.html", None if args.short else out, **({"widths": (800,)} if args.short else {}))
                expect(not faults, "the page: " + "; ".join(faults[:8]))
                if not args.short:
                    said += in_jupyterlab(browser, out)
            for path in args.pages or [out / "explorer.html"]:
                if args.pages:
                    said += visit(browser, path.resolve())
                if not args.short:
                    shots(browser, path.resolve(), out)
            browser.close()
    except (Failed, Error) as err:
        print(f"FAILED explorer: {err}", file=sys.stderr)
        return 1
    print("passed explorer: " + "; ".join(said))
    return 0


def framed(reader):
    """The frame is as high as the page in it, has the colours of the page around it, and replaces the still picture."""
    page = reader.page
    heights = page.evaluate("() => [...document.querySelectorAll('iframe')].map(f => [f.clientHeight, f.contentDocument.body.getBoundingClientRect().height])")
    expect(all(abs(a - b) <= 1.5 for a, b in heights), f"frames and pages in them are {heights} pixels high")
    expect(page.locator("img.gaze-explorer-still:visible").count() == 0, "the still picture is shown beside the page")
    expect(reader.ask("() => document.documentElement.dataset.theme") == "dark", "the frame isn't dark in a dark page")
    expect(page.frames[2].evaluate("() => state.layer") == 3, "one page changes the other")


if __name__ == "__main__":
    os.environ.setdefault("PLAYWRIGHT_BROWSERS_PATH", "0")
    sys.exit(main())
