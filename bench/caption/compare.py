"""Pieces per second of captions at CATR's full size: Gaze's cached decoding, one and
eight pictures at a time, against

  - CATR's loop (its predict.py), which computes the picture and all 128 slots of the
    decoder anew for every piece, in PyTorch and in Gaze;
  - transformers' generate with cached keys and values on a model of the same size,
    with the maps of every layer returned, as Gaze always does, and without.

Drawn weights, pictures of 224x299, 20 pieces, float32; the sides take turns, with
all the processor's cores. Run from the repository root on an idle machine, with the
packages of tools/golden/requirements.txt:

    GOEXPERIMENT=simd python bench/caption/compare.py [ROUNDS]

Medians, and each round's figures, go to bench/results/caption.json.
"""
import json
import os
import pathlib
import platform
import re
import statistics
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, "tools/golden")

import torch  # noqa: E402
import transformers  # noqa: E402

import peers  # noqa: E402
from caption_model import Captioner, stream  # noqa: E402

PIECES, SIZE = 20, (224, 299)
NAMES = {"Caption/batch1/beam1": "gaze, batch 1", "Caption/batch8/beam1": "gaze, batch 8", "Recompute": "CATR's loop in gaze"}


def gaze(binary):
    """One round of the Go benchmarks: pieces per second by name, and the backend."""
    out = subprocess.run([binary, "-test.run", "^$", "-test.bench", "Caption/batch/beam1|Recompute", "-test.benchtime", "2x"], cwd="pkg/caption",
                         env={**os.environ, "GAZE_FULL_SIZE": "1"}, check=True, capture_output=True, text=True).stdout
    speeds = {NAMES[m[1]]: float(m[2]) for m in re.finditer(r"Benchmark(\S+?)(?:-\d+)?\s+\d.*?([\d.]+) pieces/s", out)}
    return speeds, re.search(r"backend: (.*)", out)[1]


def speed(work, batch, repeats):
    start = time.perf_counter()
    for _ in range(repeats):
        work()
    return PIECES * batch * repeats / (time.perf_counter() - start)


def theirs():
    """Each peer's name, work, batch and repetitions."""
    captioner = Captioner(peers.CATR)
    pictures = torch.stack([torch.from_numpy(stream(f"bench {i}", 3 * SIZE[0] * SIZE[1])).reshape(3, *SIZE) for i in range(8)])
    yield "CATR's loop in torch", lambda: peers.recompute(captioner, pictures[:1], PIECES), 1, 1
    for maps in (True, False):
        model = peers.generator(captioner, maps)
        for batch in (1, 8):
            name = f"transformers generate, {'' if maps else 'no maps, '}batch {batch}"
            yield name, lambda m=model, b=batch, a=maps: peers.generate(m, pictures[:b], PIECES, a), batch, 2


def processor():
    info = pathlib.Path("/proc/cpuinfo")
    found = re.search(r"model name\s*:\s*(.*)", info.read_text()) if info.exists() else None
    return found[1] if found else platform.processor()


def main():
    rounds, load = int(sys.argv[1]) if len(sys.argv) > 1 else 5, os.getloadavg()
    found, backend, works = [], "", list(theirs())
    with tempfile.TemporaryDirectory() as folder:
        binary = os.path.join(folder, "caption.test")
        subprocess.run(["go", "test", "-c", "-o", binary, "./pkg/caption"], check=True)
        for _, work, batch, _ in works[1:]:
            speed(work, batch, 1)  # warm up
        for _ in range(rounds):
            speeds, backend = gaze(binary)
            found.append(speeds | {name: speed(*rest) for name, *rest in works})
            print({k: round(v, 2) for k, v in found[-1].items()}, flush=True)
    medians = {k: round(statistics.median(f[k] for f in found), 2) for k in found[0]}

    def ratio(ours, other):
        return round(statistics.median(f[ours] / f[other] for f in found), 2)

    result = {
        "processor": processor(), "cores": os.cpu_count(), "load_before": load, "rounds": rounds,
        "go": subprocess.run(["go", "env", "GOVERSION", "GOEXPERIMENT"], check=True, capture_output=True, text=True).stdout.split(),
        "backend": backend, "torch": torch.__version__, "torch_threads": torch.get_num_threads(), "transformers": transformers.__version__,
        "pieces": PIECES, "picture": SIZE, "unit": "pieces/s", "medians": medians,
        "ratios": {
            "gaze over CATR's loop in torch, batch 1": ratio("gaze, batch 1", "CATR's loop in torch"),
            "gaze over CATR's loop in gaze, batch 1": ratio("gaze, batch 1", "CATR's loop in gaze"),
            "gaze, batch 8, over CATR's loop in torch": ratio("gaze, batch 8", "CATR's loop in torch"),
            **{f"gaze over transformers generate, {how}batch {b}": ratio(f"gaze, batch {b}", f"transformers generate, {how}batch {b}")
               for how in ("", "no maps, ") for b in (1, 8)},
        },
        "each_round": [{k: round(v, 3) for k, v in f.items()} for f in found],
    }
    pathlib.Path("bench/results/caption.json").write_text(json.dumps(result, indent=1) + "\n")
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
