#!/usr/bin/env python3
"""Uses a notebook in JupyterLab as a user would, in a real Chromium.

    tools/with-env.sh python tools/browser/drive.py [-o report/browser] NOTEBOOK...

Opens each notebook, runs all cells, edits the last one, runs it again and exports the
notebook as HTML, all with the menus and the keyboard. Screenshots and the export are
written to DIR/NAME. It fails if a cell fails, if an edit has no effect, if the page throws
an error, or if the export lacks a picture that the notebook shows.
"""

import argparse
import contextlib
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

from playwright.sync_api import Error, TimeoutError as PlaywrightTimeout, sync_playwright

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tools" / "notebooks"))

import nbformat  # noqa: E402

import execute  # noqa: E402

BROWSERS = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"]
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]
EDIT = 'println("edited in the browser")'

# The cells of the open notebook, from the front end's model.
CELLS = """() => {
  const cells = window.jupyterapp.shell.currentWidget.content.model.sharedModel.cells;
  return cells.filter(c => c.cell_type === 'code').map(c => ({
    count: c.execution_count, state: c.executionState, outputs: c.toJSON().outputs}));
}"""
# The kernel's status is "unknown" until the first cell has run, because the kernel doesn't
# answer the front end's history request.
READY = """() => {
  const widget = window.jupyterapp && window.jupyterapp.shell.currentWidget;
  const kernel = widget && widget.sessionContext && widget.sessionContext.session && widget.sessionContext.session.kernel;
  return Boolean(kernel && kernel.connectionStatus === 'connected' && widget.content.model.cells.length);
}"""


class Failed(Exception):
    """A failure that a user would notice."""


def find_browser():
    path = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, BROWSERS)), None)
    if not path:
        raise Failed("Chromium isn't on the PATH: apt-get install chromium, or set CHROMIUM to a compatible browser")
    return path


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


@contextlib.contextmanager
def jupyterlab(log, folder=ROOT):
    """A JupyterLab on this machine only, with the notebooks of a folder; yields its address and token."""
    port, token = free_port(), secrets.token_hex(16)
    server = subprocess.Popen(
        ["jupyter", "lab", "--no-browser", "--ip=127.0.0.1", f"--port={port}", "--ServerApp.port_retries=0",
         f"--IdentityProvider.token={token}", f"--ServerApp.root_dir={folder}", "--LabApp.expose_app_in_browser=True",
         *(["--allow-root"] if os.geteuid() == 0 else [])],
        stdout=log, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, start_new_session=True)
    address = f"http://127.0.0.1:{port}"
    try:
        for _ in range(240):
            with contextlib.suppress(urllib.error.URLError, ConnectionError):
                urllib.request.urlopen(f"{address}/api?token={token}", timeout=5).close()
                break
            if server.poll() is not None:
                raise Failed("JupyterLab ended; see its log")
            time.sleep(0.25)
        else:
            raise Failed("JupyterLab didn't answer within a minute")
        yield address, token
    finally:
        below = execute.processes_below(server.pid)
        server.send_signal(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            server.wait(20)
        execute.kill_all([*below, server.pid])


def menu(page, *labels):
    """Chooses an entry of the menu bar by its text."""
    page.locator(".lm-MenuBar-itemLabel", has_text=labels[0]).first.click()
    for depth, label in enumerate(labels[1:]):
        entry = page.locator(".lm-Menu").nth(depth).locator(".lm-Menu-item", has=page.get_by_text(label, exact=True)).first
        entry.hover()
        if depth == len(labels) - 2:
            entry.click()
        else:
            page.wait_for_function("n => document.querySelectorAll('.lm-Menu').length > n", arg=depth + 1)


def failures(cells):
    for number, cell in enumerate(cells, 1):
        found = execute.failure_in([nbformat.from_dict(o) for o in cell["outputs"]])
        if found:
            raise Failed(f"code cell {number}: {found[0]}\n{found[1]}")


def wait_for_run(page, done, seconds):
    """Waits until done(cells) is true, and fails as soon as a cell has failed."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        cells = page.evaluate(CELLS)
        idle = page.evaluate("() => window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.status === 'idle'")
        failures(cells)
        if idle and done(cells):
            return cells
        time.sleep(0.3)
    raise Failed(f"no end after {seconds:.0f} s; counts are {[c['count'] for c in page.evaluate(CELLS)]}")


def pictures_in(cells):
    return sum(1 for c in cells for o in c["outputs"] for kind in o.get("data", {}) if kind.startswith("image/"))


def export(page, out):
    """File, Save and Export Notebook As, HTML; returns the file's text."""
    got = []
    page.context.on("page", lambda p: p.on("download", lambda d: got.append(d)))
    page.on("download", lambda d: got.append(d))
    menu(page, "File", "Save and Export Notebook As", "HTML")
    page.locator(".jp-Dialog .jp-mod-accept").click(timeout=10_000)  # accepts the proposal to sanitize
    end = time.monotonic() + 90
    while not got and time.monotonic() < end:
        page.wait_for_timeout(200)
    if not got:
        raise Failed("the export was not downloaded")
    got[0].save_as(out / "export.html")
    return (out / "export.html").read_text(encoding="utf-8")


def use(page, url, out, timeout):
    """Tests one notebook, from opening it to the export."""
    page.goto(url)
    page.wait_for_function(READY, timeout=90_000)
    page.wait_for_timeout(500)
    page.screenshot(path=out / "1-opened.png")

    menu(page, "Run", "Run All Cells")
    cells = wait_for_run(page, lambda cs: all(c["count"] for c in cs), timeout)
    page.wait_for_timeout(500)
    page.screenshot(path=out / "2-ran-end.png")
    shown = page.locator(".jp-Notebook img")
    if shown.count():
        shown.first.scroll_into_view_if_needed()
        page.wait_for_timeout(300)
        page.screenshot(path=out / "3-first-picture.png")

    last = page.locator(".jp-CodeCell").last
    last.locator(".cm-content").click()
    page.keyboard.press("Control+End")
    page.keyboard.press("Enter")
    page.keyboard.type(EDIT)
    page.keyboard.press("Escape")  # leaves a completion list, or the editor
    before = max(c["count"] for c in cells)
    last.locator(".cm-content").click()
    page.keyboard.press("Control+Enter")
    cells = wait_for_run(page, lambda cs: cs[-1]["count"] and cs[-1]["count"] > before, timeout)
    if not any("edited in the browser" in o.get("text", "") for o in cells[-1]["outputs"]):
        raise Failed(f"the edited cell ran, but not the edit: {cells[-1]['outputs']}")
    page.wait_for_timeout(500)
    page.screenshot(path=out / "4-edited.png")

    page.keyboard.press("Escape")
    page.keyboard.press("Control+s")
    page.wait_for_timeout(1000)
    text = export(page, out)
    if text.count("data:image/") < pictures_in(cells) or "edited in the browser" not in text:
        raise Failed(f"the export shows {text.count('data:image/')} of {pictures_in(cells)} pictures")
    return cells


def drive(browser, server, notebook, out, timeout):
    """Uses a copy of one notebook beside the original, so that its relative paths work."""
    out.mkdir(parents=True, exist_ok=True)
    copy = notebook.with_name(f"browser-test-{os.getpid()}-{notebook.name}")
    shutil.copyfile(notebook, copy)
    address, token = server
    context = browser.new_context(viewport={"width": 1280, "height": 900}, accept_downloads=True)
    page = context.new_page()
    errors = []
    page.on("pageerror", lambda e: errors.append(str(e)))
    start = time.monotonic()
    try:
        path = copy.resolve().relative_to(ROOT).as_posix()
        cells = use(page, f"{address}/lab/tree/{path}?token={token}", out, timeout)
        if errors:
            raise Failed("the page threw: " + "; ".join(errors[:5]))
        print(f"passed {notebook.name}: {len(cells)} code cells, {pictures_in(cells)} pictures, {time.monotonic() - start:.0f} s")
        return True
    except (Failed, PlaywrightTimeout, Error) as err:
        with contextlib.suppress(Error):
            page.screenshot(path=out / "failed.png")
        print(f"FAILED {notebook}: {err}\nscreenshots: {out}", file=sys.stderr)
        return False
    finally:
        context.close()
        copy.unlink(missing_ok=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("notebooks", nargs="+", type=Path)
    parser.add_argument("-o", "--output", type=Path, default=ROOT / "report" / "browser", metavar="DIR")
    parser.add_argument("--timeout", type=float, default=600, metavar="SECONDS", help="for a run (default: %(default)s)")
    args = parser.parse_args()
    args.output.mkdir(parents=True, exist_ok=True)
    passed = 0
    try:
        executable = find_browser()
        with open(args.output / "jupyterlab.log", "w", encoding="utf-8") as log, jupyterlab(log) as server, sync_playwright() as p:
            browser = p.chromium.launch(executable_path=executable, args=FLAGS)
            for notebook in args.notebooks:
                passed += drive(browser, server, notebook.resolve(), args.output / notebook.stem, args.timeout)
            browser.close()
    except Failed as err:
        print(f"FAILED: {err}", file=sys.stderr)
        return 1
    print(f"{passed} passed, {len(args.notebooks) - passed} failed")
    return 0 if passed == len(args.notebooks) else 1


if __name__ == "__main__":
    sys.exit(main())
