"""Shows where the time of an edited cell goes, with nothing else to do and on a busy machine:

    make bench STAGES=1

The kernel writes when each stage of a cell has ended (GAZE_TRACE). The table has the median
milliseconds of each stage, in the order in which they follow each other, and its share.
"""
import argparse
import json
import os
import pathlib
import statistics
import tempfile

from cells import CELLS, Cells, busy
from inputs import complete, write_photograph
from rows import vit

HERE = pathlib.Path(__file__).parent
FIRST, LAST, SHOWN = "received", "answered", "shown"
# What the stages are called in the table; others are called what the trace calls them.
WORDS = {
    "waited for the cells before": "kernel: waits for the cells before",
    "read by the kernel": "kernel: reads the cell, waits until GoNB is there",
    "GoNB called goimports": "GoNB: parses the cell, writes a program",
    "found the imports": "kernel: adds imports, removes unused ones",
    "GoNB called go get": "GoNB: parses the program again",
    "GoNB called go build": "GoNB: until it calls the build",
    "compiled": "build: Go's compiler",
    "listed what it needs": "build: what the cell needs of the host",
    "linked by Go's linker": "build: Go's linker",
    "linked by ld": "build: ld",
    "built": "build: files moved into place",
    "GoNB called the program": "GoNB: until it calls the program",
    "started": "program: started, or a waiting one told",
    "loaded": "program: loads the cell",
    "opened the checkpoint": "cell: opens the checkpoint",
    "computed": "cell: computes, or reads what was kept",
    "drew the picture": "cell: draws the picture",
    "encoded the picture": "cell: encodes the picture",
    SHOWN: "kernel: publishes the picture",
    "the cell's main returned": "cell: waits until the picture is out",
    "the program ended": "program: ends",
    "answered by GoNB": "GoNB: until it answers",
    LAST: "kernel: judges and answers",
}


def read(lines):
    """The cells of a trace: for each the milliseconds of its stages, in their order."""
    cells, last = [], None
    for line in lines:
        event = json.loads(line)
        if event["stage"] == FIRST:
            cells.append({})
        elif cells and last is not None and LAST not in cells[-1]:
            stages = cells[-1]
            stages[event["stage"]] = stages.get(event["stage"], 0) + (event["time"] - last) / 1e6
        last = event["time"]
    return [c for c in cells if LAST in c]


def measure(name, rounds, load):
    """The stages of edited cells in one kernel, and the seconds that the client saw."""
    cache = HERE / ".cache"
    cache.mkdir(exist_ok=True)
    task = complete({"kind": "cell", "model": vit("S")}, cache)
    photograph = complete({"kind": "pipeline", "count": 1}, cache)["pictures"][0]
    with tempfile.TemporaryDirectory() as folder:
        trace = pathlib.Path(folder) / "trace.jsonl"
        os.environ["GAZE_TRACE"] = str(trace)
        cells = Cells(cache, task["weights"], photograph, write_photograph)
        try:
            cells.edited("go", name)
            with busy(load):
                begin = trace.stat().st_size
                seconds = []
                for _ in range(rounds):
                    cells.warm["go"].pause()
                    seconds.append(cells.edited("go", name))
        finally:
            cells.close()
        with open(trace) as f:
            f.seek(begin)
            found = read(f)
    if len(found) != rounds:
        raise SystemExit(f"the trace has {len(found)} cells of {rounds}: is the kernel built with this clone's sources?")
    return found, seconds


def medians(cells):
    """The median of each stage, in the order of the cell that has most of them."""
    order = list(max(cells, key=len))
    order += [s for c in cells for s in c if s not in order]
    return {s: statistics.median([c.get(s, 0) for c in cells]) for s in dict.fromkeys(order)}


def table(idle, loaded):
    quiet, full = medians(idle[0]), medians(loaded[0])
    total, under = sum(quiet.values()), sum(full.values())
    lines = ["| stage | idle, ms | share | busy, ms | share |", "|---|--:|--:|--:|--:|"]
    for stage in dict.fromkeys([*quiet, *full]):
        a, b = quiet.get(stage, 0), full.get(stage, 0)
        lines.append(f"| {WORDS.get(stage, stage)} | {a:.1f} | {100 * a / total:.0f} % | {b:.1f} | {100 * b / under:.0f} % |")
    lines.append(f"| all stages | {total:.0f} | 100 % | {under:.0f} | 100 % |")
    lines.append(f"| from Run to the picture, seen by the client | {1000 * statistics.median(idle[1]):.0f} | | {1000 * statistics.median(loaded[1]):.0f} | |")
    return "\n".join(lines)


def main():
    flags = argparse.ArgumentParser(description="Shows where the time of an edited cell goes.")
    flags.add_argument("--rounds", type=int, default=7)
    flags.add_argument("--cell", action="append", choices=list(CELLS), help="default: " + " and ".join(DEFAULT))
    options = flags.parse_args()
    load = max(1, len(os.sched_getaffinity(0)) // 2)
    for name in options.cell or DEFAULT:
        print(f"An edited cell, {name}; medians of {options.rounds}; busy: {load} other process{'es' * (load > 1)}\n")
        print(table(measure(name, options.rounds, 0), measure(name, options.rounds, load)) + "\n", flush=True)


DEFAULT = ["augmentation grid", "attention, another layer"]

if __name__ == "__main__":
    main()
