"""Times a notebook in JupyterLab in a real Chromium. cells.py starts it with the clone's own
Python, which has JupyterLab and playwright:

    .venv/bin/python bench/browser.py FOLDER

FOLDER has the notebooks, and the kernelspecs in FOLDER/jupyter. Each line on standard input
is a task in JSON; each gets a line with {"seconds": …} or {"error": …}.
"""
import json
import os
import pathlib
import sys
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "tools" / "browser"))

try:
    import lab  # noqa: E402
    from playwright.sync_api import sync_playwright  # noqa: E402
except ImportError as e:
    print(json.dumps({"error": f"skipped: {e}; 'make test-browser' installs playwright"}), flush=True)
    sys.exit(0)

LIMIT = 120_000

# Notes when the first cell shows its text, in milliseconds since the navigation began.
FIRST_CELL = """() => {
  const look = () => {
    const cell = document.querySelector('.jp-Notebook .jp-Cell :is(.jp-RenderedMarkdown, .cm-content)');
    if (cell?.textContent.trim()) window.benchOpened = performance.now();
    else requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
}"""

# Changes the second code cell, and prepares to note the time from Ctrl+Enter until its new
# picture is decoded and about to be painted.
EDIT = """source => {
  const notebook = window.jupyterapp.shell.currentWidget.content;
  const index = notebook.widgets.findLastIndex(w => w.model.type === 'code');
  notebook.activeCellIndex = index;
  const cell = notebook.widgets[index];
  cell.model.sharedModel.setSource(source);
  cell.editor.focus();
  const old = [...cell.node.querySelectorAll('.jp-OutputArea img')];
  const bench = window.bench = {seconds: null};
  document.addEventListener('keydown', e => {
    if (e.key === 'Enter' && e.ctrlKey) bench.start ??= performance.now();
  }, {capture: true, once: false});
  const watch = new MutationObserver(() => {
    const img = [...cell.node.querySelectorAll('.jp-OutputArea img')].find(i => !old.includes(i) && i.src);
    if (!img || !bench.start) return;
    watch.disconnect();
    img.decode().then(() => requestAnimationFrame(() => { bench.seconds = (performance.now() - bench.start) / 1000; }));
  });
  watch.observe(cell.node, {childList: true, subtree: true, attributes: true, attributeFilter: ['src']});
}"""
IDLE = "() => window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.status === 'idle'"
FAILED = "() => window.jupyterapp.shell.currentWidget.content.widgets.map(w => w.node.querySelector('[data-mime-type=\"application/vnd.jupyter.error\"],[data-mime-type=\"application/vnd.jupyter.stderr\"]')?.innerText).find(t => t) || ''"


class Browser:
    def __init__(self, chromium, server):
        self.address, self.token = server
        self.context = chromium.new_context(viewport={"width": 1280, "height": 900})
        self.pages = {}

    def page(self, notebook):
        page = self.context.new_page()
        page.add_init_script(f"({FIRST_CELL})()")
        page.goto(f"{self.address}/lab/tree/{notebook}?token={self.token}&reset")
        page.wait_for_function("() => window.benchOpened", timeout=LIMIT)
        return page

    def open(self, notebook):
        """Seconds from entering the address of a notebook to its first cell's text."""
        page = self.page(notebook)
        seconds = page.evaluate("() => window.benchOpened") / 1000
        page.wait_for_function(lab.READY, timeout=LIMIT)
        page.close()
        self.end_kernels(notebook)
        return seconds

    def end_kernels(self, notebook):
        def ask(path, **more):
            request = urllib.request.Request(f"{self.address}/api/{path}", headers={"Authorization": f"token {self.token}"}, **more)
            with urllib.request.urlopen(request, timeout=30) as answer:
                return answer.read()

        for session in json.loads(ask("sessions")):
            if session["path"] == notebook:
                ask("sessions/" + session["id"], method="DELETE")

    def click(self, notebook, source):
        """Seconds from Ctrl+Enter in a notebook's last cell to its new picture."""
        if notebook not in self.pages:
            page = self.page(notebook)
            page.wait_for_function(lab.READY, timeout=LIMIT)
            page.wait_for_function(IDLE, timeout=LIMIT)
            page.wait_for_timeout(500)
            lab.Book(page).finish(0, LIMIT / 1000)
            self.pages[notebook] = page
        page = self.pages[notebook]
        page.bring_to_front()
        page.wait_for_function(IDLE, timeout=LIMIT)
        page.evaluate(EDIT, source)
        page.wait_for_timeout(300)
        page.keyboard.press("Control+Enter")
        try:
            page.wait_for_function("() => window.bench.seconds", timeout=LIMIT)
        except Exception as e:
            raise RuntimeError(f"no picture: {page.evaluate(FAILED)[:300]} {e}") from e
        return page.evaluate("() => window.bench.seconds")


def main():
    folder = pathlib.Path(sys.argv[1])
    os.environ["JUPYTER_PATH"] = str(folder / "jupyter")
    try:
        executable = lab.find_browser()
    except lab.Failed as e:
        print(json.dumps({"error": f"skipped: {e}"}), flush=True)
        return
    with open(folder / "jupyterlab.log", "w") as log, lab.jupyterlab(log, folder / "notebooks") as server, sync_playwright() as p:
        browser = Browser(p.chromium.launch(executable_path=executable, args=lab.FLAGS), server)
        print(json.dumps({}), flush=True)
        for line in sys.stdin:
            task = json.loads(line)
            try:
                answer = {"seconds": getattr(browser, task.pop("do"))(**task)}
            except Exception as e:  # playwright raises many kinds
                answer = {"error": str(e)[:500]}
            print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
