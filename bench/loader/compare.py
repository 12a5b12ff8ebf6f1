"""Compares Gaze's loader with torch's DataLoader over ImageFolder.

Both sides decode and transform the same JPEG files (synthetic, with the spectrum of
photographs, from fixed seeds) in shuffled batches of 16, alternating after each epoch.
A ratio is the time of one epoch of torch divided by that of Gaze's next epoch. Torch
decodes with PIL. Its workers are processes that are kept between epochs.
Run from the repository root, with the packages of tools/golden/requirements.txt:

    go build -o loader-bench ./bench/loader
    python bench/loader/compare.py ./loader-bench bench/results/PROCESSOR/loader.json
"""
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

import torch
import torchvision
from torchvision import transforms as T
from torchvision.datasets import ImageFolder

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "decode"))
from compare import photograph, processor  # noqa: E402

TURNS, PICTURES = 9, 192
MEAN, STD = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]
PIPELINES = {
    "training": (
        "randomresizedcrop(224) | randomhflip | totensor | normalize([0.485,0.456,0.406],[0.229,0.224,0.225])",
        T.Compose([T.RandomResizedCrop(224), T.RandomHorizontalFlip(), T.ToTensor(), T.Normalize(MEAN, STD)]),
    ),
    "evaluation": (
        "resize(256) | centercrop(224) | totensor | normalize([0.485,0.456,0.406],[0.229,0.224,0.225])",
        T.Compose([T.Resize(256), T.CenterCrop(224), T.ToTensor(), T.Normalize(MEAN, STD)]),
    ),
}


def quartiles(values):
    values = sorted(values)
    return [round(values[len(values) // 4], 2), round(values[3 * len(values) // 4], 2)]


def compare(program, folder, name, workers):
    text, pipeline = PIPELINES[name]
    # With one worker torch loads in the main process.
    theirs = torch.utils.data.DataLoader(
        ImageFolder(folder, pipeline), batch_size=16, shuffle=True,
        num_workers=workers if workers > 1 else 0, persistent_workers=workers > 1,
    )
    def torch_epoch():
        start, used = time.perf_counter(), time.process_time()
        for _ in theirs:
            pass
        return time.perf_counter() - start, time.process_time() - used

    def gaze_epoch(number):
        print(number, file=gaze.stdin, flush=True)
        return tuple(map(float, gaze.stdout.readline().split()))

    torch_epoch()  # starts torch's workers here, before there is a pipe that they would inherit
    gaze = subprocess.Popen([program, folder, str(workers), text], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    gaze_epoch(0)
    turns = [(torch_epoch(), gaze_epoch(i + 1)) for i in range(TURNS)]
    gaze.stdin.close()
    gaze.wait()
    row = {"pipeline": name, "workers": workers}
    # The processor time of torch's worker processes isn't available.
    for which, label in enumerate(("clock", "processor")[: 2 if workers == 1 else 1]):
        row |= {
            f"torch_ms_{label}": round(statistics.median(a[which] for a, _ in turns) * 1000 / PICTURES, 3),
            f"gaze_ms_{label}": round(statistics.median(b[which] for _, b in turns) * 1000 / PICTURES, 3),
            f"ratio_{label}": round(statistics.median(a[which] / b[which] for a, b in turns), 2),
            f"ratio_quartiles_{label}": quartiles(a[which] / b[which] for a, b in turns),
        }
    print(row, file=sys.stderr)
    return row


def main(program, out):
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        for i in range(PICTURES):
            path = pathlib.Path(folder) / str(i % 4) / f"{i}.jpg"
            path.parent.mkdir(exist_ok=True)
            photograph(375, 500, i % 16).save(path, quality=90)
        rows = [compare(program, folder, name, workers) for name in PIPELINES for workers in (1, 2)]
    result = {
        "processor": processor(), "cores": os.cpu_count(), "load": round(os.getloadavg()[0], 1), "turns": TURNS,
        "pictures": f"{PICTURES} of 500x375, 4:2:0, quality 90", "torch": torch.__version__, "torchvision": torchvision.__version__,
        "rows": rows,
    }
    pathlib.Path(out).write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
