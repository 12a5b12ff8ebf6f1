"""Recognises the files that a report wrote, so that a new report replaces only those.

A page ends in a comment with the SHA-256 of the rest, and an executed notebook has it in
its metadata, with what is to be said of its run. A file that was edited since no longer
matches and isn't replaced.
"""

import hashlib
import json
import re

import nbformat

SIGNATURE = re.compile(rb"<!-- gaze report sha256:([0-9a-f]{64}) -->\n\Z")
KEY = "gaze_report_sha256"
RUN = "gaze_report_run"

# Pages that every report has, besides one for each notebook.
PAGES = ["index.html", "all.html"]

# Marks of pages from before pages were signed.
UNSIGNED = [b"<h1>Gaze report</h1>", b'<nav><a href="index.html">All notebooks</a></nav>']


def digest(data):
    return hashlib.sha256(data).hexdigest()


def signed_page(text):
    """A page with its signature."""
    return f"{text}<!-- gaze report sha256:{digest(text.encode())} -->\n"


def content(notebook):
    """The SHA-256 of a notebook's JSON without its signature."""
    rest = {k: v for k, v in notebook["metadata"].items() if k != KEY}
    return digest(json.dumps({**notebook, "metadata": rest}, sort_keys=True).encode())


def signed_notebook(notebook, about=None):
    """The text of an executed notebook with its signature, and what is to be said of its run."""
    written = json.loads(nbformat.writes(notebook))
    if about is not None:
        written["metadata"][RUN] = about
    written["metadata"][KEY] = content(written)
    return json.dumps(written, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def is_page(path):
    """Whether a report wrote this page; "unsigned" if it is a page from before pages were signed."""
    data = path.read_bytes()
    found = SIGNATURE.search(data)
    if found:
        return digest(data[: found.start()]).encode() == found.group(1)
    unsigned = b"<!-- gaze report sha256:" not in data and any(mark in data for mark in UNSIGNED)
    return "unsigned" if unsigned else False


def is_executed(path):
    """Whether a report wrote this copy of a notebook."""
    try:
        notebook = json.loads(path.read_bytes())
        signature = notebook["metadata"].get(KEY)
        if signature:
            return signature == content(notebook)
    except (ValueError, LookupError, TypeError, AttributeError):  # not a notebook
        return False
    index = path.parent.parent / "index.html"
    return index.is_file() and is_page(index) == "unsigned"


def problem(folder, notebooks, force):
    """Why a report on these notebooks can't be written to the folder; None if it can."""
    for above in [folder, *folder.parents]:
        if above.exists() and not above.is_dir():
            return f"-o {folder}: {above} is not a folder"
    made = {folder / name: is_page for name in PAGES}
    made.update({folder / f"{path.stem}.html": is_page for path in notebooks})
    made.update({folder / "executed" / path.name: is_executed for path in notebooks})
    read = {(s.st_dev, s.st_ino): path for path in notebooks for s in [path.stat()]}
    foreign = []
    for path, is_own in made.items():
        if path.is_symlink() or path.exists():
            status = path.stat() if path.exists() else path.lstat()
            same = read.get((status.st_dev, status.st_ino))
            if same:
                return f"the report would replace {path}, which is read here as {same}: choose another folder"
            if not path.is_file() and not path.is_symlink():
                return f"{path} can't be written: it is not a regular file"
            if path.is_symlink() or not is_own(path):
                foreign.append(str(path))
    if foreign and not force:
        more = f" and {len(foreign) - 3} more" if len(foreign) > 3 else ""
        return f"{', '.join(foreign[:3])}{more}: not written by a report, or changed since: use --force to replace it, or choose another folder"
    return None
