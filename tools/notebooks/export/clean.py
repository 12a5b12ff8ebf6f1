"""Sanitizes the HTML of an export: what can run is removed, what can be read stays.

nbconvert's own filter allows few tags. Headings, paragraphs and heads of tables aren't
among them, so that JupyterLab's default, "Sanitize", turns them into literal tags. This one
allows what Markdown and tables consist of, pictures that are in the page itself, the
styles that can't load anything, and the explorer of maps (explorerframe.py).
"""

import html
import re

import bleach
from bleach.css_sanitizer import ALLOWED_CSS_PROPERTIES, CSSSanitizer

import explorerframe

TAGS = frozenset(
    "a abbr acronym b blockquote br caption center cite code col colgroup dd del details dfn div dl dt em figcaption "
    "figure h1 h2 h3 h4 h5 h6 hr i img ins kbd li mark ol p pre q s samp section small span strike strong sub summary "
    "sup table tbody td tfoot th thead time tr tt u ul var wbr".split())
ATTRIBUTES = {
    "a": ["href", "title"], "abbr": ["title"], "acronym": ["title"], "col": ["span"], "colgroup": ["span"],
    "details": ["open"], "img": ["src", "alt", "title", "width", "height"], "ol": ["start", "reversed"],
    "td": ["colspan", "rowspan", "align", "valign"], "th": ["colspan", "rowspan", "align", "valign", "scope"],
    "tr": ["align", "valign"], "table": ["align"], "time": ["datetime"],
}
EVERYWHERE = {"class", "id", "style", "lang", "dir"}
# A few properties that bleach doesn't know, none of which takes an address.
STYLES = CSSSanitizer(allowed_css_properties=[
    *ALLOWED_CSS_PROPERTIES, "border-radius", "border-top", "border-right", "border-bottom", "border-left", "caption-side",
    "font-variant-numeric", "margin", "margin-top", "margin-right", "margin-bottom", "margin-left", "max-width", "opacity",
    "padding", "padding-top", "padding-right", "padding-bottom", "padding-left", "text-transform", "word-break"])

# Addresses: a link leads to a page, mail, or a place in this page; a picture is in the page itself.
LINK = re.compile(r"(?i)(https?:|mailto:|[^:/?#]*([/?#]|$))")
PICTURE = re.compile(r"(?i)data:image/(png|jpeg|gif|webp);base64,[a-z0-9+/=\s]*$|[^:/?#]*([/?#]|$)|https?:")
# Their content would be left as text.
SILENT = re.compile(r"(?is)<(script|style|noscript|template|iframe|object)\b.*?</\1\s*>|<!--.*?-->")


def allowed(tag, name, value):
    """Whether an element may have an attribute with this value."""
    if name in EVERYWHERE:
        return True
    if name not in ATTRIBUTES.get(tag, []):
        return False
    # Characters that browsers skip in addresses, and character references, could hide a scheme.
    value = re.sub(r"[\x00-\x20\x7f-\xa0\xad\u200b-\u200f\ufeff]+", "", html.unescape(value))
    if name == "href":
        return bool(LINK.match(value))
    if name == "src":
        return bool(PICTURE.match(value))
    return True


def clean_html(element):
    """Sanitizes a piece of HTML; a replacement for nbconvert's filter of this name."""
    text, aside = explorerframe.put_aside(element.decode() if isinstance(element, bytes) else str(element))
    cleaned = bleach.clean(SILENT.sub("", text), tags=TAGS, attributes=allowed, css_sanitizer=STYLES, strip=True,
                           protocols={"http", "https", "mailto", "data"})
    return explorerframe.put_back(cleaned, aside)


def needs_mathjax(notebook):
    """Whether a notebook has a TeX formula, for which its page loads MathJax."""
    found = re.compile(r"\$\$|\\\(|\\\[|\\begin\{|(?<![\\\w$])\$[^\s$`][^$`\n]*\\?[^\s$`\\]\$(?![\w$])")
    for cell in notebook.cells:
        if cell.cell_type == "markdown" and found.search(cell.source):
            return True
        for out in cell.get("outputs", []):
            data = out.get("data", {})
            if "text/latex" in data or found.search(data.get("text/markdown", "")):
                return True
    return False


def needs_mermaid(notebook):
    """Whether a notebook has a Mermaid diagram, for which its page loads Mermaid."""
    for cell in notebook.cells:
        shown = [out.get("data", {}) for out in cell.get("outputs", [])]
        texts = [cell.source] if cell.cell_type == "markdown" else [data.get("text/markdown", "") for data in shown]
        if any("```mermaid" in text for text in texts) or any("text/vnd.mermaid" in data for data in shown):
            return True
    return False


def describe_pictures(notebook, resources):
    """Gives each picture a description for those who can't see it: the heading above it, and its number below that.

    This is a preprocessor; the template writes the descriptions.
    """
    heading, number = "", 0
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            found = re.findall(r"(?m)^#+\s+(.+?)\s*#*$", cell.source)
            if found:
                heading, number = re.sub(r"[*_`]", "", found[-1]), 0
        for out in cell.get("outputs", []):
            for kind in ["image/png", "image/jpeg", "image/svg+xml"]:
                if kind in out.get("data", {}):
                    number += 1
                    out.metadata.setdefault("gaze_alt", f"{heading}, figure {number}" if heading else f"Figure {number}")
                    break
    return notebook, resources


def described(markup, out):
    """A picture's markup with its description."""
    text = html.escape(out.get("metadata", {}).get("gaze_alt", ""))
    return re.sub(r"<img(?![^>]* alt=)", lambda _: f'<img alt="{text}"', markup)


FILTERS = {"clean_html": clean_html, "needs_mathjax": needs_mathjax, "needs_mermaid": needs_mermaid, "described": described}
