"""Compares Gaze's transforms with torchvision's on PIL images, for the report's pipeline.

Both sides work on one core, on the same decoded pictures (500 x 375, the size of the
pets), alternately. Each turn transforms all pictures, and a ratio is the time of one
turn of torchvision divided by that of Gaze's next turn. Run from the repository root,
with the packages of tools/golden/requirements.txt:

    GOEXPERIMENT=simd go build -o transform-bench ./bench/transform
    python bench/transform/compare.py ./transform-bench bench/results/PROCESSOR/transform.json
"""
import json
import pathlib
import platform
import statistics
import subprocess
import sys
import tempfile
import time

import numpy as np
import PIL
import torch
import torchvision
from PIL import Image
from torchvision import transforms as T

PICTURES, ROUNDS, TURNS = 16, 2, 25
torch.set_num_threads(1)


def pictures(folder):
    """Smooth colours with some texture, from a fixed seed."""
    rng = np.random.default_rng(1)
    for i in range(PICTURES):
        coarse = Image.fromarray(rng.integers(0, 256, (12, 16, 3), np.uint8)).resize((500, 375), Image.BICUBIC)
        noise = rng.normal(0, 8, (375, 500, 3))
        im = Image.fromarray(np.clip(np.asarray(coarse) + noise, 0, 255).astype(np.uint8))
        path = pathlib.Path(folder) / f"{i}.ppm"
        im.save(path)
        yield path, im


def report(size):
    tail = [T.ToTensor(), T.Normalize([0.5] * 3, [0.5] * 3)]
    steps = [T.RandomHorizontalFlip(), T.CenterCrop(256), T.Resize((size, size)), T.RandomRotation(30),
             T.ColorJitter((0.5, 1.5), (0.5, 1.5), (0.5, 1.5)), T.RandomPerspective(0.2, p=0.5)]
    spec = (f"randomhflip | centercrop(256) | resize({size},{size}) | rotation(30) | jitter(0.5:1.5,0.5:1.5,0.5:1.5) | "
            "perspective(0.2,p=0.5) | totensor | normalize(0.5,0.5)")
    return spec, T.Compose(steps + tail)


def imagenet():
    spec = "resize(256,bicubic) | centercrop(224) | totensor | normalize([0.485,0.456,0.406],[0.229,0.224,0.225])"
    return spec, T.Compose([T.Resize(256, T.InterpolationMode.BICUBIC), T.CenterCrop(224), T.ToTensor(),
                            T.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])])


def training():
    spec = "randomresizedcrop(224) | randomhflip | totensor | normalize([0.485,0.456,0.406],[0.229,0.224,0.225])"
    return spec, T.Compose([T.RandomResizedCrop(224), T.RandomHorizontalFlip(), T.ToTensor(),
                            T.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])])


def compare(program, paths, images, spec, transform):
    gaze = subprocess.Popen([program, spec, *map(str, paths)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ours():
        print(ROUNDS, file=gaze.stdin, flush=True)
        return float(gaze.stdout.readline())

    def theirs():
        start = time.perf_counter()
        for _ in range(ROUNDS):
            for im in images:
                transform(im)
        return time.perf_counter() - start

    ours(), theirs()  # warm up
    turns = [(theirs(), ours()) for _ in range(TURNS)]
    gaze.stdin.close()
    gaze.wait()
    per = 1000 / (ROUNDS * PICTURES)
    ratios = sorted(a / b for a, b in turns)
    return {
        "pipeline": spec,
        "torchvision_ms": round(statistics.median(a for a, _ in turns) * per, 3),
        "gaze_ms": round(statistics.median(b for _, b in turns) * per, 3),
        "ratio": round(statistics.median(ratios), 2),
        "ratio_quartiles": [round(ratios[len(ratios) // 4], 2), round(ratios[3 * len(ratios) // 4], 2)],
    }


def processor():
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines() if pathlib.Path("/proc/cpuinfo").exists() else []:
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.processor()


def main(program, out):
    with tempfile.TemporaryDirectory() as folder:
        paths, images = zip(*pictures(folder))
        rows = [compare(program, paths, images, *p) for p in (report(256), report(224), imagenet(), training())]
    result = {
        "processor": processor(), "cores": 1, "pictures": f"{PICTURES} of 500x375", "turns": TURNS,
        "torchvision": torchvision.__version__, "torch": torch.__version__, "pillow": PIL.__version__, "rows": rows,
    }
    text = json.dumps(result, indent=1)
    print(text)
    pathlib.Path(out).write_text(text + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
