"""Keeps the outputs of the clone's own notebooks beside them, so that saving doesn't change what git sees.

A notebook in notebooks/ that git knows is saved as git has it: without outputs, counts and
editors' notes (gitclean.py). The whole of it goes to .venv, and comes back when JupyterLab
opens the notebook again. If the file was edited elsewhere in the meantime, the outputs of the cells
that are still the same come back. All other notebooks are saved as ever.
"""

import hashlib
import subprocess
import sys
from functools import partial
from pathlib import Path

import nbformat
from anyio.to_thread import run_sync
from jupyter_server.services.contents.largefilemanager import AsyncLargeFileManager

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
import gitclean  # noqa: E402

ROOT = HERE.parent.parent.parent


def in_git(path):
    """Whether git tracks a file."""
    try:
        done = subprocess.run(["git", "ls-files", "--error-unmatch", "--", path.name], cwd=path.parent, capture_output=True, check=False)
    except OSError:
        return False
    return done.returncode == 0


def name_of(path):
    """The name of the whole notebook of a file; the kernel finds saved widgets by it (cmd/gaze-kernel)."""
    return f"{path.stem}-{hashlib.sha256(str(path).encode()).hexdigest()[:12]}.ipynb"


def with_outputs(notebook, whole):
    """A notebook from its file with the outputs of the whole one that was saved."""
    if gitclean.clean(nbformat.writes(notebook)) == gitclean.clean(nbformat.writes(whole)):
        return whole  # unchanged, so that Jupyter finds it signed and trusts it
    known = {(cell.get("id"), cell.source): cell for cell in whole.cells if cell.cell_type == "code"}
    for cell in notebook.cells:
        old = known.get((cell.get("id"), cell.source))
        if old is not None and cell.cell_type == "code" and not cell.outputs:
            cell.outputs, cell.execution_count = old.outputs, old.execution_count
    return notebook


class Contents(AsyncLargeFileManager):
    """Jupyter's files on disk, with the clone's own notebooks kept free of outputs."""

    notebooks = ROOT / "notebooks"
    wholes = ROOT / ".venv" / "jupyter" / "outputs"

    def place(self, os_path):
        """Where a notebook is kept whole; None for one that is saved as ever."""
        path = Path(os_path).resolve()
        if path.parent != self.notebooks.resolve() or not in_git(path):
            return None
        return self.wholes / name_of(path)

    async def _save_notebook(self, os_path, nb, capture_validation_error=None):
        place = await run_sync(self.place, os_path)
        if place is None:
            return await super()._save_notebook(os_path, nb, capture_validation_error)
        text = await run_sync(partial(nbformat.writes, nb, version=nbformat.NO_CONVERT, capture_validation_error=capture_validation_error))
        place.parent.mkdir(parents=True, exist_ok=True)
        with self.atomic_writing(str(place), encoding="utf-8") as f:
            f.write(text)
        with self.atomic_writing(os_path, encoding="utf-8") as f:
            f.write(gitclean.clean(text))
        return None

    async def _read_notebook(self, os_path, as_version=4, capture_validation_error=None, raw=False):
        got = await super()._read_notebook(os_path, as_version, capture_validation_error=capture_validation_error, raw=raw)
        place = await run_sync(self.place, os_path)
        if as_version != 4 or place is None or not place.is_file():
            return got
        nb = got[0] if raw else got
        try:
            nb = with_outputs(nb, nbformat.reads(place.read_text(encoding="utf-8"), as_version=4))
        except (OSError, ValueError, KeyError, AttributeError) as err:
            self.log.warning("The outputs of %s can't be read from %s: %s", os_path, place, err)
        return (nb, got[1]) if raw else nb
