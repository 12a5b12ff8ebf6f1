#!/usr/bin/env python3
"""Executes notebooks with the Go (Gaze) kernel and makes a report of self-contained HTML pages.

    .venv/bin/python tools/notebooks/run.py [-o report] [NOTEBOOK...]

Writes DIR/index.html, a page for each notebook, all of them on one page to print (all.html),
and the executed copies in DIR/executed. If notebooks are named, only these are run; the others that the
report in DIR already has stay in it, as they were. Files that an earlier report wrote are
replaced, others only with --force.
Exit status: 0 all passed, 1 a notebook failed (its page and copy are written anyway),
2 wrong usage.
"""

import argparse
import datetime
import json
import os
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import nbformat  # noqa: E402

import execute  # noqa: E402
import own  # noqa: E402
import page  # noqa: E402

ROOT = Path(__file__).resolve().parent.parent.parent


def write(path, text):
    """Writes a file atomically, so that no partial file is left."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fd, temporary = tempfile.mkstemp(dir=path.parent, prefix="." + path.name)
    try:
        with os.fdopen(fd, "w", encoding="utf-8") as f:
            f.write(text)
            f.flush()
            os.fsync(f.fileno())
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise


def arguments(argv):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("notebooks", nargs="*", type=Path, help="default: all in notebooks/")
    parser.add_argument("-o", "--output", type=Path, default=ROOT / "report", metavar="DIR")
    parser.add_argument("--timeout", type=float, default=2400, metavar="SECONDS", help="for each cell (default: %(default)s)")
    parser.add_argument("--kernel", default="gaze", help="default: %(default)s")
    parser.add_argument("--title", default="", help="of the index and of the page to print")
    parser.add_argument("--author", default="", help="on the cover of the page to print")
    parser.add_argument("--force", action="store_true", help="also replace files in DIR that no report wrote")
    args = parser.parse_args(argv)
    args.named = bool(args.notebooks)
    args.notebooks = args.notebooks or sorted((ROOT / "notebooks").glob("*.ipynb"))
    for path in args.notebooks:
        fault = fault_of(path)
        if fault:
            parser.error(f"{path}: {fault}")
    problem = clash(args.notebooks) or own.problem(args.output, args.notebooks, args.force)
    if problem:
        parser.error(problem)
    return args


def fault_of(path):
    """Why a file can't be run as a notebook of the Go kernel; None if it can."""
    if path.is_dir():
        return f"it is a folder: name the notebooks in it, for example {path}/*.ipynb"
    if not path.is_file():
        return "there is no such file"
    if path.suffix != ".ipynb":
        return "not a notebook: its name should end in .ipynb"
    try:
        notebook = nbformat.read(path, as_version=4)
    except OSError as err:
        return f"it can't be read: {err.strerror}"
    except Exception as err:  # nbformat raises many kinds
        return f"not a notebook: {str(err).splitlines()[0][:200] if str(err) else type(err).__name__}"
    spec = notebook.metadata.get("kernelspec", {})
    language = spec.get("language") or notebook.metadata.get("language_info", {}).get("name") or "go"
    if language.lower() != "go":
        return f"it is for the kernel '{spec.get('name', language)}', not for Go: choose the kernel Go (Gaze) in JupyterLab"
    return None


def clash(notebooks):
    """Which notebooks would become the same page, or one of the report's own; None if none do."""
    taken = {Path(name).stem: "the report" for name in own.PAGES}
    for path in notebooks:
        other = taken.setdefault(path.stem.casefold(), path)
        if other is not path:
            return f"{path} and {other} would become the same page, {path.stem}.html: rename one, or run them into different folders"
    return None


def say(text):
    print(text, file=sys.stderr, flush=True)


def run_one(path, args):
    """Executes a notebook and writes its copy and its page."""
    say(f"{path.name}:")
    result = execute.execute(path, args.kernel, args.timeout, lambda n, s: say(f"  cell {n}: {s:.1f} s"))
    # Written before the page, so that the outputs are kept if the page fails.
    write(args.output / "executed" / path.name, own.signed_notebook(result.notebook, about(result)))
    try:
        write(args.output / f"{path.stem}.html", own.signed_page(page.render(result)))
    except ValueError as err:
        result.shown = False
        if not result.failure:
            result.failure = execute.Failure(0, "", str(err))
    if result.failure:
        say(f"FAILED {path}: {result.failure}")
    else:
        say(f"passed {path.name} in {result.total:.1f} s")
    return result


def about(result):
    """What the index says of a run."""
    failure = result.failure and [result.failure.cell, result.failure.source, result.failure.reason, result.failure.details]
    return {"seconds": [round(s, 3) for s in result.seconds], "kernel_seconds": round(result.kernel_seconds, 3), "failure": failure}


def earlier(folder, ran):
    """The results of other notebooks that the report in a folder already has."""
    found = []
    for path in sorted((folder / "executed").glob("*.ipynb")):
        page_of = folder / f"{path.stem}.html"
        if path.name in ran or not own.is_executed(path) or not page_of.is_file() or own.is_page(page_of) is not True:
            continue
        notebook = nbformat.read(path, as_version=4)
        said = json.loads(path.read_text(encoding="utf-8"))["metadata"].get(own.RUN)
        if said:
            failure = said["failure"] and execute.Failure(*said["failure"])
            found.append(execute.Result(path, notebook, failure, said["seconds"], said["kernel_seconds"]))
    return found


def write_common(results, args):
    """Writes the pages that are about all notebooks; returns why they can't be, or None."""
    facts = page.facts_about(ROOT)
    today = datetime.date.today()
    try:
        write(args.output / "all.html", own.signed_page(page.render_all(
            results, facts, args.title, args.author, f"{today.day} {today:%B %Y}")))
        write(args.output / "index.html", own.signed_page(page.render_index(results, facts, args.title)))
    except ValueError as err:
        return str(err)
    return None


def main(argv=None):
    args = arguments(argv)
    if not args.notebooks:
        say(f"there are no notebooks in {ROOT / 'notebooks'}")
    ran = [run_one(path, args) for path in args.notebooks]
    results = ran + (earlier(args.output, {path.name for path in args.notebooks}) if args.named else [])
    results.sort(key=lambda r: r.path.name)
    fault = write_common(results, args)
    if fault:
        say(f"FAILED: {fault}")
    failed = [r for r in ran if r.failure]
    say(f"{len(ran) - len(failed)} passed, {len(failed)} failed; see {args.output / 'index.html'}")
    for r in failed:
        say(f"  {r.path}: {r.failure.reason}")
    return 1 if failed or fault else 0


if __name__ == "__main__":
    sys.exit(main())
