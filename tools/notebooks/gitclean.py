#!/usr/bin/env python3
"""Git's filter for notebooks: what is committed is a notebook without what a run or an editor adds.

    python3 tools/notebooks/gitclean.py <x.ipynb >clean.ipynb

Opening, running and saving a notebook in JupyterLab changes its file: outputs, counts, the
kernel's description, the editor's notes. The file keeps all of that; git, which set-up
tells to look through this filter (.gitattributes names the files), sees no change. It uses
only Python's own library, because git calls it for each notebook.
"""

import json
import sys

KERNELSPEC = {"display_name": "Go (Gaze)", "language": "go", "name": "gaze"}
# Tells editors and the page the language; the kernel sets it in every run.
LANGUAGE = {"name": "go", "file_extension": ".go", "mimetype": "text/x-go"}
CELL_METADATA = {"tags"}
FORMAT = (4, 5)  # the first minor version whose cells have ids


def strip(notebook):
    """Removes from a notebook's JSON everything that a run or an editor adds."""
    metadata = {"language_info": LANGUAGE} if is_ours(notebook) else {
        k: v for k, v in notebook.get("metadata", {}).items() if k == "language_info"}
    metadata["kernelspec"] = KERNELSPEC if is_ours(notebook) else notebook.get("metadata", {}).get("kernelspec", {})
    notebook["metadata"] = metadata
    if notebook.get("nbformat") == FORMAT[0] and all("id" in cell for cell in notebook["cells"]):
        notebook["nbformat_minor"] = FORMAT[1]
    for cell in notebook["cells"]:
        tags = cell.get("metadata", {})
        cell["metadata"] = {k: v for k, v in tags.items() if k in CELL_METADATA and v}
        if isinstance(cell.get("source"), str):
            cell["source"] = cell["source"].splitlines(keepends=True)
        if cell.get("cell_type") == "code":
            cell["outputs"], cell["execution_count"] = [], None
        if not cell.get("attachments", True):
            del cell["attachments"]
    return notebook


def is_ours(notebook):
    """Whether a notebook is for the Go kernel, under whatever name an editor shows it."""
    return notebook.get("metadata", {}).get("kernelspec", {}).get("name") == KERNELSPEC["name"]


def clean(text):
    """The text of a notebook's file as it is committed; text that isn't a notebook stays as it is."""
    try:
        notebook = strip(json.loads(text))
    except (ValueError, KeyError, TypeError, AttributeError):
        return text
    return json.dumps(notebook, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    sys.stdout.buffer.write(clean(sys.stdin.buffer.read().decode("utf-8", "surrogateescape")).encode("utf-8", "surrogateescape"))
