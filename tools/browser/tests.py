#!/usr/bin/env python3
"""Tests of what look.py finds, in a real Chromium; skipped where there is none.

    tools/with-env.sh python tools/browser/tests.py [-k NAME]
"""

import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import look  # noqa: E402

try:
    from playwright.sync_api import sync_playwright

    import lab
except ImportError:
    sync_playwright = None

# A picture of 2x1 pixels.
DOT = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAIAAAABCAYAAAD0In+KAAAADUlEQVR42mP8z8DwHwAFAgH+hCBYJwAAAABJRU5ErkJggg=="
GOOD = f"""<h1>Title</h1><p>Words, <code>**code**</code> and 1 &lt; 2.</p><h2 id="a">Part</h2><p><a href="#a">there</a></p>
<table><thead><tr><th>a</th><th>b</th></tr></thead><tbody><tr><td>x</td><td style="white-space:nowrap">0.65 to 0.84</td></tr></tbody></table>
<p><img src="{DOT}" alt="a dot" width="2" height="1"></p><pre style="white-space:pre-wrap">func f() {{}}</pre>"""


def page(body, style=""):
    return f'<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>T</title><style>body {{ margin: 1em }} {style}</style></head><body>{body}</body></html>'


class Look(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        if not sync_playwright:
            raise unittest.SkipTest("playwright isn't installed: tools/setup.sh browser")
        try:
            executable = lab.find_browser()
        except lab.Failed as err:
            raise unittest.SkipTest(str(err)) from None
        cls.playwright = sync_playwright().start()
        cls.addClassCleanup(cls.playwright.stop)
        cls.browser = cls.playwright.chromium.launch(executable_path=executable, args=lab.FLAGS)
        cls.addClassCleanup(cls.browser.close)

    def faults(self, text, **how):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "page.html"
            path.write_text(text, encoding="utf-8")
            return look.check(self.browser, path, **how)

    def test_a_right_page(self):
        self.assertEqual(self.faults(page(GOOD)), [])

    def test_each_fault(self):
        quick = {"widths": (800,), "schemes": ("light",), "pdf": False}
        for want, more, style in [
            ("literal tag", "<p>&lt;h2 id=x&gt;Part&lt;/h2&gt;</p>", ""),
            ("literal entity", "<p>1 &amp;lt; 2</p>", ""),
            ("literal Markdown heading", "<p>## Part</p>", ""),
            ("literal Markdown", "<p>It is **bold**.</p>", ""),
            ("literal Markdown", "<p>[a link](https://example.org)</p>", ""),
            ("heading looks like text", "<h3>Part</h3>", "h3 { font: inherit }"),
            ("heading skips a level", "<h4>Part</h4>", ""),
            ("empty heading", "<h2> </h2>", ""),
            ("link to nowhere", '<a href="#none">x</a>', ""),
            ("page is too wide", '<div style="width:900px">x</div>', ""),
            ("cut off", '<div style="overflow:hidden;width:200px"><pre>' + "long " * 40 + "</pre></div>", ""),
            ("picture is missing", '<img src="data:image/png;base64,AAAA" alt="x" width="9" height="9">', ""),
            ("picture is distorted", f'<img src="{DOT}" alt="x" width="2" height="2">', ""),
            ("picture is blurred", f'<img src="{DOT}" alt="x" width="20" height="10">', ""),
            ("picture without a description", f'<img src="{DOT}">', ""),
            ("table has an empty head", "<table><thead><tr><th></th></tr></thead><tr><th>a</th><td>1</td></tr></table>", ""),
            ("table without heads", "<table><tr><td>1</td></tr></table>", ""),
            ("number is broken over lines", '<table><tr><th>a</th><td style="width:3em">44.6 (39.6 to 49.7)</td></tr></table>', "table { table-layout: fixed; width: 9em }"),
            ("low contrast", '<p style="color:#999">x</p>', ""),
            ("loads from elsewhere", '<link rel="stylesheet" href="http://127.0.0.1:9/x.css">', ""),
            ("error: ", "<script>throw new Error('oops')</script>", ""),
        ]:
            with self.subTest(want):
                found = self.faults(page(GOOD + more, style), **quick)
                self.assertTrue(any(f.startswith(want) for f in found), found)

    def test_no_headings(self):
        self.assertTrue(any(f.startswith("no h1") for f in self.faults(page("<p>x</p>"), schemes=("light",), pdf=False)))

    def test_dark(self):
        style = "@media (prefers-color-scheme: dark) { :root { color-scheme: dark } body { background: #111; color: #222 } }"
        found = self.faults(page("<h1>T</h1><p>x</p>", style), widths=(800,), pdf=False)
        self.assertTrue(found and all("low contrast" in f and "(800 dark)" in f for f in found), found)

    def test_print(self):
        filler = '<div style="height:{}px"></div>'
        sheet = "@page { size: A4; margin: 20mm }"
        alone = page("<h1>T</h1>" + filler.format(850) + "<h2>Alone</h2>" + filler.format(200), sheet)
        found = self.faults(alone, widths=(800,), schemes=("light",))
        self.assertEqual([f for f in found if "alone at the foot of page 1: Alone" in f], found)
        kept = page("<h1>T</h1>" + filler.format(850) + "<h2>Kept</h2>" + filler.format(200), sheet + " h2 { break-before: page }")
        self.assertEqual(self.faults(kept, widths=(800,), schemes=("light",)), [])
        cut = self.faults(page("<h1>T</h1><div style='overflow-x:auto'><pre>" + "long " * 40 + "</pre></div>", sheet), widths=(1280,), schemes=("light",))
        self.assertTrue(any(f.startswith("cut off") and "print" in f for f in cut), cut)
        tall = self.faults(page(f'<h1>T</h1><img src="{DOT}" alt="x" style="width:2px;height:1200px;object-fit:cover">', sheet), widths=(800,), schemes=("light",))
        self.assertTrue(any(f.startswith("picture is taller than a page") for f in tall), tall)

    def test_files(self):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "page.html"
            path.write_text(page(GOOD), encoding="utf-8")
            look.check(self.browser, path, Path(folder) / "out", widths=(800,))
            self.assertEqual(sorted(p.name for p in (Path(folder) / "out").iterdir()), ["page-800-dark.png", "page-800-light.png", "page.pdf"])
            marks, pages = look.outline((Path(folder) / "out" / "page.pdf").read_bytes())
            self.assertEqual(([m[0] for m in marks], pages), (["Title", "Part"], 1))


if __name__ == "__main__":
    unittest.main()
