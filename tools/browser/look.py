#!/usr/bin/env python3
"""Checks how an HTML page looks: on the screen, wide and narrow, light and dark, and in print.

    tools/with-env.sh python tools/browser/look.py [-o report/look] PAGE.html...

Opens each page in Chromium and lists what a reader would call broken: tags or Markdown
as text, headings that don't look like headings, things wider than the screen, code that is
cut off, pictures that are missing or distorted, tables without heads, numbers broken over
two lines, text of low contrast, places to jump to that aren't there, and anything
that the page loads from elsewhere. It prints each page as PDF and checks the bookmarks, the
width, and that no heading is left alone at the foot of a page. Screenshots and the PDF go to DIR.
Other scripts call check().
"""

import argparse
import re
import sys
import zlib
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

WIDTHS = (1280, 800)
SCHEMES = ("light", "dark")
# A4 with the margins of our style sheets, in CSS pixels.
PAPER = {"width": 672, "height": 980}
# A heading's distance from the foot of the page, in points, in which at least a line of text has room.
ALONE = 62.0

# Returns a list of [kind, text] for the page as it is shown now.
LOOK = r"""({paper}) => {
  const found = [], seen = new Set();
  const say = (kind, text) => {
    text = String(text).replace(/\s+/g, ' ').trim().slice(0, 120);
    if (!seen.has(kind + text)) { seen.add(kind + text); found.push([kind, text]); }
  };
  const shown = e => e.checkVisibility ? e.checkVisibility({visibilityProperty: true, opacityProperty: true}) : e.offsetParent !== null;
  const name = e => e.tagName.toLowerCase() + (e.id ? '#' + e.id : '') + (e.classList.length ? '.' + [...e.classList].join('.') : '')
    + ' "' + (e.textContent || '').trim().slice(0, 40) + '"';
  const width = document.documentElement.clientWidth;

  // Text that should have been markup.
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const texts = [];
  for (let n; (n = walker.nextNode());) {
    const e = n.parentElement;
    if (!n.data.trim() || e.closest('script,style,noscript,template,title') || !shown(e)) continue;
    texts.push([n, e]);
    if (e.closest('pre,code,kbd,samp')) continue;
    if (/<\/?(h[1-6]|p|div|span|table|thead|tbody|tr|t[hd]|img|br|ul|ol|li|a|em|strong|b|i|code|pre)\b[^<>]*>/i.test(n.data)) say('literal tag', n.data);
    if (/&(lt|gt|amp|quot|nbsp|#\d+);/.test(n.data)) say('literal entity', n.data);
    if (/^\s*#{1,6}\s+\S/.test(n.data) && !n.previousSibling) say('literal Markdown heading', n.data);
    if (/\*\*[^\s*][^*]*\*\*|\]\((https?:|#|\.\.?\/)[^)]*\)|^\s*\|?\s*:?-{3,}:?\s*\||`[^`]+`/m.test(n.data)) say('literal Markdown', n.data);
  }

  // Headings.
  const headings = [...document.querySelectorAll('h1,h2,h3,h4,h5,h6')].filter(shown);
  const size = e => parseFloat(getComputedStyle(e).fontSize);
  if (!headings.length) say('no headings', document.title);
  if (!document.querySelector('h1')) say('no h1', document.title);
  for (const h of headings) {
    if (!h.textContent.trim()) say('empty heading', name(h));
    if (parseInt(getComputedStyle(h).fontWeight) < 500 && size(h) < 1.2 * size(document.body)) say('heading looks like text', name(h));
  }
  for (let i = 1; i < headings.length; i++) {
    if (headings[i].tagName[1] - headings[i - 1].tagName[1] > 1) say('heading skips a level', name(headings[i]));
  }
  for (const a of document.querySelectorAll('a[href^="#"]')) {
    const id = decodeURIComponent(a.getAttribute('href').slice(1));
    if (id && !document.getElementById(id) && !document.getElementById(a.getAttribute('href').slice(1))) say('link to nowhere', a.getAttribute('href'));
  }

  // Width. What scrolls by itself may be wider, but not on paper.
  if (document.documentElement.scrollWidth > width + 1) say('page is too wide', document.documentElement.scrollWidth + ' of ' + width);
  const scrolls = e => {
    for (; e && e !== document.body; e = e.parentElement) {
      if (['auto', 'scroll', 'hidden', 'clip'].includes(getComputedStyle(e).overflowX)) return true;
    }
    return false;
  };
  for (const e of document.querySelectorAll('body *')) {
    if (!shown(e)) continue;
    const box = e.getBoundingClientRect();
    if (box.width && box.right > width + 1 && !scrolls(e.parentElement)) say('beyond the edge', name(e));
    const style = getComputedStyle(e);
    if (e.clientWidth > 24 && e.scrollWidth > e.clientWidth + 1 && e.textContent.trim() && style.position !== 'absolute') {
      if (paper && ['auto', 'scroll', 'hidden', 'clip'].includes(style.overflowX)) say('cut off', name(e));
      else if (['hidden', 'clip'].includes(style.overflowX)) say('cut off', name(e));
    }
  }

  // Pictures.
  for (const img of document.images) {
    if (!shown(img)) continue;
    const box = img.getBoundingClientRect();
    if (!img.complete || !img.naturalWidth) { say('picture is missing', img.outerHTML); continue; }
    if (!box.width || !box.height) { say('picture has no size', img.outerHTML); continue; }
    const style = getComputedStyle(img);
    const inside = img.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight);
    const tall = img.clientHeight - parseFloat(style.paddingTop) - parseFloat(style.paddingBottom);
    const ratio = inside / tall / (img.naturalWidth / img.naturalHeight);
    if (style.objectFit !== 'contain' && style.objectFit !== 'cover' && (ratio < 0.97 || ratio > 1.03)) say('picture is distorted', inside + 'x' + tall + ' of ' + img.naturalWidth + 'x' + img.naturalHeight);
    if (inside > img.naturalWidth + 1 && !/svg/.test(img.src.slice(0, 24))) say('picture is blurred', Math.round(inside) + ' of ' + img.naturalWidth + ' pixels');
    if (paper && box.height > paper.height) say('picture is taller than a page', Math.round(box.height) + ' pixels');
    if (!img.hasAttribute('alt') || /No description has been provided/.test(img.alt)) say('picture without a description', img.naturalWidth + 'x' + img.naturalHeight);
  }

  // Tables.
  for (const table of document.querySelectorAll('table')) {
    if (!shown(table)) continue;
    const heads = [...table.querySelectorAll('thead th, thead td')];
    if (heads.length && !heads.some(h => h.textContent.trim())) say('table has an empty head', name(table));
    if (!table.querySelector('th')) say('table without heads', name(table));
    for (const cell of table.querySelectorAll('th,td')) {
      const text = cell.textContent.trim();
      if (!text || text.length > 24 || !/^[-–−+±\d.,%×:()\[\]\s]*(to\s[-–−+\d.,%\s()\]]*|…)?$/.test(text) || cell.querySelector('br')) continue;
      const range = document.createRange();
      range.selectNodeContents(cell);
      const tops = new Set([...range.getClientRects()].map(r => Math.round(r.bottom / 8)));
      if (tops.size > 1) say('number is broken over lines', text);
    }
  }

  // Contrast, as WCAG 2 computes it.
  const colour = text => (text.match(/[\d.]+/g) || [0, 0, 0, 0]).map(Number);
  const over = (top, under) => {
    const a = top.length > 3 ? top[3] : 1;
    return [0, 1, 2].map(i => top[i] * a + under[i] * (1 - a));
  };
  const dark = matchMedia('(prefers-color-scheme: dark)').matches && /dark/.test(getComputedStyle(document.documentElement).colorScheme);
  const ground = e => {
    const layers = [];
    for (; e; e = e.parentElement) layers.unshift(colour(getComputedStyle(e).backgroundColor));
    return layers.reduce((under, top) => over(top, under), dark ? [18, 18, 18] : [255, 255, 255]);
  };
  const light = c => {
    const [r, g, b] = c.map(v => (v /= 255) <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  for (const [n, e] of paper ? [] : texts) {
    const style = getComputedStyle(e), back = ground(e);
    if (e.closest('[disabled],[aria-hidden="true"]')) continue;
    const a = light(over(colour(style.color), back)), b = light(back);
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    const large = size(e) >= 24 || size(e) >= 18.6 && parseInt(style.fontWeight) >= 700;
    if (ratio < (large ? 3 : 4.5) - 0.05) say('low contrast', ratio.toFixed(1) + ' ' + name(e));
  }
  return found;
}"""


def problems_of(page, paper=None):
    """The faults of a page as it is shown now; paper is the size of a printed page's text, if it is shown as in print."""
    return [f"{kind}: {text}" for kind, text in page.evaluate(LOOK, {"paper": paper})]


def streams(data):
    """A PDF's text: its objects, and the streams that can be unpacked."""
    parts = [re.sub(rb"(?s)stream\r?\n.*?endstream", b"", data)]
    for found in re.finditer(rb"(?s)stream\r?\n(.*?)endstream", data):
        try:
            unpacked = zlib.decompress(found.group(1))
        except zlib.error:
            continue
        if b"/Type" in unpacked[:4096]:
            parts.append(unpacked)
    return b"\n".join(parts)


def outline(data):
    """The bookmarks of a PDF as (title, page's number from 1, height above its foot in points)."""
    text = streams(data)
    objects = dict(re.findall(rb"(?s)(?:^|\n)(\d+) 0 obj\s*(.*?)endobj", text))
    pages = []

    def walk(number):
        body = objects.get(number, b"")
        if b"/Kids" in body:
            for kid in re.findall(rb"(\d+) 0 R", re.search(rb"(?s)/Kids\s*\[(.*?)\]", body).group(1)):
                walk(kid)
        elif b"/Type /Page" in body:
            pages.append(number)

    root = re.search(rb"/Pages (\d+) 0 R", text)
    if root:
        walk(root.group(1))
    order = {number: i for i, number in enumerate(pages, 1)}
    found = []
    for number, body in objects.items():
        title, place = re.search(rb"(?s)/Title\s*(\((?:\\.|[^\\)])*\)|<[0-9A-Fa-f\s]*>)", body), re.search(
            rb"/Dest\s*\[\s*(\d+) 0 R\s*/XYZ\s+[-\d.]+\s+([-\d.]+)", body)
        if title and place and b"/Parent" in body:
            found.append((text_of(title.group(1)), order.get(place.group(1), 0), float(place.group(2)), int(number)))
    return [entry[:3] for entry in sorted(found, key=lambda e: (e[1], -e[2], e[3]))], len(pages)


def text_of(string):
    """A PDF string as text."""
    if string.startswith(b"<"):
        raw = bytes.fromhex(re.sub(rb"\s", b"", string[1:-1]).decode())
    else:
        raw = re.sub(rb"\\(\d{3}|.)", lambda m: bytes([int(m[1], 8)]) if len(m[1]) == 3 else m[1], string[1:-1])
    return raw.decode("utf-16") if raw[:2] in (b"\xfe\xff", b"\xff\xfe") else raw.decode("latin-1")


def print_problems(data, headings, foot=56.7):
    """The faults of a printed page: its bookmarks against the page's headings, and headings alone at a page's foot."""
    marks, pages = outline(data)
    found = []
    if not pages:
        return ["print: the PDF has no pages"]
    if len(marks) < headings:
        found.append(f"print: {len(marks)} bookmarks for {headings} headings")
    for title, number, height in marks:
        if height < foot + ALONE:
            found.append(f"print: heading alone at the foot of page {number}: {title}")
    return found


def check(browser, path, out=None, widths=WIDTHS, schemes=SCHEMES, pdf=True):
    """Lists a page's faults. browser is Playwright's; screenshots and the PDF go to the folder out."""
    path = Path(path).resolve()
    found = {}

    def note(where, faults):
        for fault in faults:
            found.setdefault(fault, []).append(where)

    for scheme in schemes:
        context = browser.new_context(color_scheme=scheme, viewport={"width": widths[0], "height": 900})
        page = context.new_page()
        loaded = []
        page.on("request", lambda r, loaded=loaded: loaded.append(r.url))
        page.on("pageerror", lambda e: note("script", [f"error: {e}"]))
        page.goto(path.as_uri())
        page.wait_for_load_state("load")
        note(scheme, [f"loads from elsewhere: {url[:100]}" for url in loaded
                      if not url.startswith(("data:", "blob:")) and url.split("#")[0] != path.as_uri()])
        for width in widths:
            page.set_viewport_size({"width": width, "height": 900})
            page.wait_for_timeout(100)
            note(f"{width} {scheme}", problems_of(page))
            if out:
                out.mkdir(parents=True, exist_ok=True)
                page.screenshot(path=out / f"{path.stem}-{width}-{scheme}.png", full_page=True)
        if pdf and scheme == schemes[0]:
            page.emulate_media(media="print", color_scheme="light")
            page.set_viewport_size(PAPER)
            note("print", problems_of(page, PAPER))
            headings = page.evaluate("() => [...document.querySelectorAll('h1,h2,h3,h4,h5,h6')].filter(h => h.getClientRects().length).length")
            data = page.pdf(outline=True, tagged=True, prefer_css_page_size=True, print_background=True)
            note("print", print_problems(data, headings))
            if out:
                (out / f"{path.stem}.pdf").write_bytes(data)
        context.close()
    return [f"{fault} ({', '.join(dict.fromkeys(where))})" for fault, where in found.items()]


def main(argv=None):
    from playwright.sync_api import sync_playwright

    import lab

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("pages", nargs="+", type=Path, metavar="PAGE")
    parser.add_argument("-o", "--output", type=Path, default=lab.ROOT / "report" / "look", metavar="DIR")
    args = parser.parse_args(argv)
    for path in args.pages:
        if not path.is_file():
            parser.error(f"{path}: there is no such file")
    bad = 0
    with sync_playwright() as p:
        browser = p.chromium.launch(executable_path=lab.find_browser(), args=lab.FLAGS)
        for path in args.pages:
            faults = check(browser, path, args.output)
            print(f"{path}: {len(faults)} faults" if faults else f"{path}: looks right")
            for fault in faults:
                print(f"  {fault}")
            bad += bool(faults)
        browser.close()
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
