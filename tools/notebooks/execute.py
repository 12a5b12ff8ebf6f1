"""Executes notebooks with the Go kernel, up to the first cell that fails."""

import html
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

# Otherwise Jupyter writes settings and connection files to the home folder.
(Path(sys.prefix) / "jupyter").mkdir(exist_ok=True)
for _name, _folder in [("JUPYTER_CONFIG_DIR", "config"), ("JUPYTER_DATA_DIR", "data"),
                       ("JUPYTER_RUNTIME_DIR", "runtime"), ("IPYTHONDIR", "ipython")]:
    os.environ.setdefault(_name, str(Path(sys.prefix) / "jupyter" / _folder))

import nbformat
from jupyter_client.kernelspec import NoSuchKernel
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

ANSI = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
EXCERPT_LINES = 8
ERROR_LINES = 30


@dataclass
class Failure:
    """Why a notebook failed: cell is its number among the code cells, from 1; 0 before the first."""

    cell: int
    source: str
    reason: str
    details: str = ""

    def __str__(self):
        lines = [f"cell {self.cell}: {self.reason}" if self.cell else self.reason]
        excerpt = self.source.splitlines()
        lines += [f"    | {line}" for line in excerpt[:EXCERPT_LINES]]
        if len(excerpt) > EXCERPT_LINES:
            lines.append(f"    | … {len(excerpt) - EXCERPT_LINES} more lines")
        lines += [f"    {line}" for line in self.details.splitlines()[-ERROR_LINES:]]
        return "\n".join(lines)


@dataclass
class Result:
    """The result of one notebook; seconds[i] is the time of code cell i+1, shown whether its cells can be on a page."""

    path: Path
    notebook: nbformat.NotebookNode
    failure: Failure | None = None
    seconds: list = field(default_factory=list)
    kernel_seconds: float = 0.0
    shown: bool = True

    @property
    def total(self):
        return self.kernel_seconds + sum(self.seconds)


def failure_in(outputs):
    """Returns (reason, details) if a cell's outputs show that it failed, else None."""
    for out in outputs:
        if out.output_type == "error":
            reason = f"{out.get('ename', 'error')}: {first_line(out.get('evalue', ''))}"
            lines = ANSI.sub("", "\n".join(out.get("traceback", []))).strip().splitlines()
            return reason, "\n".join(lines[:ERROR_LINES])
    return None


def in_order(outputs):
    """Moves a cell's printed text before its displayed outputs.

    The kernel receives the two through different pipes, so their order is random, and a
    page would differ between runs. Displayed outputs keep their order.
    """
    printed = {"stdout": None, "stderr": None}
    rest = []
    for out in outputs:
        if out.output_type != "stream":
            rest.append(out)
        elif printed[out.name] is None:
            printed[out.name] = out
        else:
            printed[out.name].text += out.text
    return [out for out in printed.values() if out] + rest


def plain(markup):
    """The text of a piece of HTML, line by line."""
    text = html.unescape(re.sub(r"<[^>]*>", "", re.sub(r"(?s)<(style|script).*?</\1>", "", markup)))
    return "\n".join(line.rstrip() for line in text.splitlines() if line.strip())


def first_line(text):
    lines = ANSI.sub("", text).strip().splitlines()
    return lines[0] if lines else ""


def parents():
    """The ids of all processes with those of their parents."""
    if not Path("/proc/self/stat").exists():  # macOS
        table = subprocess.run(["ps", "-A", "-o", "pid=,ppid="], capture_output=True, text=True, check=False)
        yield from (tuple(map(int, line.split())) for line in table.stdout.splitlines())
        return
    for stat in Path("/proc").glob("[0-9]*/stat"):  # a minimal Debian has no ps
        try:
            # pid (name) state ppid …; the name may contain anything, even parentheses
            yield int(stat.parent.name), int(stat.read_text(errors="replace").rpartition(")")[2].split()[1])
        except (OSError, IndexError, ValueError):
            continue  # it has ended in the meantime


def processes_below(pid):
    """Lists the descendants of a process, children before grandchildren."""
    children = {}
    for child, parent in parents():
        children.setdefault(parent, []).append(child)
    found, queue = [], [pid]
    while queue:
        below = children.get(queue.pop(0), [])
        found += below
        queue += below
    return found


def kill_all(pids):
    """Kills processes; those that have ended are ignored."""
    for pid in pids:
        try:
            os.kill(pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            pass


def execute(path, kernel="gaze", timeout=600, on_cell=None):
    """Runs a notebook's cells in order, up to the first that fails.

    timeout is for each cell, in seconds. on_cell(number, seconds) is called after each
    code cell. The kernel and all processes it started have ended when this returns.
    """
    path = Path(path)
    notebook = nbformat.read(path, as_version=4)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    result = Result(path, notebook)
    client = NotebookClient(
        notebook, timeout=timeout, kernel_name=kernel, record_timing=False, coalesce_streams=True,
        interrupt_on_timeout=False, resources={"metadata": {"path": str(path.resolve().parent)}},
    )
    start = time.monotonic()
    with tempfile.TemporaryFile("w+", errors="replace") as log:
        try:
            # There is nobody who could move sliders: a static picture is shown.
            with client.setup_kernel(stderr=log, env={**os.environ, "GAZE_STATIC": "1"}):
                result.kernel_seconds = time.monotonic() - start
                run_cells(client, result, on_cell)
        except (NoSuchKernel, RuntimeError) as err:  # DeadKernelError is a RuntimeError
            if result.failure is None:
                result.failure = Failure(0, "", f"the kernel '{kernel}' doesn't run: {first_line(str(err))}")
        if result.failure and (result.failure.cell == 0 or result.failure.reason == "the kernel died"):
            log.seek(0)
            result.failure.details = ANSI.sub("", log.read())
    return result


def run_cells(client, result, on_cell):
    """Executes the cells on a running kernel, up to the first that fails."""
    for index, cell in enumerate(client.nb.cells):
        if cell.cell_type != "code" or not cell.source.strip():
            continue
        start = time.monotonic()
        try:
            client.execute_cell(cell, index)
            failed = failure_in(cell.outputs)
        except CellExecutionError:
            failed = failure_in(cell.outputs) or ("the cell failed", "")
        except CellTimeoutError:
            failed = (f"no end after {client.timeout} s", "")
        except DeadKernelError:
            failed = ("the kernel died", "")
        result.seconds.append(time.monotonic() - start)
        cell.outputs = in_order(cell.outputs)
        if on_cell:
            on_cell(len(result.seconds), result.seconds[-1])
        if failed:
            result.failure = Failure(len(result.seconds), cell.source, *failed)
            return
