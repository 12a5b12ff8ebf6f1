#!/usr/bin/env python3
"""Tests of the notebook tools; the real kernel runs the notebooks in testdata.

    .venv/bin/python tools/notebooks/tests.py [-k NAME]
"""

import asyncio
import base64
import contextlib
import html
import io
import json
import os
import random
import re
import struct
import subprocess
import sys
import tempfile
import time
import unittest
import zlib
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
sys.path.insert(0, str(Path(__file__).resolve().parent / "export"))

import nbformat  # noqa: E402
from bs4 import BeautifulSoup  # noqa: E402
from nbconvert import HTMLExporter  # noqa: E402
from traitlets.config.loader import PyFileConfigLoader  # noqa: E402
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output  # noqa: E402

import check  # noqa: E402
import clean  # noqa: E402
import contents  # noqa: E402
import execute  # noqa: E402
import explorerframe  # noqa: E402
import gitclean  # noqa: E402
import own  # noqa: E402
import page  # noqa: E402
import run  # noqa: E402

DATA = Path(__file__).resolve().parent / "testdata"


def stripped(notebook):
    return nbformat.reads(gitclean.clean(nbformat.writes(notebook)), as_version=4)


def outputs(*parts):
    return [new_output("stream", name=name, text=text) for name, text in parts]


class FailureInOutputs(unittest.TestCase):
    def test_only_an_error_is_a_failure(self):
        printed = outputs(("stdout", "x"), ("stderr", "oops\nexit status 3\n"))
        self.assertIsNone(execute.failure_in([]))
        self.assertIsNone(execute.failure_in(printed))
        error = new_output("error", ename="panic", evalue="boom\nmore", traceback=["\x1b[31mpanic: boom\x1b[0m"] + ["\tframe"] * 100)
        reason, details = execute.failure_in([*printed, error])
        self.assertEqual(reason, "panic: boom")
        self.assertTrue(details.startswith("panic: boom\n\tframe"))
        self.assertEqual(len(details.splitlines()), execute.ERROR_LINES)

    def test_printed_text_comes_first(self):
        picture = new_output("display_data", {"image/png": "AA"})
        got = execute.in_order([picture, *outputs(("stderr", "b"), ("stdout", "a"), ("stderr", "c"))])
        self.assertEqual([o.get("text", "picture") for o in got], ["a", "bc", "picture"])


class WithKernel(unittest.TestCase):
    """Runs each notebook in testdata once, through the command line."""

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.out = Path(cls.folder.name)
        cls.log, cls.status, cls.took = {}, {}, {}
        for name in ["pass", "picture", "panic", "exit3", "compile", "hang"]:
            cls.run_notebook(name)

    @classmethod
    def run_notebook(cls, name):
        log, start = io.StringIO(), time.monotonic()
        with contextlib.redirect_stderr(log):
            cls.status[name] = run.main([
                "-o", str(cls.out / name), "--timeout", "10" if name == "hang" else "120", str(DATA / f"{name}.ipynb")])
        cls.log[name], cls.took[name] = log.getvalue(), time.monotonic() - start

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def executed(self, name):
        return nbformat.read(self.out / name / "executed" / f"{name}.ipynb", as_version=4)

    def text(self, name):
        return "".join(o.get("text", "") for c in self.executed(name).cells for o in c.get("outputs", []))

    def test_status(self):
        want = {"pass": 0, "picture": 0, "panic": 1, "exit3": 1, "compile": 1, "hang": 1}
        self.assertEqual(self.status, want, "\n".join(self.log.values()))

    def test_a_cell_uses_the_one_before(self):
        self.assertIn("double: 84", self.text("pass"))

    def test_the_log_names_notebook_cell_source_and_error(self):
        for name, cell, source, error in [
            ("panic", 2, 'none["x"] = 1', "assignment to entry in nil map"),
            ("exit3", 2, "os.Exit(3)", "exit status 3"),
            ("compile", 1, 'var x int = "text"', "cannot use \"text\""),
            ("hang", 2, "time.Sleep", "no end after 10"),
        ]:
            with self.subTest(name):
                for want in [f"{name}.ipynb", f"cell {cell}:", source, error]:
                    self.assertIn(want, self.log[name], self.log[name])

    def test_cells_after_a_failure_are_not_run(self):
        self.assertIn("before", self.text("panic"))
        self.assertNotIn("never reached", self.text("panic"))

    def test_failed_pages_say_so(self):
        for name in ["panic", "exit3", "compile", "hang"]:
            self.assertIn("This run failed.", (self.out / name / f"{name}.html").read_text(encoding="utf-8"))
            self.assertIn("1 failed", (self.out / name / "index.html").read_text(encoding="utf-8"))

    def test_a_program_that_hangs_is_stopped(self):
        self.assertLess(self.took["hang"], 60)
        process = int(re.search(r"process (\d+)", self.text("hang")).group(1))
        with self.assertRaises(ProcessLookupError, msg="the program still runs"):
            os.kill(process, 0)

    def test_pages_need_nothing_else(self):
        pages = sorted(self.out.glob("*/*.html"))
        self.assertEqual(len(pages), 18)
        for path in pages:
            text = path.read_text(encoding="utf-8")
            self.assertEqual(page.outside_references(text), [], path)
            self.assertNotRegex(text, r"<script|https?://[^\"' ]*\.js", path)
        self.assertIn('src="data:image/png;base64,', (self.out / "picture" / "picture.html").read_text(encoding="utf-8"))

    def test_index(self):
        text = (self.out / "picture" / "index.html").read_text(encoding="utf-8")
        for want in ['href="picture.html"', 'href="all.html"', "A picture", "Drawn by the program", "data:image/", "passed"]:
            self.assertIn(want, text)
        self.assertIn("none", re.search(r'class="weights">([^<]*)<', (self.out / "pass" / "index.html").read_text(encoding="utf-8")).group(1))

    def test_same_page_again(self):
        first = (self.out / "picture" / "picture.html").read_bytes()
        self.run_notebook("picture")
        self.assertEqual(first, (self.out / "picture" / "picture.html").read_bytes())

    def test_unknown_kernel(self):
        log = io.StringIO()
        with contextlib.redirect_stderr(log):
            status = run.main(["-o", str(self.out / "none"), "--kernel", "no-such", str(DATA / "pass.ipynb")])
        self.assertEqual(status, 1)
        self.assertIn("kernel 'no-such' doesn't run", log.getvalue())


class Pages(unittest.TestCase):
    def test_references_to_elsewhere_are_found(self):
        for markup, count in [
            ('<a href="https://example.org">link</a>', 0),
            ('<img src="data:image/png;base64,AA">', 0),
            ('<svg><use href="#mark"/></svg>', 0),
            ('<img src="https://example.org/x.png">', 1),
            ('<img src="x.png">', 1),
            ('<script src="//cdn.example.org/x.js"></script>', 1),
            ('<link rel="stylesheet" href="x.css">', 1),
            ('<style>@import "x.css"; p { background: url(https://example.org/x) }</style>', 2),
            ('<div style="background: url(x.png)"></div>', 1),
            ('<script type="module">import m from "https://example.org/m.js"</script>', 1),
            ("<style>p { background: url(data:image/png;base64,AA) }</style>", 0),
        ]:
            with self.subTest(markup):
                self.assertEqual(len(page.outside_references(markup)), count)

    def test_a_notebook_that_loads_from_elsewhere_has_no_page(self):
        cell = new_code_cell("x", outputs=[new_output("display_data", {"text/html": '<img src="https://example.org/x.png">'})])
        with self.assertRaisesRegex(ValueError, "load from elsewhere"):
            page.render(execute.Result(Path("x.ipynb"), new_notebook(cells=[cell])))

    def test_weights(self):
        table = ("<table><tr><td>weights</td><td>ViT-S/14 <em>small</em></td></tr>\n"
                 "<tr><td>kind</td><td>for saliency</td></tr><tr><td>from</td><td>a wheel</td></tr></table>")
        cell = new_code_cell("x", outputs=[
            new_output("display_data", {"text/html": table}), new_output("display_data", {"text/html": table}),
            new_output("display_data", {"text/markdown": "**Weights:** `B/16`"}),
            *outputs(("stdout", "Weights: Ti/16\nno weights: here\n"))])
        self.assertEqual(page.weights_of(new_notebook(cells=[cell])), ["ViT-S/14 small, for saliency, a wheel", "B/16", "Ti/16"])

    def test_title_and_summary(self):
        book = new_notebook(cells=[new_markdown_cell("# The *title*\n\nSome [link](x) and `code`\nhere.")])
        self.assertEqual(page.title_of(book, "x"), "The title")
        self.assertEqual(page.summary_of(book), "Some link and code here.")
        self.assertEqual(page.title_of(new_notebook(), "x"), "x")


class Page(unittest.TestCase):
    """The parts of a page."""

    def book(self, *cells):
        return new_notebook(cells=[new_markdown_cell("# The title\n\nWords."), *cells], metadata={"language_info": {"name": "go"}})

    def result(self, *cells, name="x"):
        return execute.Result(Path(f"{name}.ipynb"), self.book(*cells), None, [1.0])

    def picture(self, kind="image/png", data="AA=="):
        return new_code_cell("draw()", outputs=[new_output("display_data", {kind: data}, metadata={kind: {"width": 300, "height": 150}})])

    def test_contents(self):
        got = page.render(self.result(new_markdown_cell("## One\n\n### In *it*\n\n[back](#One)"), new_markdown_cell("## Two")))
        soup = BeautifulSoup(got, "html.parser")
        self.assertEqual([(a.text, a["href"]) for a in soup.select(".toc a")], [("One", "#One"), ("In it", "#In-it"), ("Two", "#Two")])
        for link in soup.select('a[href^="#"]'):
            self.assertTrue(soup.find(id=link["href"][1:]), link)
        self.assertFalse(soup.select(".anchor-link"))
        self.assertIsNone(BeautifulSoup(page.render(self.result()), "html.parser").select_one(".toc"))

    def test_code_folds_and_pictures_open(self):
        soup = BeautifulSoup(page.render(self.result(self.picture())), "html.parser")
        self.assertIn("draw()", soup.select_one("details.input_area[open]").text)
        image = soup.select_one("figure.picture label input[type=checkbox] ~ div img")
        self.assertEqual((image["alt"], image["width"]), ("The title, figure 1", "300"))
        self.assertFalse(soup.find("script"))

    def test_all_on_one_page(self):
        results = [self.result(self.picture(), new_markdown_cell("## Part\n\n[there](#Part)"), name="a"), self.result(new_markdown_cell("## Part"), name="b"),
                   execute.Result(Path("c.ipynb"), new_notebook(), execute.Failure(1, "x", "broke"), [])]
        soup = BeautifulSoup(page.render_all(results, [("Go", "1")], "Mine & yours", "A. <Student>", "today"), "html.parser")
        cover = soup.select_one(".cover").text
        for want in ["Mine & yours", "A. <Student>", "today", "3 notebooks, 1 failed"]:
            self.assertIn(want, cover)
        self.assertEqual(len(soup.select(".chapter")), 3)
        self.assertIn("broke", soup.select(".chapter")[2].text)
        self.assertFalse(soup.select("details, summary, input, button, nav.top, script"))
        ids = [e["id"] for e in soup.find_all(id=True)]
        self.assertEqual(len(ids), len(set(ids)))
        links = soup.select('a[href^="#"]')
        self.assertEqual([a.text for a in soup.select(".toc a")], ["The title", "Part", "The title", "Part", "c", "What it ran on"])
        for link in links:
            self.assertIn(link["href"][1:], ids)

    def test_thumbnails_are_small(self):
        rows = b"".join(b"\0" + bytes(random.Random(y).randbytes(3 * 1600)) for y in range(900))

        def chunk(kind, data):
            return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

        png = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 1600, 900, 8, 2, 0, 0, 0)) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
        result = self.result(self.picture(data=base64.b64encode(png).decode()))
        got = page.render_index([result] * 4, [])
        self.assertLess(len(got), 500_000)
        self.assertEqual(got.count('<div class="thumb"><img src="data:image/'), 4)
        damaged = page.render_index([self.result(self.picture(data="A" * 200_000))], [])
        self.assertNotIn("<img", damaged)

    def test_failure(self):
        result = self.result()
        result.failure = execute.Failure(2, "a < b", "the program ended", "details")
        self.assertIn("a &lt; b", page.render(result))


class Arguments(unittest.TestCase):
    """What can be wrong with the notebooks that a user names."""

    def setUp(self):
        holder = tempfile.TemporaryDirectory()
        self.addCleanup(holder.cleanup)
        self.folder = Path(holder.name)

    def write(self, name, text):
        path = self.folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    def test_faults(self):
        good = nbformat.writes(new_notebook(metadata={"kernelspec": {"name": "gonb", "display_name": "G", "language": "go"}}))
        python = nbformat.writes(new_notebook(metadata={"kernelspec": {"name": "python3", "display_name": "P", "language": "python"}}))
        for path, want in [
            (self.write("good.ipynb", good), None), (self.write("bare.ipynb", nbformat.writes(new_notebook())), None),
            (self.folder, "it is a folder"), (self.folder / "none.ipynb", "no such file"), (self.write("x.txt", good), "should end in .ipynb"),
            (self.write("bad.ipynb", "{"), "not a notebook"), (self.write("list.ipynb", "[]"), "not a notebook"), (self.write("empty.ipynb", ""), "not a notebook"),
            (self.write("py.ipynb", python), "for the kernel 'python3'"),
        ]:
            with self.subTest(path.name):
                got = run.fault_of(path)
                if want is None:
                    self.assertIsNone(got)
                else:
                    self.assertIn(want, got)

    def test_clashes(self):
        for names, want in [(["a.ipynb", "b.ipynb"], None), (["a.ipynb", "x/A.ipynb"], "a.ipynb"), (["index.ipynb"], "the report"), (["all.ipynb"], "the report"),
                            (["a.ipynb", "a.ipynb"], "same page")]:
            with self.subTest(names):
                got = run.clash([Path(n) for n in names])
                self.assertEqual(got is None, want is None, got)
                if want:
                    self.assertIn(want, got)

    def test_others_stay_in_the_report(self):
        out = self.folder / "report"
        for name in ["a", "b", "c"]:
            notebook = new_notebook(cells=[new_markdown_cell(f"# {name}")])
            result = execute.Result(Path(f"{name}.ipynb"), notebook, execute.Failure(1, "s", "why") if name == "b" else None, [1.5], 0.5)
            run.write(out / "executed" / f"{name}.ipynb", own.signed_notebook(notebook, run.about(result)))
            run.write(out / f"{name}.html", own.signed_page(page.render(result)))
        with open(out / "c.html", "a", encoding="utf-8") as f:
            f.write("changed")
        got = run.earlier(out, {"a.ipynb"})
        self.assertEqual([r.path.name for r in got], ["b.ipynb"])
        self.assertEqual((got[0].failure.reason, got[0].total), ("why", 2.0))
        self.assertEqual(len(run.earlier(out, set())), 2)


class Own(unittest.TestCase):
    """A report replaces only files that a report wrote."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.book = self.folder / "a.ipynb"
        self.notebook = new_notebook(cells=[new_markdown_cell("# T")])
        nbformat.write(self.notebook, self.book)
        self.out = self.folder / "report"

    def write(self, page_text=None, index_text=None, executed=None):
        run.write(self.out / "a.html", page_text or own.signed_page(page.wrap("T", "<main></main>")))
        run.write(self.out / "index.html", index_text or own.signed_page(page.render_index([], [])))
        run.write(self.out / "all.html", own.signed_page(page.render_all([], [])))
        run.write(self.out / "executed" / "a.ipynb", executed or own.signed_notebook(self.notebook))

    def problem(self, force=False):
        return own.problem(self.out, [self.book], force)

    def test_new_and_again(self):
        self.assertIsNone(self.problem())
        self.write()
        self.assertIsNone(self.problem())

    def test_changed(self):
        for name, change in [("a.html", b"<p>a note</p>"), ("index.html", b"\n"), ("all.html", b"\n"), ("executed/a.ipynb", b"a note")]:
            with self.subTest(name):
                self.write()
                with open(self.out / name, "ab") as f:
                    f.write(change)
                self.assertIn(name, self.problem())
                self.assertIsNone(self.problem(force=True))
        self.write()
        edited = nbformat.read(self.out / "executed" / "a.ipynb", as_version=4)
        edited.cells.append(new_markdown_cell("a note"))
        nbformat.write(edited, self.out / "executed" / "a.ipynb")
        self.assertIn("a.ipynb", self.problem())

    def test_strangers(self):
        for name, text in [("a.html", "<h1>mine</h1>"), ("index.html", ""), ("executed/a.ipynb", "{}"), ("executed/a.ipynb", "no JSON")]:
            with self.subTest(f"{name} {text}"):
                self.write()
                (self.out / name).write_text(text, encoding="utf-8")
                self.assertIn(name, self.problem())
                with contextlib.redirect_stderr(io.StringIO()) as log, self.assertRaises(SystemExit) as end:
                    run.main(["-o", str(self.out), str(self.book)])
                self.assertEqual(end.exception.code, 2)
                self.assertIn("--force", log.getvalue())
                self.assertEqual((self.out / name).read_text(encoding="utf-8"), text)

    def test_before_there_were_signatures(self):
        self.write(page_text=page.wrap("T", '<nav><a href="index.html">All notebooks</a></nav>'),
                   index_text=page.render_index([], []), executed=nbformat.writes(self.notebook))
        self.assertIsNone(self.problem())
        self.write(executed=nbformat.writes(self.notebook))
        self.assertIn("a.ipynb", self.problem())

    def test_never_over_a_notebook_it_runs(self):
        self.write()
        inside = self.out / "executed" / "a.ipynb"
        self.assertIn("read here", own.problem(self.out, [inside], True))
        inside.unlink()
        inside.hardlink_to(self.book)
        self.assertIn("read here", self.problem(force=True))
        inside.unlink()
        inside.symlink_to(self.book)
        self.assertIn("read here", self.problem(force=True))
        inside.unlink()
        inside.parent.rmdir()
        inside.parent.symlink_to(self.folder)
        self.assertIn("read here", self.problem(force=True))

    def test_places(self):
        self.out.write_text("a file", encoding="utf-8")
        self.assertIn("not a folder", self.problem(force=True))
        self.out.unlink()
        (self.out / "a.html").mkdir(parents=True)
        self.assertIn("not a regular file", self.problem(force=True))


class Check(unittest.TestCase):
    def good(self):
        return stripped(new_notebook(cells=[new_markdown_cell("# T"), new_code_cell('import "fmt"'), new_code_cell("%%\nfmt.Println(1)")], metadata={"kernelspec": check.KERNELSPEC}))

    def test_good(self):
        self.assertEqual(check.problems(self.good(), 100), [])

    def test_bad(self):
        def changed(change):
            book = self.good()
            change(book)
            return check.problems(book, 100)

        for name, change, want in [
            ("outputs", lambda b: b.cells[2].update(outputs=outputs(("stdout", "1"))), "make strip"),
            ("count", lambda b: b.cells[2].update(execution_count=1), "make strip"),
            ("many cells", lambda b: b.cells.extend([new_code_cell("%%\nx()")] * 15), "17 code cells"),
            ("long cells", lambda b: [c.update(source="import (\n" + "\n" * 9 + ")") for c in b.cells[1:]], "median"),
            ("kernel", lambda b: b.metadata.kernelspec.update(name="python3"), "kernel"),
            ("no heading", lambda b: b.cells.pop(0), "heading"),
            ("two %%", lambda b: b.cells[2].update(source="%%\na()\n%%\nb()"), "two %%"),
            ("empty", lambda b: b.cells[2].update(source=" "), "empty"),
            ("formula", lambda b: b.cells[0].update(source="# T\n\n$\\alpha$"), "TeX"),
            ("no imports", lambda b: b.cells.pop(1), "imports"),
        ]:
            with self.subTest(name):
                found = changed(change)
                self.assertEqual(len(found), 1, found)
                self.assertIn(want, found[0])
        self.assertIn("bytes", check.problems(self.good(), 2_000_000)[0])

    def test_strip_is_stable(self):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "x.ipynb"
            book = self.good()
            book.cells[2].update(outputs=outputs(("stdout", "1")), execution_count=4)
            nbformat.write(book, path)
            with contextlib.redirect_stdout(io.StringIO()):
                self.assertEqual(check.main(["--strip", str(path)]), 0)
            once = path.read_bytes()
            self.assertEqual(check.main(["--strip", str(path)]), 0)
            self.assertEqual(once, path.read_bytes())
            self.assertEqual(check.main([str(path)]), 0)


class Git(unittest.TestCase):
    """Running and saving a notebook doesn't change what git sees."""

    def test_a_saved_run_is_no_change(self):
        for path in sorted((run.ROOT / "notebooks").glob("*.ipynb")):
            with self.subTest(path.name):
                text = gitclean.clean(path.read_text(encoding="utf-8"))
                book = nbformat.reads(text, as_version=4)
                # What JupyterLab 4 and VS Code add.
                book.metadata.update(widgets={"x": 1}, vscode={"interpreter": 1}, language_info={
                    "name": "go", "version": "go1.26.8", "codemirror_mode": "", "file_extension": ".go", "mimetype": "text/x-go"})
                book.metadata.kernelspec.display_name = "gaze"
                for cell in book.cells:
                    cell.metadata.update(editable=True, slideshow={"slide_type": ""}, tags=[], execution={"x": 1})
                    if cell.cell_type == "code":
                        cell.update(outputs=outputs(("stdout", "1")), execution_count=7)
                self.assertEqual(gitclean.clean(nbformat.writes(book)), text)

    def test_other_texts_stay(self):
        for text in ["", "not JSON \udcff", "[1]", '{"cells": 3}', "{"]:
            self.assertEqual(gitclean.clean(text), text)

    def test_another_kernel_and_tags_stay(self):
        book = new_notebook(cells=[new_code_cell("x", metadata={"tags": ["a"], "collapsed": True})], metadata={
            "kernelspec": {"name": "python3", "display_name": "P", "language": "python"}})
        got = stripped(book)
        self.assertEqual(got.metadata.kernelspec.name, "python3")
        self.assertEqual(got.cells[0].metadata, {"tags": ["a"]})

    def repository(self):
        """A folder with a committed notebook, and a function that calls git there."""
        holder = tempfile.TemporaryDirectory()
        self.addCleanup(holder.cleanup)
        folder = Path(holder.name)

        def git(*args):
            return subprocess.run(["git", "-c", "user.name=x", "-c", "user.email=x@x", *args], cwd=folder, check=True,
                                  capture_output=True, text=True).stdout

        git("init", "-q")
        path = folder / "notebooks" / "a.ipynb"
        path.parent.mkdir()
        (folder / ".gitattributes").write_bytes((run.ROOT / ".gitattributes").read_bytes())
        book = stripped(new_notebook(cells=[new_code_cell("x"), new_code_cell("y")], metadata={"kernelspec": check.KERNELSPEC}))
        path.write_text(gitclean.clean(nbformat.writes(book)), encoding="utf-8")
        git("add", ".")
        git("commit", "-qm", "x")
        return path, book, git

    def test_as_a_filter(self):
        """With set-up's filter nothing that a run adds is in a difference or a commit, but an edit is."""
        path, book, git = self.repository()
        git("config", "filter.gaze-notebook.clean", f"{sys.executable} -S {Path(gitclean.__file__).resolve()}")
        book.cells[0].update(outputs=outputs(("stdout", "1")), execution_count=7)
        nbformat.write(book, path)
        self.assertEqual(git("diff"), "")
        git("add", "-u")
        self.assertEqual(git("status", "--short"), "")
        self.assertIn("stdout", path.read_text(encoding="utf-8"))
        book.cells[0].source = "edited"
        nbformat.write(book, path)
        self.assertEqual(git("status", "--short").split(), ["M", "notebooks/a.ipynb"])
        self.assertNotIn("stdout", git("diff"))
        self.assertIn("edited", git("diff"))

    def contents(self, path):
        manager = contents.Contents(root_dir=str(path.parent))
        manager.notebooks, manager.wholes = path.parent, path.parent.parent / "wholes"
        return manager

    def save(self, manager, book, name="a.ipynb"):
        asyncio.run(manager.save({"type": "notebook", "format": "json", "content": book}, name))

    def opened(self, manager, name="a.ipynb"):
        return asyncio.run(manager.get(name))["content"]

    def test_saved_in_jupyterlab(self):
        """The file stays as git has it, and the outputs are there when it is opened again."""
        path, book, git = self.repository()
        manager = self.contents(path)
        before = path.read_bytes()
        book.cells[0].update(outputs=outputs(("stdout", "one")), execution_count=7)
        book.cells[1].update(outputs=outputs(("stdout", "two")), execution_count=8)
        book.metadata.language_info["version"] = "go1.26.8"
        self.save(manager, book)
        self.assertEqual(path.read_bytes(), before)
        self.assertEqual(git("status", "--short", "--untracked-files=no"), "")
        again = self.opened(manager)
        self.assertEqual([c.outputs[0].text for c in again.cells], ["one", "two"])
        self.assertEqual(again.metadata.language_info.version, "go1.26.8")
        self.assertTrue(all(c.metadata.get("trusted") for c in again.cells))
        # Edited elsewhere: what is the same keeps its outputs.
        text = path.read_text(encoding="utf-8").replace('"y"', '"other"')
        path.write_text(text, encoding="utf-8")
        again = self.opened(manager)
        self.assertEqual([len(c.outputs) for c in again.cells], [1, 0])
        # A damaged copy is no obstacle.
        next(manager.wholes.glob("*.ipynb")).write_text("{", encoding="utf-8")
        self.assertEqual(self.opened(manager).cells[1].source, "other")

    def test_the_name_that_the_kernel_expects(self):
        self.assertEqual(contents.name_of(Path("/clone/notebooks/1-a.ipynb")), "1-a-f1c2c9b877ba.ipynb")

    def test_other_notebooks_are_saved_as_ever(self):
        path, book, _ = self.repository()
        manager = self.contents(path)
        book.cells[0].update(outputs=outputs(("stdout", "one")), execution_count=7)
        self.save(manager, book, "mine.ipynb")
        self.assertIn("one", (path.parent / "mine.ipynb").read_text(encoding="utf-8"))
        self.assertFalse(manager.wholes.exists())


class Clean(unittest.TestCase):
    """The sanitizer keeps what can be read and removes what can run."""

    def test_kept(self):
        for markup in [
            "<h2 id=\"a\">A <em>title</em></h2>", "<p>x<br>y</p>", "<blockquote><p>x</p></blockquote>", "<hr>",
            "<table><thead><tr><th scope=\"col\">a</th></tr></thead><tbody><tr><td colspan=\"2\">1 &lt; 2</td></tr></tbody></table>",
            '<table><tbody><tr><td style="text-align: right;">1</td></tr></tbody></table>', '<a href="#a">x</a>', '<a href="https://example.org/a?b=c:d">x</a>',
            '<a href="page.html">x</a>', '<a href="a/b:c.html">x</a>', '<img alt="a" src="data:image/png;base64,AA==">',
            '<img alt="a" height="3" src="x.png" width="4">', '<pre><span class="k">func</span></pre>',
            '<details open><summary>s</summary>x</details>', "<p>&amp;lt;p&amp;gt; 1 &lt; 2</p>",
        ]:
            with self.subTest(markup):
                self.assertEqual(clean.clean_html(markup), markup)

    def test_removed(self):
        for markup in [
            "<script>alert(1)</script>", "<ScRiPt src=x></sCrIpT >", '<img src="x.png" onerror="alert(1)">', '<p onclick="alert(1)">x</p>',
            '<a href="javascript:alert(1)">x</a>', '<a href="java\tscript:alert(1)">x</a>', '<a href=" &#106;avascript:alert(1)">x</a>',
            '<a href="data:text/html,alert(1)">x</a>', '<a href="&#100;ata:text/html,alert(1)">x</a>', '<a href="//x/data:alert(1)" ping="alert(1)">x</a>',
            '<img src="data:image/svg+xml;base64,alert">', '<img src="data:text/html,alert(1)">', "<style>p{background:url(alert)}</style>",
            '<p style="background:url(javascript:alert(1))">x</p>', "<svg><script>alert(1)</script></svg>", '<iframe src="alert"></iframe>',
            "<math><mi//xlink:href=\"data:x,alert(1)\">", '<object data="alert"></object>', "<!-- alert -->", '<form action="alert"><input></form>',
        ]:
            with self.subTest(markup):
                got = clean.clean_html(markup).replace("//x/data:alert(1)", "")
                self.assertNotRegex(got, r"alert|script|<svg|<style|on\w+=", got)

    def test_the_explorer_and_no_other_script(self):
        data = {"version": explorerframe.VERSION, "title": 'a "title" & </title>', "live": {"id": "x"}, "colormaps": [],
                "pictures": [{"name": "</script><script>alert(1)</script> {{style}}", "photo": "data:image/jpeg;base64,AAAA"}]}
        frame = f'<div class="gaze-explorer"><iframe class="gaze-explorer" title="x" srcdoc="{html.escape(explorerframe.document(data))}"></iframe></div>'
        got = clean.clean_html(f"<p>before</p>{frame}<p>after</p>")
        again = BeautifulSoup(got, features="html.parser").iframe["srcdoc"]
        kept = json.loads(explorerframe.DATA.search(again)[1])
        self.assertEqual(kept, {k: v for k, v in data.items() if k != "live"})
        self.assertEqual(again, explorerframe.document(kept))
        self.assertEqual(again.count("<script"), 2)
        self.assertIn("<p>before</p>", got)
        self.assertEqual(page.outside_references(got), [])
        for bad in ["<script>alert(1)</script>", explorerframe.document(data | {"version": 99}), explorerframe.document(data | {"pictures": [{"photo": "x:y"}]})]:
            with self.subTest(bad[:40]):
                self.assertEqual(clean.clean_html(f'<iframe class="gaze-explorer" srcdoc="{html.escape(bad)}"></iframe>'), explorerframe.LOST)
        changed = html.escape(explorerframe.document(data).replace("use strict", "alert(2)"))
        got = clean.clean_html(f'<iframe class="gaze-explorer" onload="alert(3)" srcdoc="{changed}"></iframe>')
        self.assertEqual(html.unescape(explorerframe.FRAME.search(got)[1]), explorerframe.document(kept))
        self.assertNotRegex(got, "alert.[23]")
        self.assertNotIn("iframe", clean.clean_html('<iframe class="gaze-explorer" src="x" srcdoc="y"'))
        self.assertNotIn("answer", clean.clean_html('<div class="gaze-explorer-answer" data-explorer="i" data-answer="{}"></div>'))

    def test_scripts_only_where_they_are_needed(self):
        for source, needed in [("costs $5 and $6", False), ("`$HOME` and `$PATH`", False), ("Let $x^2$ be", True), ("$$y$$", True), (r"\(a\)", True),
                               ("$a", False), ("US$ 5, 6 $", False)]:
            with self.subTest(source):
                self.assertEqual(clean.needs_mathjax(new_notebook(cells=[new_markdown_cell(source)])), needed)
        self.assertFalse(clean.needs_mermaid(new_notebook(cells=[new_markdown_cell("x"), new_code_cell("y")])))
        self.assertTrue(clean.needs_mermaid(new_notebook(cells=[new_markdown_cell("```mermaid\na\n```")])))


class Export(unittest.TestCase):
    """JupyterLab's and nbconvert's HTML, with the clone's settings and the dialog's default, "Sanitize"."""

    def export(self, notebook, sanitize=True):
        settings = PyFileConfigLoader("jupyter_config.py", path=str(Path(clean.__file__).parent)).load_config()
        exporter = HTMLExporter(config=settings)
        exporter.sanitize_html = sanitize
        return exporter.from_notebook_node(notebook)[0]

    def test_sanitized(self):
        table = '<table style="color: inherit"><thead><tr><th scope="col" style="text-align:right">a</th></tr></thead><tbody><tr><td>1</td></tr></tbody></table>'
        book = new_notebook(metadata={"kernelspec": check.KERNELSPEC, "language_info": {"name": "go"}}, cells=[
            new_markdown_cell("# The title\n\nSome *words* and <script>bad()</script>\n\n| a | b |\n|---|--:|\n| 1 | 2 |\n\n> quoted"),
            new_code_cell("%%\nif a < b && c {}", outputs=[
                new_output("display_data", {"text/html": table}), new_output("display_data", {"text/markdown": "### Found\n\n**good**"}),
                new_output("display_data", {"image/jpeg": "AA=="}, metadata={"image/jpeg": {"width": 3, "height": 2}})])])
        for sanitize in [True, False]:
            got = self.export(book, sanitize)
            with self.subTest(sanitize=sanitize):
                main = got[got.index("<main>"):]
                for want in ["<h1", "<em>words</em>", "<blockquote>", "<thead>", "<h3", "<strong>good</strong>", 'alt="The title, figure 1"', 'width="3"']:
                    self.assertIn(want, main)
                for bad in ["&lt;h1", "&lt;p", "&lt;th", "No description"]:
                    self.assertNotIn(bad, main)
                self.assertEqual(page.outside_references(got), [])
                self.assertNotRegex(got, r"<script[^>]+src")
        self.assertNotIn("bad()", self.export(book))

    def test_formulas_get_mathjax(self):
        book = new_notebook(cells=[new_markdown_cell("# T\n\n$x^2$")])
        self.assertIn("mathjax", self.export(book))

    def test_a_picture_wins_over_a_slider(self):
        book = new_notebook(cells=[new_markdown_cell("# T"), new_code_cell("x", outputs=[new_output("display_data", {
            "application/vnd.jupyter.widget-view+json": {"model_id": "a", "version_major": 2, "version_minor": 0}, "image/png": "AA=="})])])
        got = self.export(book)
        self.assertIn("data:image/png", got)
        self.assertNotIn("model_id", got)


if __name__ == "__main__":
    unittest.main()
