#!/usr/bin/env python3
"""Checks or strips the notebooks in git.

    .venv/bin/python tools/notebooks/check.py [--strip] [NOTEBOOK...]

A notebook must have no outputs, at most 15 code cells with a median of at most 6 lines,
the Go (Gaze) kernel, a heading first, at most one %% in a cell, no formulas that a page
without scripts can't show, and at most 1 MB. What is checked is what git sees (gitclean.py):
a notebook that was only run and saved passes. --strip removes outputs, counts and editors'
metadata from the files instead of checking.
"""

import argparse
import re
import statistics
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import nbformat  # noqa: E402

import gitclean  # noqa: E402
from gitclean import KERNELSPEC  # noqa: E402

ROOT = Path(__file__).resolve().parent.parent.parent
MAX_CELLS, MAX_MEDIAN_LINES, MAX_BYTES = 15, 6, 1_000_000


def in_git(path):
    """A notebook's text as git has it, or None if git doesn't know it."""
    try:
        done = subprocess.run(["git", "show", f":./{path.name}"], cwd=path.resolve().parent, capture_output=True, check=False)
    except OSError:
        return None
    return done.stdout.decode("utf-8") if done.returncode == 0 else None


def problems(notebook, size):
    """Lists the faults of a notebook whose file has size bytes."""
    found = []
    code = [c for c in notebook.cells if c.cell_type == "code"]
    if size > MAX_BYTES:
        found.append(f"{size} bytes, at most {MAX_BYTES}")
    if len(code) > MAX_CELLS:
        found.append(f"{len(code)} code cells, at most {MAX_CELLS}")
    lines = [len(c.source.splitlines()) for c in code if c.source.strip()]
    if lines and statistics.median(lines) > MAX_MEDIAN_LINES:
        found.append(f"code cells have a median of {statistics.median(lines):g} lines, at most {MAX_MEDIAN_LINES} are allowed")
    if notebook.metadata.get("kernelspec", {}).get("name") != KERNELSPEC["name"]:
        found.append("its kernel isn't 'gaze'")
    if not notebook.cells or notebook.cells[0].cell_type != "markdown" or not notebook.cells[0].source.startswith("# "):
        found.append("the first cell isn't a heading")
    for number, cell in enumerate(code, 1):
        if cell.get("outputs") or cell.get("execution_count") is not None:
            found.append(f"code cell {number} has outputs or a count: run 'make strip'")
        if len(re.findall(r"(?m)^%%", cell.source)) > 1:
            found.append(f"code cell {number} has two %% lines, which crash the kernel")
        if not cell.source.strip():
            found.append(f"code cell {number} is empty")
    for number, cell in enumerate(notebook.cells, 1):
        if cell.cell_type == "markdown" and re.search(r"\$\$|\$[^$\n]*\\[a-zA-Z][^$\n]*\$", cell.source):
            found.append(f"cell {number} has a TeX formula, which a page without scripts can't show")
    if code and not re.match(r"\s*import\b", code[0].source):
        found.append("the first code cell isn't the imports")
    return found


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("notebooks", nargs="*", type=Path, help="default: all in notebooks/")
    parser.add_argument("--strip", action="store_true", help="rewrite the notebooks without the outputs of a run")
    args = parser.parse_args(argv)
    bad = 0
    for path in args.notebooks or sorted((ROOT / "notebooks").glob("*.ipynb")):
        text = path.read_text(encoding="utf-8")
        clean = gitclean.clean(text)
        if args.strip:
            if text != clean:
                path.write_text(clean, encoding="utf-8")
                print(f"stripped {path}")
            continue
        notebook = nbformat.reads(clean, as_version=4)
        committed = in_git(path)
        if committed is not None and committed != gitclean.clean(committed):
            print(f"{path}: git has it with outputs or an editor's notes: run 'make strip' and add it again", file=sys.stderr)
            bad += 1
        for problem in problems(notebook, len(clean.encode())):
            print(f"{path}: {problem}", file=sys.stderr)
            bad += 1
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
