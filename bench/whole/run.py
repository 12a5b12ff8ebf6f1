"""Whole processes: gaze classify, attend and caption over photographs, beside scripts that do
the same with torch, timm and transformers (classify.py, attend.py, caption.py).

    bench/.venv/bin/python bench/whole/run.py PHOTOGRAPHS [--count 500] [--rounds 3] [--threads N] [--only attend] [--out FILE.json]

PHOTOGRAPHS is a folder of JPEG files; the first --count by name are used. In each round both
sides run once, as fresh processes, in turn; nothing else should run on the machine. The times
are from the start of a process to its end, with everything that it imports, loads and
compiles; programs that Gaze compiled are on disk after a first run that doesn't count.

classify and attend run ViT-S/16 at 224 with the same random weights, so their answers are
compared: the classes, and the sizes of the figures' folders. caption runs photos-captioner
beside a captioner of its sizes (see caption.py): the same amount of work, not the same text.
"""
import argparse
import csv
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).parent
sys.path[:0] = [str(HERE.parent)]
from inputs import made, write_vit  # noqa: E402
from rows import vit  # noqa: E402

PIPELINE = "resize(224,224) | totensor | normalize(0.5,0.5)"


def commands(gaze, model, weights, listed, out):
    python = [sys.executable]
    same = ["--model", weights, "--pipeline", PIPELINE, "--quiet"]
    m = json.dumps(model)
    return {
        "classify": ([gaze, "classify", *same, "--numbers", "--top", "5", "-o", out / "gaze.csv", "-"],
                     [*python, HERE / "classify.py", m, weights, listed, out / "python.csv"]),
        "attend": ([gaze, "attend", *same, "-o", out / "gaze-attend", "-"],
                   [*python, HERE / "attend.py", m, weights, listed, out / "python-attend"]),
        "caption": ([gaze, "caption", "--quiet", "-o", out / "gaze-caption", "-"], [*python, HERE / "caption.py", listed, out / "python-caption"]),
    }


def measure(command, listed, threads):
    """Runs a process to its end: seconds, processor seconds and MiB."""
    cores = set(list(sorted(os.sched_getaffinity(0)))[:threads])
    begun = time.perf_counter()
    with open(listed) as names, tempfile.TemporaryFile() as log:
        child = subprocess.Popen([str(part) for part in command], stdin=names, stdout=subprocess.DEVNULL, stderr=log,
                                 env=os.environ | {"OMP_NUM_THREADS": str(threads)}, preexec_fn=lambda: os.sched_setaffinity(0, cores))
        _, status, used = os.wait4(child.pid, 0)
        seconds = time.perf_counter() - begun
        if status:
            log.seek(0)
            sys.exit(f"{' '.join(map(str, command))}: {log.read().decode()[-2000:]}")
    return {"seconds": seconds, "processor": used.ru_utime + used.ru_stime, "peak_mib": used.ru_maxrss / 1024}


def check(name, out, count):
    """The answers agree: the classes, but for a few whose logits are nearly equal, and the number of figures."""
    if name == "classify":
        rows = [list(csv.reader(open(out / f"{side}.csv"))) for side in ("gaze", "python")]
        same = sum(a[:2] == b[:2] for a, b in zip(*rows, strict=True))
        assert same >= 0.995 * (count + 1), f"{same} of {count + 1} rows agree"
    else:
        for side in ("gaze", "python"):
            files = list((out / f"{side}-{name}").glob("*.png"))
            assert len(files) == count, f"{side} wrote {len(files)} figures"


def main():
    options = argparse.ArgumentParser()
    options.add_argument("photographs", type=pathlib.Path)
    options.add_argument("--gaze", default=str(HERE.parent.parent / "bin" / "gaze"))
    options.add_argument("--count", type=int, default=500)
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    options.add_argument("--only", default="")
    options.add_argument("--out", type=pathlib.Path, help="also write the figures of every round as JSON")
    o = options.parse_args()
    model, cache = vit("S"), HERE.parent / ".cache"
    weights = made(cache / f"vit-{model['dim']}x{model['depth']}-{model['size']}.safetensors", write_vit, model)
    photographs = sorted(p.absolute() for p in o.photographs.glob("*.jpg"))[:o.count]
    found = {"photographs": len(photographs), "threads": o.threads, "rows": {}}
    with tempfile.TemporaryDirectory() as folder:
        out = pathlib.Path(folder)
        listed = out / "list"
        listed.write_text("".join(f"{p}\n" for p in photographs))
        for name, sides in commands(o.gaze, model, weights, listed, out).items():
            if o.only not in name:
                continue
            first = out / "first"
            first.write_text("".join(f"{p}\n" for p in photographs[:8]))
            measure(sides[0], first, o.threads)
            rounds = {"gaze": [], "python": []}
            for _ in range(o.rounds):
                for side, command in zip(rounds, sides):
                    for old in out.glob(f"{side}*"):
                        shutil.rmtree(old) if old.is_dir() else old.unlink()
                    rounds[side].append(measure(command, listed, o.threads))
            check(name, out, len(photographs))
            found["rows"][name] = rounds
            middle = {side: {k: statistics.median(r[k] for r in all) for k in all[0]} for side, all in rounds.items()}
            for side, m in middle.items():
                print(f"{name:9} {side:7} {m['seconds']:7.1f} s {m['processor']:7.1f} processor seconds {m['peak_mib']:6.0f} MiB")
            print(f"{name:9} ratio   {middle['python']['seconds'] / middle['gaze']['seconds']:7.2f}   "
                  f"{middle['python']['processor'] / middle['gaze']['processor']:7.2f}", flush=True)
    if o.out:
        o.out.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
