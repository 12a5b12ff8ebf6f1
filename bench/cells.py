"""Times cells of notebooks with Gaze's Go kernel and with an ipykernel: edited, rerun,
failing and trivial ones, the completion that Tab asks for, and all cells of a notebook. It
talks to the kernels as Jupyter does, without a browser (browser.py has one)."""
import contextlib
import json
import os
import pathlib
import shutil
import subprocess
import sys
import time

from jupyter_client import KernelManager
from jupyter_client.kernelspec import KernelSpec

ROOT = pathlib.Path(__file__).resolve().parent.parent

GO_SETUP = """
import (
	"fmt"

	"gaze/pkg/data"
	"gaze/pkg/explain"
	"gaze/pkg/notebook"
)
"""
PYTHON_SETUP = (ROOT / "bench" / "peers" / "cell_setup.py").read_text() + 'first = attention("FIRST")\n'

# The cell of each row in Go and in Python. EDIT is a number that changes each time,
# FIRST is a photograph, and PHOTO is a photograph that is new each time.
CELLS = {
    "augmentation grid": (
        """
angle := 20 + EDIT%40
pipeline := fmt.Sprintf("randomhflip | rotation(%d) | jitter(0.5:1.5,0.5:1.5,0.5:1.5) | perspective(0.2,p=0.5)", angle)
notebook.Show(notebook.Must(explain.Augment(pipeline, 1, 8, notebook.Must(data.Decode("FIRST")))))
""", """
angle = 20 + EDIT % 40
show_grid(augmentation(angle), Image.open("FIRST").convert("RGB"), 8)
"""),
    "attention, another layer": (
        """
layer := EDIT % 12
a := notebook.Must(notebook.Attend(notebook.Model(), "", "FIRST"))[0]
notebook.Show(notebook.Must(a.Figure(layer, explain.MeanHeads)))
""", """
layer = EDIT % 12
show_attention(*first, layer)
"""),
    "attention, another photograph": (
        """
photograph := "PHOTO"
a := notebook.Must(notebook.Attend(notebook.Model(), "", photograph))[0]
notebook.Show(notebook.Must(a.Figure(-1, explain.MeanHeads)))
""", """
photograph = "PHOTO"
show_attention(*attention(photograph), -1)
"""),
    "position embeddings": (
        """
rows := 10 + EDIT%8
p := notebook.Must(notebook.Positions(notebook.Model()).Resized(rows, 14))
notebook.Show(p.Atlas())
""", """
rows = 10 + EDIT % 8
show_positions(rows, 14)
"""),
    "trivial": ("\nfmt.Println(EDIT)\n", "\nprint(EDIT)\n"),
    "failing": ("\nvar none []int\nfmt.Println(none[EDIT])\n", "\nnone = []\nprint(none[EDIT])\n"),
}

# The text before Tab, in a kernel that hasn't run any cell, and what must be among the answers.
TABS = {
    "go": ('import "gaze/pkg/notebook"\n\n%%\nnotebook.Sh', "Show"),
    "python": ("import matplotlib.pyplot as plt\n\nplt.sh", "show"),
}

COMMANDS = {
    # BENCH_KERNEL is another build of gaze-kernel.
    "go": [str(ROOT / "tools" / "kernel.sh"), "{connection_file}", *filter(None, [os.environ.get("BENCH_KERNEL")])],
    "python": [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"],
}
SETUPS = {"go": GO_SETUP, "python": PYTHON_SETUP}


@contextlib.contextmanager
def busy(processes):
    """Keeps processors busy meanwhile."""
    running = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(processes)]
    try:
        yield
    finally:
        for p in running:
            p.kill()
            p.wait()


def code_cells(name):
    """The code of a notebook's cells."""
    book = json.loads((ROOT / "notebooks" / name).read_text())
    return ["".join(c["source"]) for c in book["cells"] if c["cell_type"] == "code"]


class Cells:
    """Kernels of both languages that have run their first cells; it can also start fresh
    ones."""

    def __init__(self, cache, weights, photograph, make):
        self.folder, self.photograph, self.make = cache / f"cells-{os.getpid()}", photograph, make
        self.folder.mkdir()
        self.env = os.environ | {"GAZE_CACHE": str(self.folder), "GAZE_VIT": weights, "GAZE_STATIC": "1"}
        self.edits, self.warm, self.browser = 0, {}, None

    def cell(self, name, language):
        """The cell with a new edit. No two cells are the same, and neither are their
        photographs."""
        self.edits += 1
        photo = self.folder / f"{self.edits}.jpg"
        text = CELLS[name][language == "python"].replace("EDIT", str(self.edits)).replace("FIRST", self.photograph)
        if "PHOTO" in text:
            self.make(str(photo), self.edits)
            text = text.replace("PHOTO", str(photo))
        # The number makes sure that the compiler doesn't find the cell of an earlier run in its cache.
        return f"%%\n{text}// {os.getpid()}\n" if language == "go" else text

    def setup(self, language):
        return SETUPS[language].replace("FIRST", self.photograph)

    def running(self, language):
        """The kernel that is kept."""
        if language not in self.warm:
            self.warm[language] = Kernel(language, self.env)
            self.warm[language].run(self.setup(language), "idle")
        return self.warm[language]

    def seconds(self, task, language):
        """The time of one turn of a task. The names of tasks are those of the methods below."""
        return getattr(self, task["how"])(language, **{k: v for k, v in task.items() if k in ("cell", "until", "wait", "notebook")})

    def edited(self, language, cell, until="picture"):
        """From Run to a cell's picture, text or error, after an edit."""
        return self.running(language).run(self.cell(cell, language), until)

    def rerun(self, language, cell):
        """The same, without an edit since its last run."""
        kernel, text = self.running(language), self.cell(cell, language)
        kernel.run(text, "picture")
        kernel.pause()
        return kernel.run(text, "picture")

    def fresh(self, language, cell):
        """From the start of a kernel's process to the picture of its second cell."""
        start = time.perf_counter()
        with contextlib.closing(Kernel(language, self.env)) as kernel:
            kernel.run(self.setup(language), "idle")
            began = time.perf_counter()
            return began - start + kernel.run(self.cell(cell, language), "picture")

    def tab(self, language, wait):
        """From Tab to the list, some seconds after a new kernel was ready."""
        with contextlib.closing(Kernel(language, self.env)) as kernel:
            time.sleep(wait)
            return kernel.complete(*TABS[language])

    def all(self, language, notebook):
        """All cells of a notebook, one after another, in a kernel that has run them before."""
        name = "all"
        if name not in self.warm:  # the user's own cache, so that everything is kept
            self.warm[name] = Kernel(language, os.environ | {"GAZE_STATIC": "1"}, ROOT / "notebooks")
            for code in code_cells(notebook):
                self.warm[name].run(code, "idle")
        start = time.perf_counter()
        for code in code_cells(notebook):
            self.warm[name].run(code, "idle")
        return time.perf_counter() - start

    def click(self, language, cell):
        """From Ctrl+Enter in JupyterLab to the picture, after an edit."""
        return self.in_browser(do="click", notebook=f"cell-{language}.ipynb", source=self.cell(cell, language))

    def open(self, language, notebook):
        """From entering a notebook's address to its first cell."""
        return self.in_browser(do="open", notebook=f"{language}-{notebook}")

    def in_browser(self, **task):
        if self.browser is None:
            self.browser = Browser(self.folder / "browser", self.env, {lang: self.setup(lang) for lang in SETUPS})
        return self.browser.ask(task)

    def close(self):
        for kernel in self.warm.values():
            kernel.close()
        if self.browser is not None:
            self.browser.close()
        shutil.rmtree(self.folder)


class Browser:
    """JupyterLab in Chromium, in a process of its own (browser.py)."""

    def __init__(self, folder, env, setups):
        (folder / "notebooks").mkdir(parents=True)
        for language, setup in setups.items():
            spec = folder / "jupyter" / "kernels" / f"bench-{language}"
            spec.mkdir(parents=True)
            (spec / "kernel.json").write_text(json.dumps({
                "argv": COMMANDS[language], "display_name": language, "language": language, "interrupt_mode": "message" if language == "go" else "signal"}))
            self.write(folder, f"cell-{language}.ipynb", language, [code_cell(setup), code_cell("")])
            for original in (ROOT / "notebooks").glob("*.ipynb"):
                self.write(folder, f"{language}-{original.name}", language, json.loads(original.read_text())["cells"])
        self.process = subprocess.Popen([str(ROOT / ".venv" / "bin" / "python"), str(ROOT / "bench" / "browser.py"), str(folder)],
                                        env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.trouble = self.answer().get("error")

    def write(self, folder, name, language, cells):
        (folder / "notebooks" / name).write_text(json.dumps({
            "cells": cells, "metadata": {"kernelspec": {"name": f"bench-{language}", "display_name": language, "language": language}},
            "nbformat": 4, "nbformat_minor": 5}))

    def answer(self):
        line = self.process.stdout.readline()
        return json.loads(line) if line else {"error": "bench/browser.py ended; see its messages above"}

    def ask(self, task):
        if self.trouble:
            raise RuntimeError(self.trouble)
        self.process.stdin.write(json.dumps(task) + "\n")
        self.process.stdin.flush()
        answer = self.answer()
        if "error" in answer:
            raise RuntimeError(answer["error"])
        return answer["seconds"]

    def close(self):
        self.process.stdin.close()
        try:
            self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def code_cell(text):
    return {"cell_type": "code", "id": f"c{abs(hash(text))}", "metadata": {}, "source": text, "outputs": [], "execution_count": None}


class Kernel:
    """A running kernel."""

    def __init__(self, language, env, folder=ROOT):
        self.manager = KernelManager()
        self.manager._kernel_spec = KernelSpec(argv=COMMANDS[language], display_name=language, language=language, env={})
        self.manager.start_kernel(env=env, cwd=str(folder), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.client = self.manager.client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=120)

    def pause(self):
        """Lets a kernel do what it does after a cell, as a user who thinks does."""
        time.sleep(0.5)

    def run(self, code, until, limit=300):
        """Runs a cell to its end. Returns the seconds until its first "picture", "text" or
        "error", or until it is "idle"."""
        start = time.perf_counter()
        request, seconds, said = self.client.execute(code), None, []
        while True:
            message = self.client.get_iopub_msg(timeout=limit)
            if message["parent_header"].get("msg_id") != request:
                continue
            kind, content = message["msg_type"], message["content"]
            if seconds is None and until == what(kind, content):
                seconds = time.perf_counter() - start
            said += [str(content.get(k)) for k in ("text", "evalue") if content.get(k)]
            if kind == "error" and until != "error":
                raise RuntimeError("a cell failed: " + " ".join(said)[-500:])
            if kind == "status" and content["execution_state"] == "idle":
                break
        if seconds is None:
            raise RuntimeError(f"a cell showed no {until}: " + " ".join(said)[-500:])
        return seconds

    def complete(self, code, expected):
        start = time.perf_counter()
        request = self.client.complete(code, len(code))
        while True:
            message = self.client.get_shell_msg(timeout=60)
            if message["parent_header"].get("msg_id") == request:
                break
        seconds, matches = time.perf_counter() - start, message["content"]["matches"]
        if not any(m.split(".")[-1].split("(")[0] == expected for m in matches):
            raise RuntimeError(f"completion knows no {expected}: {matches[:5]}")
        return seconds

    def close(self):
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)


def what(kind, content):
    """What a message brings."""
    if kind == "status":
        return content["execution_state"]
    if kind in ("display_data", "execute_result", "update_display_data"):
        return "picture" if is_picture(content["data"]) else "data"
    return {"stream": "text", "error": "error"}.get(kind)


def is_picture(data):
    markup = str(data.get("text/html", ""))
    return any(kind.startswith("image/") for kind in data) or "<img" in markup or "<svg" in markup
