"""Times a notebook cell from Run to its picture, after one of its lines was edited, with
Gaze's Go kernel and with an ipykernel. It talks to the kernels as Jupyter does, without
a browser."""
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
}


COMMANDS = {
    "go": [str(ROOT / "tools" / "kernel.sh"), "{connection_file}"],
    "python": [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"],
}
SETUPS = {"go": GO_SETUP, "python": PYTHON_SETUP}


class Cells:
    """Kernels of both languages that have run their first cells; it can also start fresh
    ones."""

    def __init__(self, cache, weights, photograph, make):
        self.folder, self.photograph, self.make = cache / f"cells-{os.getpid()}", photograph, make
        self.folder.mkdir()
        self.env = os.environ | {"GAZE_CACHE": str(self.folder), "GAZE_VIT": weights, "GAZE_STATIC": "1"}
        self.edits, self.warm = 0, {}

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

    def seconds(self, name, language, cold=False):
        """The time of one edited cell, in a running kernel or in a fresh one, whose first cell is then included."""
        if cold:
            kernel = Kernel(language, self.env)
            try:
                return kernel.run(self.setup(language), picture=False) + kernel.run(self.cell(name, language))
            finally:
                kernel.close()
        if language not in self.warm:
            self.warm[language] = Kernel(language, self.env)
            self.warm[language].run(self.setup(language), picture=False)
        return self.warm[language].run(self.cell(name, language))

    def setup(self, language):
        return SETUPS[language].replace("FIRST", self.photograph)

    def close(self):
        for kernel in self.warm.values():
            kernel.close()
        shutil.rmtree(self.folder)


class Kernel:
    """A running kernel."""

    def __init__(self, language, env):
        self.manager = KernelManager()
        self.manager._kernel_spec = KernelSpec(argv=COMMANDS[language], display_name=language, language=language, env={})
        self.manager.start_kernel(env=env, cwd=str(ROOT), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.client = self.manager.client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=60)

    def run(self, code, picture=True, limit=300):
        """Seconds until the cell's first picture arrives, or until the cell ends."""
        start = time.perf_counter()
        request, seconds, said = self.client.execute(code), None, []
        while True:
            message = self.client.get_iopub_msg(timeout=limit)
            if message["parent_header"].get("msg_id") != request:
                continue
            content = message["content"]
            if seconds is None and is_picture(content.get("data", {})):
                seconds = time.perf_counter() - start
            said += [str(content.get(k)) for k in ("text", "evalue") if content.get(k)]
            if message["msg_type"] == "status" and content["execution_state"] == "idle":
                break
        if picture and seconds is None:
            raise RuntimeError("a cell showed no picture: " + " ".join(said)[-500:])
        return seconds if picture else time.perf_counter() - start

    def close(self):
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)


def is_picture(data):
    markup = str(data.get("text/html", ""))
    return "image/png" in data or "<img" in markup or "<svg" in markup
