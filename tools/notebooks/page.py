"""Converts an executed notebook to one self-contained HTML page."""

import html
import json
import re
import subprocess
from html.parser import HTMLParser
from pathlib import Path

from nbconvert import HTMLExporter
from pygments.formatters import HtmlFormatter

import execute

HERE = Path(__file__).resolve().parent

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
    """The first displayed picture as a data: URL; empty if there is none."""
    for cell in notebook.cells:
        for out in cell.get("outputs", []):
            data = out.get("data", {})
            if "image/png" in data:
                return "data:image/png;base64," + data["image/png"].replace("\n", "")
            found = re.search(r"""<img[^>]+src=["'](data:image/[^"']+)["']""", data.get("text/html", ""))
            if found:
                return found.group(1)
    return ""


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
    code = HtmlFormatter(style="friendly").get_style_defs(".highlight")
    return code + "\n" + (HERE / "page.css").read_text(encoding="utf-8")


def wrap(title, body):
    """A whole page; raises an error if it would load anything."""
    page = PAGE.format(title=html.escape(title), css=stylesheet(), body=body)
    outside = outside_references(page)
    if outside:
        raise ValueError(f"the page '{title}' would load from elsewhere: {', '.join(outside[:5])}")
    return page


def render(result):
    """The page of an executed notebook."""
    exporter = HTMLExporter(template_name="basic")
    exporter.exclude_input_prompt = exporter.exclude_output_prompt = True
    body, _ = exporter.from_notebook_node(result.notebook)
    name = result.path.stem
    failed = ""
    if result.failure:
        failed = f'<div class="failed"><strong>This run failed.</strong><pre>{html.escape(str(result.failure))}</pre></div>'
    top = '<nav><a href="index.html">All notebooks</a></nav><input type="checkbox" id="code" checked><label for="code">code</label>'
    return wrap(title_of(result.notebook, name), f"{top}<main>{failed}{body}</main>")


def render_index(results, facts):
    """The index: a card for each notebook, and the system on which they ran."""
    cards = []
    for r in results:
        name = r.path.stem
        figure = first_figure(r.notebook)
        thumb = f'<div class="thumb"><img src="{figure}" alt=""></div>' if figure else ""
        state = "failed" if r.failure else "passed"
        weights = "".join(f"<p class=\"weights\">Weights: {html.escape(w)}</p>" for w in weights_of(r.notebook))
        cards.append(
            f'<a class="card {state}" href="{html.escape(name)}.html">{thumb}'
            f"<h2>{html.escape(title_of(r.notebook, name))}</h2><p>{html.escape(summary_of(r.notebook))}</p>{weights}"
            f'<p class="time">{state} · {len(r.seconds)} code cell{"s" * (len(r.seconds) != 1)} · {r.total:.1f} s</p></a>'
        )
    rows = "".join(f"<tr><th>{html.escape(k)}</th><td>{html.escape(v)}</td></tr>" for k, v in facts)
    failed = sum(1 for r in results if r.failure)
    count = f"{len(results)} notebook{'s' * (len(results) != 1)}" + (f", {failed} failed" if failed else "")
    return wrap("Gaze report", (
        f"<main class=\"index\"><h1>Gaze report</h1><p>What a Vision Transformer sees: {count}, "
        f"{sum(r.total for r in results):.0f} s.</p><div class=\"cards\">{''.join(cards)}</div>"
        f"<h2>What it ran on</h2><table class=\"facts\">{rows}</table></main>"
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
