"""Measures Gaze and its peers on the same work in one run; see bench/README.md.

    python bench/run.py [--rows inference,training] [--only B/16] [--rounds 5] [--merge] [--resume] [--quick] [--out FOLDER]
"""
import argparse
import datetime
import importlib.metadata
import json
import os
import pathlib
import platform
import signal
import statistics
import subprocess
import sys
import time

import numpy as np

import neighbours
import processors
import report
from cells import Cells, busy
from inputs import complete, write_photograph
from rows import GROUPS
from workers import Refused, Worker, peers, processor

HERE = pathlib.Path(__file__).parent
TOLERANCE = {"inference": 1e-4, "attention": 1e-4, "explain": 1e-3, "training": 1e-4, "caption": 0, "pipeline": 0.02}
CACHING = {"gaze", "jax", "torch-compile"}  # peers that keep compiled programs on disk
HALF = 0.05  # tolerance of bfloat16
OTHER_MODEL = {"hf"}  # peers that run another model, so that their answers differ
KERNELS = {"ipykernel": "ipykernel", "gaze-loaded": "Gaze, busy machine", "ipykernel-loaded": "ipykernel, busy machine"}
FEW = 3  # rounds of slow work: scaling, fresh kernels, busy machines, and peers that take
SLOW = 2.5  # seconds or more
PREPARE = 400  # limit in seconds for a peer's first answer


def say(*words):
    print(time.strftime("%H:%M:%S"), *words, file=sys.stderr, flush=True)


def difference(answer, reference):
    """The largest difference relative to the largest value of the reference."""
    if answer.size != reference.size:
        return float("inf")
    return float(np.abs(answer - reference).max() / np.abs(reference).max())


class Bench:
    def __init__(self, options):
        self.cache, self.options = HERE / ".cache", options
        self.compiled = self.cache / f"as-{processors.isa()}" if processors.isa() else self.cache  # programs that peers keep
        self.compiled.mkdir(parents=True, exist_ok=True)
        self.peers = peers(self.cache)
        self.cells = None
        self.cores = len(os.sched_getaffinity(0))

    def begin(self, name, task, cache=None):
        """A peer's worker that has given its first answer, and that answer."""
        output = self.cache / f"answer-{name}.f32"
        output.unlink(missing_ok=True)
        worker = Worker(self.peers[name], task | {"output": str(output)}, cache or self.compiled, PREPARE)
        return worker, np.fromfile(output, np.float32)

    def task(self, row):
        return complete(row["task"], self.cache) | {"threads": row["task"].get("cores", self.cores)}

    def row(self, row):
        """One row: every peer's answer, then alternating timings."""
        found, running = {}, {}
        try:
            self.answers(row, found, running)
            self.rounds(row, found, running)
        finally:
            for worker in running.values():
                worker.close()
        return {name: found[name] for name in self.there(row)}

    def answers(self, row, found, running):
        """Starts the workers, and keeps those running whose answers agree."""
        task, reference = self.task(row), None
        # The first peer's answer is the reference, never Gaze's.
        for name in sorted(self.there(row), key=lambda name: name.startswith("gaze")):
            try:
                if name in CACHING:  # so that peak memory doesn't include the compiler's
                    self.begin(name, task)[0].close()
                running[name], answer = self.begin(name, task)
            except Refused as e:
                found[name] = {"error": str(e)}
                continue
            found[name] = {"first_answer_s": running[name].first_answer, "engine": running[name].engine, "seconds": []}
            if name in OTHER_MODEL:
                continue
            reference = answer if reference is None else reference
            off = found[name]["difference"] = difference(answer, reference)
            if not off <= (HALF if "precision" in task else TOLERANCE[task["kind"]]):
                found[name] = {"error": f"its answer is off by {off:.2g}"}
                running.pop(name).close()

    def rounds(self, row, found, running):
        """Alternating timings; slow peers take part only in the first few rounds."""
        repetitions, last = {}, {}
        rounds = min(self.options.rounds, FEW) if row["group"] == "scaling" else self.options.rounds
        order = list(running)
        for i in range(-1, rounds):
            for name in order[i % len(order):] + order[:i % len(order)]:
                try:
                    if i < 0:  # warm-up
                        once = min(running[name].run(1), running[name].run(1))
                        repetitions[name] = max(1, min(1000, round(self.options.seconds / once)))
                        last[name] = min(rounds, FEW) if once > SLOW else rounds
                    elif name in running and i < last[name]:
                        found[name]["seconds"].append(running[name].run(repetitions[name]) / repetitions[name])
                except Refused as e:
                    found[name] = {"error": str(e)}
                    running.pop(name).close()
        for name, worker in running.items():
            found[name]["rate"] = row["items"] / statistics.median(found[name]["seconds"])
            found[name]["peak_mib"] = worker.peak_mib()

    def neighbours(self, row):
        """A row's figures alone, and what is left of them beside a busy process."""
        found, running = {}, {}
        try:
            self.answers(row, found, running)
            self.rounds(row, found, running)
            neighbours.beside(row, found, running, min(self.options.rounds, FEW), self.options.seconds)
        finally:
            for worker in running.values():
                worker.close()
        return {name: found[name] for name in self.there(row)}

    def start(self, row):
        """Time from the start of the process to the first answer: first with empty caches
        of compiled programs, then alternating with the caches that were filled."""
        task, found = self.task(row), {}
        empty = self.cache / f"start-{os.getpid()}"
        empty.mkdir()
        for i in range(self.options.rounds + 1):
            for name in self.there(row):
                if "error" in found.get(name, {}):
                    continue
                try:
                    worker, _ = self.begin(name, task, empty)
                except Refused as e:
                    found[name] = {"error": str(e)}
                    continue
                one = found.setdefault(name, {"seconds": [], "cold_s": worker.first_answer, "engine": worker.engine})
                if i:
                    one["seconds"].append(worker.first_answer)
                one["peak_mib"] = worker.peak_mib()
                worker.close()
        subprocess.run(["rm", "-rf", str(empty)], check=True)
        return found

    def notebook(self, row):
        """Seconds of what a notebook does, alternating, first with nothing else to do and then
        with a process that keeps half of the cores busy. Kernels are kept between rows."""
        if self.cells is None:
            task = complete({"kind": "cell", "model": row["task"]["model"]}, self.cache)
            photograph = complete({"kind": "pipeline", "count": 1}, self.cache)["pictures"][0]
            self.cells = Cells(self.cache, task["weights"], photograph, write_photograph)
        found = {name: {"seconds": []} for name in row["peers"]}
        rounds = min(self.options.rounds, FEW) if row["task"]["slow"] else self.options.rounds
        self.turns(row["task"], {n: one for n, one in found.items() if not n.endswith("-loaded")}, rounds, warm=True)
        with busy(max(1, self.cores // 2)):
            self.turns(row["task"], {n: one for n, one in found.items() if n.endswith("-loaded")}, min(rounds, FEW), warm=False)
        return found

    def turns(self, task, found, rounds, warm):
        """Turns of each peer, alternating; the first is dropped if it is there to warm up."""
        for i in range(-1 if warm else 0, rounds):
            for name in list(found)[::1 if i % 2 else -1]:
                one = found[name]
                if "error" in one:
                    continue
                try:
                    seconds = self.cells.seconds(task, "go" if name.startswith("gaze") else "python")
                except Exception as e:  # Jupyter raises many kinds
                    one.clear()
                    one["error"] = f"{e}"
                    continue
                if i >= 0:
                    one["seconds"].append(seconds)

    def close(self):
        if self.cells is not None:
            self.cells.close()

    def there(self, row):
        return [name for name in row["peers"] if name in self.peers and name not in self.options.without]


def peak(cache):
    """The processor's peak rate in GFLOP/s (float32), with the vectors that peers may use; None if it can't be measured."""
    program = cache / "peak"
    try:
        subprocess.run(["cc", "-O3", str(HERE / "peak.c"), "-o", str(program), "-lpthread"], check=True, capture_output=True)
        command = [str(program), str(len(os.sched_getaffinity(0))), *([processors.isa()] if processors.isa() else [])]
        return max(float(subprocess.run(command, check=True, capture_output=True).stdout) for _ in range(3))
    except (OSError, subprocess.CalledProcessError):
        return None


def installed(package):
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def now():
    """When a row was measured."""
    return datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds")


def machine():
    commit = subprocess.run(["git", "describe", "--always", "--dirty"], capture_output=True, text=True).stdout.strip()
    names = ["torch", "torchvision", "timm", "transformers", "jax", "jaxlib", "onnxruntime", "pillow", "numpy"]
    return {
        "date": now(), "commit": commit, "processor": processor(), "name": processors.title(), "isa": processors.isa(),
        "cores": len(os.sched_getaffinity(0)), "system": platform.platform(), "load": os.getloadavg(),
        "python": platform.python_version(), "go": subprocess.run(["go", "version"], capture_output=True, text=True).stdout.split()[2],
        "versions": {n: version for n in names if (version := installed(n))},
    }


def options():
    flags = argparse.ArgumentParser(description="Measures Gaze and its peers.")
    flags.add_argument("--rows", default="", help="groups of rows to measure, from " + ",".join(GROUPS) + " (default: all but gpu)")
    flags.add_argument("--only", default="", help="only rows whose name contains this text, such as B/16")
    flags.add_argument("--without", default="", help="peers to leave out, such as gaze-go,torch-compile: slow ones take most of the time of training")
    flags.add_argument("--rounds", type=int, help="rounds (default: 5; with --quick: 2)")
    flags.add_argument("--merge", action="store_true", help="put some rows into the processor's results, in place of those of the same names")
    flags.add_argument("--resume", action="store_true", help="go on with the run that was stopped, after its last complete row")
    flags.add_argument("--quick", action="store_true", help="tiny models, to test the harness, not to compare")
    flags.add_argument("--out", type=pathlib.Path, help="folder for the results (default: results/PROCESSOR; of some rows .cache/part/PROCESSOR)")
    o = flags.parse_args()
    o.rounds = o.rounds or (2 if o.quick else 5)
    o.seconds = 0.1 if o.quick else 1.0
    o.some = bool(o.rows or o.only)
    o.without = o.without.split(",") if o.without else []
    known = {name for g in GROUPS for row in GROUPS[g](o.quick) for name in row["peers"]}
    for name in o.without:
        if name not in known:
            flags.error(f"unknown peer {name!r}; the peers are {', '.join(sorted(known))}")
    o.groups = o.rows.split(",") if o.rows else [g for g in GROUPS if g != "gpu"]
    for g in o.groups:
        if g not in GROUPS:
            flags.error(f"unknown group of rows {g!r}; the groups are {', '.join(GROUPS)}")
    if o.merge and (o.quick or not o.some):
        flags.error("--merge is for some of the rows, at full size: give --rows or --only, and no --quick")
    return o


def destination(o):
    """The folder for the results. Those of some rows don't replace a whole run."""
    name = processors.slug(processors.title(), processors.isa())
    part = HERE / ".cache" / ("quick" if o.quick else "part") / name
    return o.out or (part if o.quick or (o.some and not o.merge) else HERE / "results" / name)


class Progress:
    """The rows of a run that are complete, in a file that survives the process."""

    def __init__(self, o, cache):
        self.path = cache / f"running-{processors.slug(processors.title(), processors.isa())}.json"
        self.what = {"quick": o.quick, "rounds": o.rounds, "groups": o.groups, "only": o.only, "without": o.without}
        self.result = {"machine": machine(), "quick": o.quick, "rounds": o.rounds, "minutes": 0, "what": self.what, "rows": []}
        self.result["machine"]["peak_gflops"] = peak(cache)
        if not self.path.exists():
            if o.resume:
                raise SystemExit(f"there is no run to resume: no {self.path}")
            return
        before = json.loads(self.path.read_text())
        if not o.resume:
            say(f"starting anew; a run of {before['machine']['date']} was stopped after {len(before['rows'])} rows, --resume goes on with such a run")
        elif before["what"] != self.what:
            raise SystemExit(f"the run that was stopped had other options, {before['what']}: resume it with the same, or leave out --resume")
        else:
            self.result = before

    def has(self, row):
        return any((r["group"], r["name"]) == (row["group"], row["name"]) for r in self.result["rows"])

    def add(self, row, found, minutes):
        # A run that is resumed may go on with another commit.
        row = {k: v for k, v in row.items() if k != "peers"} | {"date": now(), "commit": machine()["commit"], "peers": found}
        self.result["rows"].append(row)
        self.result["minutes"] = round(self.result["minutes"] + minutes, 2)
        report.save(self.result, self.path)

    def done(self):
        self.path.unlink(missing_ok=True)


def measure(bench, o, progress):
    """All rows that aren't there yet."""
    for g in o.groups:
        for row in GROUPS[g](o.quick):
            if o.only not in row["name"] or progress.has(row):
                continue
            say(g, row["name"])
            began = time.time()
            found = {"start": bench.start, "notebook": bench.notebook, "neighbours": bench.neighbours}.get(g, bench.row)(row)
            progress.add(row, found, (time.time() - began) / 60)
            say("  ", report.line(row, found))


def main():
    o = options()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that no stopped worker is left behind
    bench = Bench(o)
    progress = Progress(o, bench.cache)
    progress.result["peers"] = {name: peer.title for name, peer in bench.peers.items()} | KERNELS
    try:
        measure(bench, o, progress)
    finally:
        bench.close()  # no kernel is left behind
    result, folder = progress.result, destination(o)
    result["minutes"] = round(result["minutes"], 1)
    result["machine"]["load_after"] = os.getloadavg()
    del result["what"]
    if o.merge:
        result = report.merged(folder, result)
    report.write(result, folder, bench.cache / "charts")
    if folder.parent == HERE / "results":
        subprocess.run([str(bench.cache / "summary"), str(folder.parent), str(HERE.parent / "README.md")], check=True)
    progress.done()
    say("the results are in", folder)


if __name__ == "__main__":
    main()
