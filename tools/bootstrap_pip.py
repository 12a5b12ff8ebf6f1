#!/usr/bin/env python3
"""Installs pip in a virtual environment if Python has no ensurepip (as on Debian without
python3-venv): tools/bootstrap_pip.py FOLDER-OF-THE-ENVIRONMENT

Downloads pip's wheel from the package index (PIP_INDEX_URL, or pip's default), compares
its checksum with the one below, and runs it to install itself. It only needs Python.
"""

import hashlib
import html.parser
import os
import subprocess
import sys
import tempfile
import urllib.parse
import urllib.request

WHEEL = "pip-26.0-py3-none-any.whl"
SHA256 = "98436feffb9e31bc9339cf369fd55d3331b1580b6a6f1173bacacddcf9c34754"


class Links(html.parser.HTMLParser):
    """The links of an index page, by file name."""

    def __init__(self):
        super().__init__()
        self.found = {}

    def handle_starttag(self, tag, attrs):
        address = dict(attrs).get("href")
        if tag == "a" and address:
            name = urllib.parse.unquote(urllib.parse.urlsplit(address).path.rsplit("/", 1)[-1])
            self.found[name] = address


def fetch(address):
    with urllib.request.urlopen(address, timeout=60) as answer:
        return answer.read(), answer.geturl()


def main(environment):
    index = os.environ.get("PIP_INDEX_URL", "https://pypi.org/simple").rstrip("/") + "/pip/"
    page, index = fetch(index)
    links = Links()
    links.feed(page.decode("utf-8", "replace"))
    if WHEEL not in links.found:
        sys.exit(f"the package index has no {WHEEL}")
    wheel, _ = fetch(urllib.parse.urljoin(index, links.found[WHEEL]))
    if hashlib.sha256(wheel).hexdigest() != SHA256:
        sys.exit(f"{WHEEL} came with a wrong checksum")
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, WHEEL)
        with open(path, "wb") as f:
            f.write(wheel)
        # A wheel is a zip file, and Python runs packages out of those.
        command = [os.path.join(environment, "bin", "python"), os.path.join(path, "pip")]
        subprocess.run(command + ["install", "--quiet", "--no-index", "--no-deps", path], check=True)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__.splitlines()[1].strip())
    try:
        main(sys.argv[1])
    except (OSError, subprocess.CalledProcessError) as e:
        sys.exit(f"pip can't be fetched: {e}")
