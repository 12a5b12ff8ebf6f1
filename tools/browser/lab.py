"""JupyterLab in a real Chromium, as a user has it: what drive.py and bench/browser.py work with."""

import contextlib
import os
import re
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

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tools" / "notebooks"))

import execute  # noqa: E402

BROWSERS = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"]
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]

# A notebook is there and its kernel is connected.
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


# In the page: the notebook widget, and the cell at an index (negative ones count from the end).
BOOK = "const book = window.jupyterapp.shell.currentWidget.content; const cell = i => book.widgets.at(i);"


class Book:
    """The notebook that a page shows. Cells are numbered from 0, all kinds together; negative
    numbers count from the end."""

    def __init__(self, page):
        self.page = page

    def open(self, url):
        """Opens a notebook and returns the seconds until its first cell is shown."""
        start = time.monotonic()
        self.page.goto(url)
        self.page.locator(".jp-Notebook .jp-Cell").first.wait_for(timeout=90_000)
        seconds = time.monotonic() - start
        self.page.wait_for_function(READY, timeout=90_000)
        return seconds

    def ask(self, script, arg=None):
        """Evaluates JavaScript with book, cell(i) and arg."""
        return self.page.evaluate("arg => { " + BOOK + " return (" + script + "); }", arg)

    def command(self, name, **args):
        """Runs one of JupyterLab's commands without waiting for its end."""
        self.page.evaluate("([name, args]) => { window.jupyterapp.commands.execute(name, args); }", [name, args])

    def cells(self):
        """The code cells as the front end has them: text, count, outputs."""
        return self.ask("book.model.sharedModel.cells.filter(c => c.cell_type === 'code')"
                        ".map(c => ({source: c.source, count: c.execution_count, outputs: c.toJSON().outputs}))")

    def outputs(self, index):
        return self.ask("cell(arg).model.sharedModel.toJSON().outputs", index)

    def text(self, index):
        """What a cell printed, with the messages of errors."""
        parts = []
        for o in self.outputs(index):
            text = o.get("text") or "\n".join(o.get("traceback", []))
            parts.append(text if isinstance(text, str) else "".join(text))
        return execute.ANSI.sub("", "".join(parts))

    def append(self, source):
        """Adds a code cell at the end and selects it."""
        self.ask("book.model.sharedModel.insertCell(book.model.cells.length, {cell_type: 'code', source: arg, metadata: {}, outputs: []})", source)
        self.select(-1)

    def remove_last(self, count):
        for _ in range(count):
            self.ask("book.model.sharedModel.deleteCell(book.model.cells.length - 1)")

    def select(self, index):
        """Makes a cell the selected one, with the cursor in it."""
        self.ask("(book.deselectAll(), book.activeCellIndex = book.widgets.indexOf(cell(arg)), book.mode = 'edit')", index)
        self.page.wait_for_timeout(150)
        self.ask("cell(arg).node.scrollIntoView({block: 'center'})", index)
        self.ask("cell(arg).editor.focus()", index)

    def run(self, index):
        """Runs a cell with the keyboard."""
        self.select(index)
        self.page.keyboard.press("Control+Enter")

    def idle(self):
        return self.page.evaluate("() => window.jupyterapp.shell.currentWidget.sessionContext.session?.kernel?.status") == "idle"

    def wait(self, what, done, seconds):
        """Waits until done() is true; returns the seconds that it took."""
        start = time.monotonic()
        while not done():
            if time.monotonic() - start > seconds:
                raise Failed(f"no {what} within {seconds:.1f} s")
            self.page.wait_for_timeout(20)
        return time.monotonic() - start

    def finish(self, index, seconds=120):
        """Runs a cell and waits until it has ended."""
        before = self.ask("cell(arg).model.executionCount", index)
        self.run(index)
        return self.wait("end of a cell", lambda: self.ask("cell(arg).model.executionCount", index) not in (None, before) and self.idle(), seconds)

    def red(self, index):
        """Whether a cell shows an error, on a ground that is more red than green."""
        kinds = [o["output_type"] for o in self.outputs(index)]
        colours = self.ask("[...cell(arg).node.querySelectorAll('.jp-OutputArea-output')].map(e => getComputedStyle(e).backgroundColor)", index)
        grounds = [list(map(float, re.findall(r"[\d.]+", c)))[:2] for kind, c in zip(kinds, colours) if kind == "error"]
        return any(red > green + 10 for red, green in grounds)

    def restart(self):
        """Restarts the kernel with the menu and waits until it's there."""
        menu(self.page, "Kernel", "Restart Kernel…")
        self.page.locator(".jp-Dialog .jp-mod-accept").click(timeout=10_000)
        self.page.wait_for_timeout(500)
        self.wait("kernel after a restart", self.idle, 60)


def patience():
    """By how much limits grow on a machine that does more than this test."""
    return max(1.0, os.getloadavg()[0] / len(os.sched_getaffinity(0)))
