#!/usr/bin/env python3
"""Executes notebooks with the Go (Gaze) kernel and makes a report of self-contained HTML pages.

    .venv/bin/python tools/notebooks/run.py [-o report] [NOTEBOOK...]

Writes DIR/index.html, a page for each notebook, and the executed copies in DIR/executed.
Files that an earlier report wrote are replaced, others only with --force.
Exit status: 0 all passed, 1 a notebook failed (its page and copy are written anyway),
2 wrong usage.
"""

import argparse
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
    parser.add_argument("--force", action="store_true", help="also replace files in DIR that no report wrote")
    args = parser.parse_args(argv)
    args.notebooks = args.notebooks or sorted((ROOT / "notebooks").glob("*.ipynb"))
    for path in args.notebooks:
        if not path.is_file():
            parser.error(f"{path} isn't there")
    stems = [path.stem for path in args.notebooks]
    if len({stem.casefold() for stem in stems} - {"index"}) < len(stems):
        parser.error("two notebooks would become the same page")
    problem = own.problem(args.output, args.notebooks, args.force)
    if problem:
        parser.error(problem)
    return args


def say(text):
    print(text, file=sys.stderr, flush=True)


def run_one(path, args):
    """Executes a notebook and writes its copy and its page."""
    say(f"{path.name}:")
    result = execute.execute(path, args.kernel, args.timeout, lambda n, s: say(f"  cell {n}: {s:.1f} s"))
    # Written before the page, so that the outputs are kept if the page fails.
    write(args.output / "executed" / path.name, own.signed_notebook(result.notebook))
    try:
        write(args.output / f"{path.stem}.html", own.signed_page(page.render(result)))
    except ValueError as err:
        if not result.failure:
            result.failure = execute.Failure(0, "", str(err))
    if result.failure:
        say(f"FAILED {path}: {result.failure}")
    else:
        say(f"passed {path.name} in {result.total:.1f} s")
    return result


def main(argv=None):
    args = arguments(argv)
    if not args.notebooks:
        say(f"there are no notebooks in {ROOT / 'notebooks'}")
    results = [run_one(path, args) for path in args.notebooks]
    index = args.output / "index.html"
    write(index, own.signed_page(page.render_index(results, page.facts_about(ROOT))))
    failed = [r for r in results if r.failure]
    say(f"{len(results) - len(failed)} passed, {len(failed)} failed; see {index}")
    for r in failed:
        say(f"  {r.path}: {r.failure.reason}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
