#!/usr/bin/env python3
"""Uses notebooks in JupyterLab as a user would, in a real Chromium.

    tools/with-env.sh python tools/browser/drive.py [-o report/browser] [--short] NOTEBOOK...

With each notebook: opens it, presses Tab, runs all cells, edits the last one and runs it
again, runs cells that fail and one that never ends, moves the sliders, and exports it as HTML, whose look
it checks on the screen and printed. With a small notebook of its own: two groups of
controls at once, while another cell runs and after the kernel was started again. --short
leaves out what takes long: the look of exports, and JupyterLab's other theme and width.
Screenshots, the exports and their PDFs are written to DIR/NAME. It fails if something
doesn't do what a user expects, or the page throws an error.
"""

import argparse
import contextlib
import os
import shutil
import sys
import time
from pathlib import Path

from playwright.sync_api import Error, TimeoutError as PlaywrightTimeout, sync_playwright

import lab
from lab import ROOT, Book, Failed, menu, patience

import nbformat  # noqa: E402
import check  # noqa: E402  (tools/notebooks, as execute)
import execute  # noqa: E402
import look  # noqa: E402
import scratch  # noqa: E402

EDIT = 'println("edited in the browser")'
FAILING = "%%\nvar none []int\nprintln(none[len(none)])"
AFTER = '%%\nprintln("after a failure")'
ENDLESS = '%%\nprintln("it never ends")\nfor {\n}'
ALIVE = '%%\nprintln("the kernel lives")'
AGAIN = "Run the cell again"

# Limits in seconds on a machine that does nothing else.
FIRST_TAB, RED, MOVED, RESTARTED = 2.0, 1.5, 2.0, 10.0


def expect(condition, message):
    if not condition:
        raise Failed(message)


def succeed(cells):
    for number, cell in enumerate(cells, 1):
        found = execute.failure_in([nbformat.from_dict(o) for o in cell["outputs"]])
        if found:
            raise Failed(f"code cell {number}: {found[0]}\n{found[1]}")


def pictures_in(cells):
    return sum(1 for c in cells for o in c["outputs"] for kind in o.get("data", {}) if kind.startswith("image/"))


class Visit:
    """A user's visit to one notebook."""

    def __init__(self, browser, page, out, timeout, short):
        self.browser, self.page, self.out, self.timeout, self.short = browser, page, out, timeout, short
        self.book, self.notes, self.shots = Book(page), [], 0

    def note(self, what, seconds):
        self.notes.append(f"{what} {seconds:.2f} s")

    def shot(self, name):
        self.shots += 1
        self.page.screenshot(path=self.out / f"{self.shots:02d}-{name}.png")

    def limit(self, seconds):
        return seconds * patience()

    def open(self, url):
        self.note("opened in", self.book.open(url))
        self.page.wait_for_timeout(500)
        self.shot("opened")

    def tab(self):
        """Tab at the first press completes, before any cell was run."""
        index = self.book.ask("book.widgets.findLastIndex(w => w.model.type === 'code')")
        before = self.book.ask("cell(arg).model.sharedModel.source", index)
        self.book.select(index)
        self.page.keyboard.press("Control+End")
        self.page.keyboard.press("Enter")
        self.page.keyboard.type("notebook.Sh")
        self.page.keyboard.press("Tab")
        entries = self.page.locator(".jp-Completer:visible .jp-Completer-match")
        try:
            seconds = self.book.wait("list after the first Tab", lambda: entries.count() > 0, self.limit(FIRST_TAB))
            found = entries.all_text_contents()
            expect(any(e.split("(")[0].strip() == "Show" for e in found), f"Tab proposes {found[:8]}, not Show")
            self.note("first Tab", seconds)
            self.page.wait_for_timeout(400)
            self.shot("tab")
        finally:
            self.page.keyboard.press("Escape")
            self.book.ask("cell(arg[0]).model.sharedModel.setSource(arg[1])", [index, before])

    def run_all(self):
        start = time.monotonic()
        menu(self.page, "Run", "Run All Cells")
        end = start + self.timeout
        while True:
            cells = self.book.cells()
            succeed(cells)
            if all(c["count"] for c in cells) and self.book.idle():
                break
            expect(time.monotonic() < end, f"no end after {self.timeout:.0f} s; counts are {[c['count'] for c in cells]}")
            self.page.wait_for_timeout(100)
        self.note("Run All", time.monotonic() - start)
        self.page.wait_for_timeout(500)
        return cells

    def looks(self):
        """Screenshots wide and narrow, light and dark. Nothing may stand out of the page."""
        first = self.page.locator(".jp-OutputArea-output :is(img, .widget-box)")
        for theme in ["JupyterLab Light"] if self.short else ["JupyterLab Light", "JupyterLab Dark"]:
            self.book.command("apputils:change-theme", theme=theme)
            self.page.wait_for_timeout(1500)
            for width in [1280] if self.short else look.WIDTHS:
                self.page.set_viewport_size({"width": width, "height": 900})
                self.page.wait_for_timeout(400)
                if first.count():
                    first.first.scroll_into_view_if_needed()
                    self.page.wait_for_timeout(400)
                self.shot(f"{width}-{theme.split()[-1].lower()}")
                wide = self.book.ask("""[...book.node.querySelectorAll('.jp-OutputArea-output :is(img, .widget-box, table)')]
                    .filter(e => e.getBoundingClientRect().right > book.node.getBoundingClientRect().right + 1
                        && e.closest('.jp-OutputArea-output').scrollWidth <= e.closest('.jp-OutputArea-output').clientWidth)
                    .map(e => e.tagName + ' ' + e.className)""")
                expect(not wide, f"at {width} pixels, these stand out of the page: {wide[:5]}")
        self.book.command("apputils:change-theme", theme="JupyterLab Light")
        self.page.set_viewport_size({"width": 1280, "height": 900})
        self.page.wait_for_timeout(800)

    def edit(self):
        """Typing in the last cell and running it again shows what the edit prints."""
        index = self.book.ask("book.widgets.findLastIndex(w => w.model.type === 'code')")
        before = max(c["count"] for c in self.book.cells())
        self.book.select(index)
        self.page.keyboard.press("Control+End")
        self.page.keyboard.press("Enter")
        self.page.keyboard.type(EDIT)
        self.page.keyboard.press("Escape")  # leaves a completion list, or the editor
        start = time.monotonic()
        self.book.run(index)
        self.book.wait("end of the edited cell", lambda: (self.book.cells()[-1]["count"] or 0) > before and self.book.idle(), self.timeout)
        self.note("edited cell", time.monotonic() - start)
        succeed(self.book.cells())
        expect("edited in the browser" in self.book.text(index), f"the edited cell ran, but not the edit: {self.book.text(index)[:300]}")
        self.page.wait_for_timeout(300)
        self.shot("edited")

    def fail(self):
        """A cell that fails is red, and stops what should run after it."""
        self.book.append(FAILING)
        self.book.append(AFTER)
        self.book.select(-2)
        self.page.keyboard.press("Escape")
        start = time.monotonic()
        self.book.command("notebook:run-all-below")
        self.book.wait("red cell after a failure", lambda: self.book.red(-2), self.limit(5 * RED))
        self.note("failing cell red in", time.monotonic() - start)
        self.book.wait("idle kernel after a failure", self.book.idle, self.limit(5))
        self.page.wait_for_timeout(700)
        expect("index out of range" in self.book.text(-2), f"the failing cell says: {self.book.text(-2)[:300]}")
        expect(not self.book.outputs(-1), f"the cell after a failing one ran: {self.book.text(-1)[:300]}")
        self.shot("failed")
        self.book.remove_last(2)

    def interrupt(self):
        """A cell that never ends can be interrupted, and the kernel lives on."""
        self.book.append(ENDLESS)
        self.book.run(-1)
        self.book.wait("output of the endless cell", lambda: "never ends" in self.book.text(-1), self.limit(10))
        self.page.wait_for_timeout(500)
        menu(self.page, "Kernel", "Interrupt Kernel")
        seconds = self.book.wait("red cell after an interruption", lambda: self.book.red(-1), self.limit(RED))
        self.note("interrupted in", seconds)
        self.shot("interrupted")
        self.book.append(ALIVE)
        self.book.finish(-1)
        expect("the kernel lives" in self.book.text(-1), f"after an interruption, a cell says: {self.book.text(-1)[:300]}")
        self.book.remove_last(2)

    def picture_below(self, index):
        """What the controls of a cell show."""
        return self.book.ask("cell(arg).node.querySelector('.widget-image')?.src ?? ''", index)

    def move(self, index, what):
        """Moves the first slider of a cell; its picture and its value change."""
        self.book.select(index)
        handle = "cell(arg).node.querySelector('.noUi-handle')"
        self.book.wait(f"sliders of {what}", lambda: self.book.ask(f"Boolean({handle})", index) and self.picture_below(index), self.limit(5))
        value = "cell(arg).node.querySelector('.widget-readout').textContent"
        picture, number = self.picture_below(index), self.book.ask(value, index)
        self.book.ask(f"{handle}.focus()", index)
        start = time.monotonic()
        for _ in range(3):
            self.page.keyboard.press("ArrowRight")
        self.book.wait(f"new picture after a move of {what}", lambda: self.picture_below(index) != picture, self.limit(MOVED))
        self.note(f"{what} moved in", time.monotonic() - start)
        expect(self.book.ask(value, index) != number, f"the value of {what} is still {number}")
        last = None
        while last != (last := self.picture_below(index)):  # the last press may be drawn later
            self.page.wait_for_timeout(500)

    def sliders(self):
        """The controls of the notebook's own cells."""
        with_sliders = self.book.ask("book.widgets.map((w, i) => w.node.querySelector('.noUi-handle') ? i : -1).filter(i => i >= 0)")
        named = self.book.ask("book.widgets.filter(w => /notebook\\.(Sliders|Interact)/.test(w.model.sharedModel.source)).length")
        expect(len(with_sliders) == named, f"{named} cells make controls, {len(with_sliders)} show some")
        for index in with_sliders:
            self.move(index, "a slider")
            self.shot("slider")

    def export(self, cells):
        """File, Save and Export Notebook As, HTML with its default options; checks the page."""
        self.page.keyboard.press("Escape")
        self.page.keyboard.press("Control+s")
        self.page.wait_for_timeout(1000)
        got = []
        self.page.context.on("page", lambda p: p.on("download", lambda d: got.append(d)))
        self.page.on("download", lambda d: got.append(d))
        start = time.monotonic()
        menu(self.page, "File", "Save and Export Notebook As", "HTML")
        self.page.locator(".jp-Dialog .jp-mod-accept").click(timeout=10_000)  # "Sanitize" stays ticked
        self.book.wait("download of the export", lambda: got, 90)
        self.note("exported in", time.monotonic() - start)
        path = self.out / "export.html"
        got[0].save_as(path)
        text = path.read_text(encoding="utf-8")
        expect(text.count("data:image/") >= pictures_in(cells), f"the export shows {text.count('data:image/')} of {pictures_in(cells)} pictures")
        expect("edited in the browser" in text, "the export doesn't show the edit")
        faults = look.check(self.browser, path, self.out, **({"widths": (1280,), "schemes": ("light",)} if self.short else {}))
        expect(not faults, "the exported page: " + "; ".join(faults[:8]))


def use(visit, url):
    """Tests one notebook."""
    visit.open(url)
    visit.tab()
    visit.run_all()
    visit.shot("ran")
    visit.looks()
    visit.sliders()
    visit.edit()
    visit.fail()
    visit.interrupt()
    cells = visit.book.cells()
    visit.export(cells)
    return cells


def play(visit, url):
    """Tests controls with the small notebook."""
    book, first, second = visit.book, scratch.FIRST_GROUP, scratch.SECOND_GROUP
    visit.open(url)
    visit.tab()
    cells = visit.run_all()
    visit.move(first, "the first group")
    still = visit.picture_below(first)
    visit.move(second, "the second group")
    expect(visit.picture_below(first) == still, "moving the second group changed the first")
    visit.shot("two-groups")
    book.run(scratch.ANOTHER)  # takes two seconds
    visit.page.wait_for_timeout(300)
    visit.move(first, "a group while a cell runs,")
    expect(not book.idle() or patience() > 2, "a move waited for the cell that ran")
    book.wait("end of the other cell", book.idle, 60)
    expect("another cell" in book.text(scratch.ANOTHER), "a cell that ran beside sliders printed nothing")
    visit.interrupt()
    visit.move(second, "a group after an interruption")
    book.restart()
    dead = """[arg.map(i => [...cell(i).node.querySelectorAll('.noUi-target')]).flat().every(s => s.hasAttribute('disabled')),
        arg.map(i => cell(i).node.textContent.includes('%s')).every(Boolean)]""" % AGAIN
    book.wait(f"disabled controls with '{AGAIN}' after a restart", lambda: all(book.ask(dead, [first, second])), visit.limit(RESTARTED))
    visit.page.wait_for_timeout(300)
    visit.shot("restarted")
    visit.run_all()
    visit.move(first, "a group after it ran again")
    visit.fail()
    return cells


class Runner:
    """Visits notebooks, each in a window of its own."""

    def __init__(self, browser, server, args):
        self.browser, self.server, self.args = browser, server, args

    def visit(self, test, name, copy):
        out = self.args.output / name
        out.mkdir(parents=True, exist_ok=True)
        for old in [*out.glob("*.png"), *out.glob("*.pdf")]:
            old.unlink()
        context = self.browser.new_context(viewport={"width": 1280, "height": 900}, accept_downloads=True)
        page = context.new_page()
        visit, errors, start = Visit(self.browser, page, out, self.args.timeout, self.args.short), [], time.monotonic()
        page.on("pageerror", lambda e: errors.append(str(e)))
        address, token = self.server
        try:
            path = copy.resolve().relative_to(ROOT).as_posix()
            cells = test(visit, f"{address}/lab/tree/{path}?token={token}&reset")
            expect(not errors, "the page threw: " + "; ".join(errors[:5]))
            print(f"passed {name}: {len(cells)} code cells, {pictures_in(cells)} pictures, {time.monotonic() - start:.0f} s; " + ", ".join(visit.notes), flush=True)
            return True
        except (Failed, PlaywrightTimeout, Error) as err:
            with contextlib.suppress(Error):
                page.screenshot(path=out / "failed.png")
            print(f"FAILED {name}: {err}\nso far: {', '.join(visit.notes)}\nscreenshots: {out}", file=sys.stderr, flush=True)
            return False
        finally:
            context.close()
            copy.unlink(missing_ok=True)

    def notebook(self, path):
        """A copy beside the original, so that its relative paths work."""
        copy = path.with_name(f"browser-test-{os.getpid()}-{path.name}")
        shutil.copyfile(path, copy)
        return self.visit(use, path.stem, copy)

    def small(self):
        copy = ROOT / "notebooks" / f"browser-test-{os.getpid()}-small.ipynb"
        scratch.write(copy, check.KERNELSPEC)
        return self.visit(play, "small", copy)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("notebooks", nargs="*", type=Path, metavar="NOTEBOOK")
    parser.add_argument("-o", "--output", type=Path, default=ROOT / "report" / "browser", metavar="DIR")
    parser.add_argument("--short", action="store_true", help="leave out what takes long")
    parser.add_argument("--timeout", type=float, default=600, metavar="SECONDS", help="for a run (default: %(default)s)")
    args = parser.parse_args()
    args.output.mkdir(parents=True, exist_ok=True)
    try:
        executable = lab.find_browser()
        with open(args.output / "jupyterlab.log", "w", encoding="utf-8") as log, lab.jupyterlab(log) as server, sync_playwright() as p:
            browser = p.chromium.launch(executable_path=executable, args=lab.FLAGS)
            runner = Runner(browser, server, args)
            results = [runner.small(), *(runner.notebook(n.resolve()) for n in args.notebooks)]
            browser.close()
    except Failed as err:
        print(f"FAILED: {err}", file=sys.stderr)
        return 1
    print(f"{sum(results)} passed, {len(results) - sum(results)} failed")
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
