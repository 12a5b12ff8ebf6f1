#!/usr/bin/env python3
"""Checks or strips the notebooks in git.

    .venv/bin/python tools/notebooks/check.py [--strip] [NOTEBOOK...]

A notebook must have no outputs, at most 15 code cells with a median of at most 6 lines,
the Go (Gaze) kernel, a heading first, at most one %% in a cell, no formulas that a page
without scripts can't show, and at most 1 MB. --strip removes outputs, counts and editors'
metadata instead of checking.
"""

import argparse
import re
import statistics
import sys
from pathlib import Path

import nbformat

ROOT = Path(__file__).resolve().parent.parent.parent
MAX_CELLS, MAX_MEDIAN_LINES, MAX_BYTES = 15, 6, 1_000_000
KERNELSPEC = {"display_name": "Go (Gaze)", "language": "go", "name": "gaze"}
# Tells editors and the page the language; the kernel sets it in every run.
LANGUAGE = {"name": "go", "file_extension": ".go", "mimetype": "text/x-go"}
CELL_METADATA = {"tags"}


def strip(notebook):
    """Removes everything that a run or an editor adds."""
    notebook.metadata = nbformat.from_dict({"kernelspec": KERNELSPEC, "language_info": LANGUAGE})
    for cell in notebook.cells:
        cell.metadata = nbformat.from_dict({k: v for k, v in cell.metadata.items() if k in CELL_METADATA})
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    return notebook


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
        notebook = nbformat.read(path, as_version=4)
        if args.strip:
            text = nbformat.writes(strip(notebook), indent=1, ensure_ascii=False) + "\n"
            if text != path.read_text(encoding="utf-8"):
                path.write_text(text, encoding="utf-8")
                print(f"stripped {path}")
            continue
        for problem in problems(notebook, path.stat().st_size):
            print(f"{path}: {problem}", file=sys.stderr)
            bad += 1
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
