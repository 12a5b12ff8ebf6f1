"""The explorer of maps over photographs (pkg/explain/explorer), the only scripts that pages and exports have.

A notebook's output has it as a frame with a whole document. Of that, an export takes only the
data; the document around it is made anew from this clone's files, as Go makes it. So
no other script gets into a page, whatever a notebook has in its outputs.
"""

import html
import json
import re
import secrets
from pathlib import Path

PARTS = Path(__file__).resolve().parent.parent.parent.parent / "pkg" / "explain" / "explorer"
SCRIPTS = ["data.js", "view.js", "controls.js", "live.js"]
VERSION = 1

FRAME = re.compile(r'<iframe class="gaze-explorer"[^<>]*?\ssrcdoc="([^"]*)"[^<>]*></iframe>')
DATA = re.compile(r'(?s)<script type="application/json" id="data">(.*?)</script>')
PHOTO = re.compile(r"data:image/(jpeg|png);base64,[A-Za-z0-9+/=]*")
# What a cell's program has told the page; an export can't ask it.
ANSWER = re.compile(r'<div class="gaze-explorer-answer"[^<>]*></div>')
LOST = "<p>This explorer was made by another version of Gaze: run the cell again.</p>"


def document(data):
    """The document of the explorer with this data."""
    def part(name):
        return (PARTS / name).read_text(encoding="utf-8")

    text = json.dumps(data, ensure_ascii=True).replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
    parts = {"title": html.escape(data["title"]), "style": part("explorer.css"), "data": text, "script": "".join(map(part, SCRIPTS))}
    return re.sub(r"\{\{(title|style|data|script)\}\}", lambda m: parts[m[1]], part("explorer.html"))


def frame(match):
    """A frame with only the data of the one that was found."""
    found = DATA.search(html.unescape(match[1]))
    try:
        data = json.loads(found[1])
        good = data["version"] == VERSION and isinstance(data["title"], str) and all(PHOTO.fullmatch(p["photo"]) for p in data["pictures"])
    except (TypeError, ValueError, KeyError):
        good = False
    if not good:
        return LOST
    data.pop("live", None)
    return (f'<iframe class="gaze-explorer" title="{html.escape(data["title"])}" style="width: 100%; height: 720px; border: 0; display: block" '
            f'srcdoc="{html.escape(document(data))}"></iframe>')


def made_anew(text):
    """HTML with every explorer in it made anew."""
    return FRAME.sub(frame, ANSWER.sub("", text))


def put_aside(text):
    """HTML in which marks stand for the explorers, and the explorers by their marks: for a sanitizer that would remove them."""
    aside = {}

    def mark(match):
        name = f"gaze-explorer-{secrets.token_hex(16)}"
        aside[name] = frame(match)
        return name

    return FRAME.sub(mark, ANSWER.sub("", text)), aside


def put_back(text, aside):
    for name, framed in aside.items():
        text = text.replace(name, framed)
    return text
