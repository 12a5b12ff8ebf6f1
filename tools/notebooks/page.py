"""Converts executed notebooks to self-contained HTML pages: one each, all in one, and an index."""

import base64
import functools
import html
import json
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import quote

from bs4 import BeautifulSoup
from nbconvert import HTMLExporter

import execute

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path.insert(0, str(HERE / "export"))
import clean  # noqa: E402
import explorerframe  # noqa: E402

PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
{css}
</style>
</head>
<body>
{body}
</body>
</html>
"""

# A page must not load anything: these tags must not have these attributes, except with a data: value.
FETCHING = {
    "script": ["src"], "link": ["href"], "img": ["src", "srcset"], "iframe": ["src"], "source": ["src", "srcset"],
    "video": ["src", "poster"], "audio": ["src"], "object": ["data"], "embed": ["src"], "image": ["href", "xlink:href"],
    "use": ["href", "xlink:href"], "track": ["src"], "input": ["src"],
}
CSS_FETCH = re.compile(r"""(?:@import\s+|url\(\s*)["']?(?!data:|#)([^"')\s;]+)""", re.I)
SCRIPT_FETCH = re.compile(r"""(?:import|from|fetch\(|src\s*=|require\()\s*["'](https?:)?//""", re.I)


class References(HTMLParser):
    """Collects everything that a page would load from elsewhere."""

    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.found, self.inside = [], ""

    def handle_starttag(self, tag, attrs):
        self.inside = tag if tag in ("style", "script") else ""
        values = dict(attrs)
        for name in FETCHING.get(tag, []):
            value = (values.get(name) or "").strip()
            if value and not value.startswith(("data:", "#")):
                self.found.append(f"<{tag} {name}={value[:80]}>")
        if values.get("srcdoc"):
            self.found += outside_references(values["srcdoc"])
        self.found += [f"<{tag} style: {m}>" for m in CSS_FETCH.findall(values.get("style") or "")]

    handle_startendtag = handle_starttag

    def handle_endtag(self, tag):
        self.inside = ""

    def handle_data(self, data):
        if self.inside == "style":
            self.found += [f"<style> {m[:80]}" for m in CSS_FETCH.findall(data)]
        elif self.inside == "script" and SCRIPT_FETCH.search(data):
            self.found.append("<script> that loads from elsewhere")


def outside_references(markup):
    """Lists everything that a page would load; a self-contained page loads nothing. Ordinary links don't count."""
    parser = References()
    parser.feed(markup)
    return parser.found


def title_of(notebook, name):
    """The first heading of a notebook, or its file name."""
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            heading = re.search(r"(?m)^#+\s+(.+?)\s*#*$", cell.source)
            if heading:
                return re.sub(r"[*_`]", "", heading.group(1))
    return name


def summary_of(notebook):
    """The first paragraph of a notebook that isn't a heading, as plain text."""
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            for paragraph in re.split(r"\n\s*\n", cell.source):
                if not paragraph.lstrip().startswith(("#", "|", "!", "-")) and paragraph.strip():
                    text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", " ".join(paragraph.split()))
                    return re.sub(r"[*_`]", "", text)
    return ""


def first_figure(notebook):
    """The first displayed picture as (media type, base64 text); None if there is none."""
    for cell in notebook.cells:
        for out in cell.get("outputs", []):
            data = out.get("data", {})
            for kind in ["image/png", "image/jpeg"]:
                if kind in data:
                    return kind, "".join(data[kind]).replace("\n", "")
            found = re.search(r"""<img[^>]+src=["']data:(image/[^;"']+);base64,([^"']+)["']""", data.get("text/html", ""))
            if found:
                return found.groups()
    return None


# A thumbnail's largest size: that of a card on a screen with two pixels per CSS pixel.
THUMB = (608, 384)
# A picture of so many bytes that can't be made smaller is left out of the index.
LARGEST_THUMB = 120_000


@functools.lru_cache
def thumbnail(kind, data):
    """A small copy of a picture as a data: URL; empty if it can't be made and the picture is large."""
    command = [str(ROOT / "tools" / "with-env.sh"), "go", "run", "./internal/webpicture/thumbnail", "-width", str(THUMB[0]), "-height", str(THUMB[1])]
    try:
        raw = base64.b64decode(data)
        done = subprocess.run(command, cwd=ROOT, input=raw, capture_output=True, check=False, timeout=120)
        if done.returncode == 0 and done.stdout:
            small = "image/jpeg" if done.stdout.startswith(b"\xff\xd8") else "image/png"
            return f"data:{small};base64,{base64.b64encode(done.stdout).decode()}"
    except (OSError, ValueError, subprocess.TimeoutExpired):
        pass
    return f"data:{kind};base64,{data}" if len(data) <= LARGEST_THUMB else ""


# A row of a table with two cells: a name and a value.
ROW = re.compile(r"(?s)<tr[^>]*>\s*<t[dh][^>]*>\s*(\w+)\s*</t[dh]>\s*<td[^>]*>(.*?)</td>\s*</tr>")


def weights_of(notebook):
    """A notebook's description of its weights: the rows "weights", "kind" and "from" of a
    table (pkg/notebook's About), or lines of output that begin with "Weights:"."""
    found = []
    for cell in notebook.cells:
        for out in cell.get("outputs", []):
            data = out.get("data", {})
            rows = {name: execute.plain(value) for name, value in ROW.findall(data.get("text/html", ""))}
            if "weights" in rows:
                found.append(", ".join(rows[name] for name in ("weights", "kind", "from") if name in rows))
            text = out.get("text", "") or data.get("text/markdown", "")
            found += [line.strip(" *`") for line in re.findall(r"(?m)^\W*Weights\W*:\W*\s*(.+)$", text)]
    return list(dict.fromkeys(found))


def stylesheet():
    return (HERE / "page.css").read_text(encoding="utf-8")


def wrap(title, body):
    """A whole page; raises an error if it would load anything."""
    page = PAGE.format(title=html.escape(title), css=stylesheet(), body=body)
    outside = outside_references(page)
    if outside:
        raise ValueError(f"the page '{title}' would load from elsewhere: {', '.join(outside[:5])}")
    return page


HEADINGS = ["h1", "h2", "h3"]


def cells_of(notebook, prefix="", paper=False):
    """A notebook's cells as HTML, and its headings as (level, text, id). The ids begin with the prefix.

    On paper nothing can be opened or closed."""
    exporter = HTMLExporter(template_name="report", filters=clean.FILTERS, preprocessors=[clean.describe_pictures],
                            extra_template_basedirs=[str(HERE / "export" / "templates")])
    exporter.exclude_input_prompt = exporter.exclude_output_prompt = True
    soup = BeautifulSoup(explorerframe.made_anew(exporter.from_notebook_node(notebook)[0]), features="html.parser")
    for link in soup.select("a.anchor-link"):
        link.decompose()
    for table in soup.find_all("table"):
        table.wrap(soup.new_tag("div", attrs={"class": "wide"}))
    if paper:
        for summary in soup.select("details.input_area > summary, .picture input"):
            summary.decompose()
        for frame in soup.select("iframe.gaze-explorer"):  # the still picture beside it stays
            frame.decompose()
        for code in soup.select("details.input_area"):
            code.name = "div"
            del code["open"]
    ids = {element["id"]: prefix + element["id"] for element in soup.find_all(id=True)}
    for element in soup.find_all(id=True):
        element["id"] = ids[element["id"]]
    for link in soup.find_all("a", href=re.compile("^#")):
        link["href"] = "#" + ids.get(link["href"][1:], link["href"][1:])
    headings = [(int(h.name[1]), h.get_text(" ", strip=True), h.get("id", "")) for h in soup.find_all(HEADINGS)]
    return str(soup), [h for h in headings if h[1] and h[2]]


def contents(headings, classes, levels=(2, 3), shown=True):
    """A table of contents; empty if there is next to nothing to list."""
    items = [f'<li class="in{level}"><a href="#{html.escape(place)}">{html.escape(text)}</a></li>' for level, text, place in headings if level in levels]
    if len(items) < 2:
        return ""
    return f'<details class="{classes}"{" open" if shown else ""}><summary>Contents</summary><ul>{"".join(items)}</ul></details>'


def failure_of(result):
    """A box that says why a notebook failed; empty if it passed."""
    if not result.failure:
        return ""
    return f'<div class="failed"><strong>This run failed.</strong><pre>{html.escape(str(result.failure))}</pre></div>'


def render(result):
    """The page of an executed notebook."""
    body, headings = cells_of(result.notebook)
    title = title_of(result.notebook, result.path.stem)
    # After the title, or first where a notebook has none.
    first, closing, rest = body.partition("</h1>")
    if not closing:
        first, rest = f"<h1>{html.escape(title)}</h1>", body
    top = ('<nav class="top"><a href="index.html">All notebooks</a><a href="all.html">All on one page, to print</a>'
           '<input type="checkbox" id="code" checked><label for="code">code</label></nav>')
    return wrap(title, f'{top}<main>{failure_of(result)}{first}{closing}{contents(headings, "toc side")}{rest}</main>')


def name_of(title):
    return title or "Gaze report"


def table_of(facts):
    rows = "".join(f'<tr><th scope="row">{html.escape(k)}</th><td>{html.escape(v)}</td></tr>' for k, v in facts)
    return f'<div class="wide"><table class="facts">{rows}</table></div>'


def count_of(results):
    failed = sum(1 for r in results if r.failure)
    return f"{len(results)} notebook{'s' * (len(results) != 1)}" + (f", {failed} failed" if failed else "")


def render_all(results, facts, title="", author="", when=""):
    """All notebooks on one page to print or to hand in: a cover, the contents, a chapter for each notebook."""
    chapters, headings = [], []
    for number, r in enumerate(results, 1):
        body, found = cells_of(r.notebook, f"c{number}-", paper=True) if r.shown else ("", [])
        if not any(level == 1 for level, _, _ in found):
            name = title_of(r.notebook, r.path.stem)
            body, found = f'<h1 id="c{number}">{html.escape(name)}</h1>{body}', [(1, name, f"c{number}"), *found]
        chapters.append(f'<section class="chapter">{failure_of(r)}{body}</section>')
        headings += [(level + 1, text, place) for level, text, place in found if level < 3]
    by = f'<p>{html.escape(author)}</p>' if author else ""
    cover = (f'<header class="cover"><h1>{html.escape(name_of(title))}</h1>{by}'
             f'<p class="when">{html.escape(" · ".join(filter(None, [when, count_of(results)])))}</p></header>')
    about = f'<section class="about"><h1 id="about">What it ran on</h1>{table_of(facts)}</section>' if facts else ""
    headings += [(2, "What it ran on", "about")] if facts else []
    listed = contents(headings, "toc").replace("<details", "<nav").replace("</details>", "</nav>").replace(" open>", ">")
    listed = listed.replace("<summary>Contents</summary>", "<h2>Contents</h2>")
    return wrap(name_of(title), f'<main class="all">{cover}{listed}{"".join(chapters)}{about}</main>')


def render_index(results, facts, title=""):
    """The index: a card for each notebook, and the system on which they ran."""
    cards = []
    for r in results:
        name = r.path.stem
        figure = first_figure(r.notebook)
        small = thumbnail(*figure) if figure else ""
        thumb = f'<div class="thumb"><img src="{small}" alt=""></div>' if small else ""
        state = "failed" if r.failure else "passed"
        weights = "".join(f"<p class=\"weights\">Weights: {html.escape(w)}</p>" for w in weights_of(r.notebook))
        cards.append(
            f'<a class="card {state}" href="{quote(name)}.html">{thumb}'
            f"<h2>{html.escape(title_of(r.notebook, name))}</h2><p>{html.escape(summary_of(r.notebook))}</p>{weights}"
            f'<p class="time">{state} · {len(r.seconds)} code cell{"s" * (len(r.seconds) != 1)} · {r.total:.1f} s</p></a>'
        )
    return wrap(name_of(title), (
        f'<nav class="top"><a href="all.html">All on one page, to print</a></nav>'
        f"<main class=\"index\"><h1>{html.escape(name_of(title))}</h1><p>What a Vision Transformer sees: {count_of(results)}, "
        f"{sum(r.total for r in results):.0f} s.</p><div class=\"cards\">{''.join(cards)}</div>"
        f"<h2>What it ran on</h2>{table_of(facts)}</main>"
    ))


def output_of(command, cwd):
    """A command's output, or empty if it can't be run."""
    try:
        done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False, timeout=60)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def facts_about(root):
    """The system on which the report ran, as (name, value) pairs; unknown values are omitted."""
    tool = str(root / "tools" / "with-env.sh")
    facts = []
    try:
        used = [c for c in json.loads(output_of([tool, "gaze", "devices", "--json"], root) or "[]") if c.get("used")]
    except ValueError:
        used = []
    for c in used:
        facts.append(("Backend", " ".join(filter(None, [c["name"], c.get("version", ""), "–", c["reason"]]))))
    facts.append(("Go", output_of([tool, "go", "env", "GOVERSION", "GOOS", "GOARCH"], root).replace("\n", " ")))
    modules = output_of([tool, "go", "list", "-m", "github.com/gomlx/gomlx", "github.com/gomlx/compute",
                         "github.com/gomlx/go-xla", "github.com/janpfeifer/gonb"], root)
    facts.append(("Modules", ", ".join(line.replace("github.com/", "") for line in modules.splitlines())))
    facts.append(("Gaze", output_of(["git", "describe", "--always", "--dirty"], root)))
    return [(k, v) for k, v in facts if v]
