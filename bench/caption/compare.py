"""Pieces per second of captions: Gaze's cached decoding against the loop of CATR's
predict.py, which computes the picture and all 128 slots of the decoder anew for
every piece, in Gaze and in PyTorch. Full size, drawn weights, one picture of
224x299, 20 pieces, float32; the sides take turns. Run from the repository root:

    python bench/caption/compare.py [ROUNDS]

Medians, and each round's figures, go to bench/results/caption.json.
"""
import json
import os
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile
import time

import torch

sys.path.insert(0, "tools/golden")
from caption_model import Captioner, stream  # noqa: E402

PIECES = 20
CATR = {
    "backbone": {"kind": "resnet", "bottleneck": True, "depths": [3, 4, 23, 3], "width": 64, "dilate": True},
    "dim": 256, "heads": 8, "hidden": 2048, "encoder_layers": 6, "decoder_layers": 6, "max_positions": 128, "vocab": 30522,
    "head_hidden": [512, 512], "norm_eps": 1e-5, "embed_norm_eps": 1e-12, "longest_side": 299,
    "start_id": 101, "end_id": 102, "pad_id": 0,
}


def gaze(binary):
    """One round of the Go benchmarks: pieces per second by name."""
    out = subprocess.run([binary, "-test.run", "^$", "-test.bench", "Caption|Recompute", "-test.benchtime", "2x"], cwd="pkg/caption",
                         env={**os.environ, "GAZE_FULL_SIZE": "1"}, check=True, capture_output=True, text=True).stdout
    return {"gaze " + m[1]: float(m[2]) for m in re.finditer(r"Benchmark(\S+?)-\d+\s.*?([\d.]+) pieces/s", out)}


def catr(model, picture):
    """CATR's loop: everything again for every piece."""
    tokens, pads = torch.zeros(1, 128, dtype=torch.long), torch.ones(1, 128, dtype=torch.bool)
    tokens[0, 0], pads[0, 0] = 101, False
    start = time.perf_counter()
    with torch.no_grad():
        for i in range(PIECES):
            memory = model.encode(picture, torch.zeros(1, 224, 299, dtype=torch.bool))[:3]
            logits = model.decode(*memory, tokens, pads)[0]
            tokens[0, i + 1], pads[0, i + 1] = logits[0, i].argmax(), False
    return PIECES / (time.perf_counter() - start)


def main():
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    model = Captioner(CATR)
    picture = torch.from_numpy(stream("bench 0", 3 * 224 * 299)).reshape(1, 3, 224, 299)
    found = []
    with tempfile.TemporaryDirectory() as folder:
        binary = os.path.join(folder, "caption.test")
        subprocess.run(["go", "test", "-c", "-o", binary, "./pkg/caption"], check=True)
        for _ in range(rounds):
            found.append(gaze(binary) | {"torch Recompute": catr(model, picture)})
            print(found[-1], flush=True)
    medians = {k: round(statistics.median(f[k] for f in found), 2) for k in found[0]}
    result = {"unit": "pieces/s", "pieces": PIECES, "torch": torch.__version__, "threads": torch.get_num_threads(),
              "load": os.getloadavg(), "medians": medians, "rounds": found}
    pathlib.Path("bench/results/caption.json").write_text(json.dumps(result, indent=1) + "\n")
    print(medians)


if __name__ == "__main__":
    main()
