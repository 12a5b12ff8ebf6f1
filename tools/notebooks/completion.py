"""Compares completion by Gaze's kernel with GoNB's own: tools/with-env.sh python tools/notebooks/completion.py

The cells are those of internal/completion/testdata/complete.json. For each the time until the
first answer and until the second is printed, and whether what is wanted is among the matches.
Both kernels run in turn: first each is asked right after its start, then for each cell. GoNB
needs gopls on the PATH; bin/lab is put there.
"""

import json
import os
import statistics
import sys
import time
from pathlib import Path
from queue import Empty

import execute  # sets Jupyter's folders
from jupyter_client import KernelManager
from jupyter_client.kernelspec import KernelSpec

ROOT = Path(__file__).resolve().parents[2]
CASES = ROOT / "internal" / "completion" / "testdata" / "complete.json"
PATIENCE = 120  # seconds for an answer
CELL_PATIENCE = 900  # seconds for a cell; the first one of a clone may compile all packages
SOON = 0.3  # seconds within which an answer is wanted


class Kernel:
    """A kernel by the program in front of GoNB; GoNB alone if there is none at the path."""

    def __init__(self, name, program):
        self.name, self.times, self.right = name, [], []
        self.manager = KernelManager()
        self.manager._kernel_spec = KernelSpec(
            argv=[str(ROOT / "tools" / "kernel.sh"), "{connection_file}", str(program)],
            language="go", display_name=name, interrupt_mode="message")
        self.manager.start_kernel(cwd=str(ROOT / "notebooks"), stdout=sys.stderr)
        self.client = self.manager.client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=PATIENCE)

    def reply(self, kind, patience=PATIENCE):
        """Returns the content of the next reply of a kind."""
        while True:
            message = self.client.get_shell_msg(timeout=patience)
            if message["msg_type"] == kind:
                return message["content"]

    def press(self, code, want):
        """Completes at | and returns the seconds, and whether a match is what is wanted."""
        cursor = code.index("|")
        begin = time.monotonic()
        self.client.complete(code[:cursor] + code[cursor + 1:], cursor)
        try:
            found = self.reply("complete_reply").get("matches") or []
        except Empty:
            found = []
        return time.monotonic() - begin, want in found

    def run(self, code):
        self.client.execute(code)
        content = self.reply("execute_reply", CELL_PATIENCE)
        if content["status"] != "ok":
            sys.exit(f"{self.name}: a cell failed: {content.get('evalue')}\n{code}")

    def stop(self):
        self.client.stop_channels()
        self.manager.shutdown_kernel()


def show(name, answers):
    cells = [f"{seconds:8.3f} s {'right' if right else 'wrong'}" for seconds, right in answers]
    print(f"{name:<40}" + "".join(f"{cell:>18}" for cell in cells), flush=True)


def summary(kernel, press):
    times = [seconds for seconds, _ in kernel.times[press::2]]
    right = sum(right for _, right in kernel.times[press::2])
    print(f"{kernel.name:<8} press {press + 1}: {right} of {len(times)} right, median {statistics.median(times):.3f} s, "
          f"longest {max(times):.3f} s, {sum(t > SOON for t in times)} over {SOON} s")


def main():
    os.environ["PATH"] = f"{ROOT / 'bin' / 'lab'}{os.pathsep}{os.environ['PATH']}"
    program = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "bin" / "gaze-kernel"
    if not program.exists():
        sys.exit(f"{program} isn't there: run make setup")
    cases = json.loads(CASES.read_text(encoding="utf-8"))
    first = cases["cases"][0]
    kernels = []
    try:
        print(f"{'':<40}{'Gaze, press 1':>18}{'press 2':>18}{'GoNB, press 1':>18}{'press 2':>18}")
        row = []
        for name, path in [("Gaze", program), ("GoNB", ROOT / "none")]:
            kernels.append(Kernel(name, path))
            row += [kernels[-1].press(first["code"], first["want"]) for _ in range(2)]
        show("right after the kernel's start", row)
        for code in cases["earlier"]:
            for kernel in kernels:
                kernel.run(code)
        for case in cases["cases"]:
            row = []
            for kernel in kernels:
                answers = [kernel.press(case["code"], case["want"]) for _ in range(2)]
                kernel.times += answers
                row += answers
            show(case["name"], row)
        for kernel in kernels:
            summary(kernel, 0)
            summary(kernel, 1)
    finally:
        for kernel in kernels:
            kernel.stop()


if __name__ == "__main__":
    main()
