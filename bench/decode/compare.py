"""Compares Gaze's JPEG decoding with PIL's Image.open(path).convert("RGB"), alone and
followed by the transforms of a training run (torchvision's on PIL images).

Both sides read the same files on one core, alternately. Each turn decodes all pictures
of a row, and a ratio is the time of one turn of PIL divided by that of Gaze's next turn.
Times are the processor time of the processes, which other work on the machine affects
less than wall-clock time.
Run from the repository root, with the packages of tools/golden/requirements.txt:

    go build -o decode-bench ./bench/decode
    python bench/decode/compare.py ./decode-bench bench/results/PROCESSOR/decode.json

The rows are synthetic pictures with the spectrum of photographs, from fixed seeds,
and the photographs in ../shared/data (or $GAZE_SHARED_DATA), unchanged.
"""
import json
import os
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
from PIL import Image, features
from torchvision import transforms as T

torch.set_num_threads(1)
TURNS = 25
SECONDS = 0.15  # approximate time of PIL in a turn


def photograph(height, width, seed):
    """Random colours whose amplitude falls with frequency, as in a photograph."""
    rng = np.random.default_rng(seed)
    fy, fx = np.meshgrid(np.fft.fftfreq(height), np.fft.rfftfreq(width), indexing="ij")
    falloff = np.hypot(fy, fx)
    falloff[0, 0] = 1
    planes = [np.fft.irfft2(np.fft.rfft2(rng.normal(size=(height, width))) / falloff**1.1, (height, width)) for _ in range(3)]
    y, cb, cr = (p / p.std() for p in planes)
    ycc = np.stack([128 + 50 * y, 128 + 14 * cb, 128 + 14 * cr], -1)
    return Image.fromarray(np.clip(ycc, 0, 255).astype(np.uint8), "YCbCr").convert("RGB")


def made(folder):
    rows = [
        ("224x224, 4:2:0, quality 90", 8, (224, 224), {"quality": 90}),
        ("500x375, 4:2:0, quality 75", 8, (375, 500), {"quality": 75}),
        ("500x375, 4:2:0, quality 95", 8, (375, 500), {"quality": 95}),
        ("500x375, 4:2:2, quality 90", 8, (375, 500), {"quality": 90, "subsampling": "4:2:2"}),
        ("500x375, 4:4:4, quality 90", 8, (375, 500), {"quality": 90, "subsampling": "4:4:4"}),
        ("500x375, 4:2:0, quality 90, progressive", 8, (375, 500), {"quality": 90, "progressive": True}),
        ("500x375, grey, quality 90", 8, (375, 500), {"quality": 90, "mode": "L"}),
        ("2000x1500, 4:2:0, quality 85", 2, (1500, 2000), {"quality": 85}),
        ("2000x1500, 4:2:0, quality 85, progressive", 2, (1500, 2000), {"quality": 85, "progressive": True}),
    ]
    for i, (name, count, (height, width), options) in enumerate(rows):
        mode = options.pop("mode", "RGB")
        paths = []
        for j in range(count):
            paths.append(pathlib.Path(folder) / f"{i}_{j}.jpg")
            photograph(height, width, 100 * i + j).convert(mode).save(paths[-1], **options)
        yield name, paths


def shared():
    folder = pathlib.Path(os.environ.get("GAZE_SHARED_DATA", "../shared/data"))
    paths = sorted(folder.rglob("*.jpg"))
    if paths:
        yield f"{len(paths)} photographs of the shared data", paths
    else:
        print("no photographs in", folder, file=sys.stderr)


def pipelines():
    """The report's augmentation and the usual one, as Gaze's pipeline text and as torchvision's transforms."""
    yield "the report's pipeline at 256", (
        "randomhflip | centercrop(256) | resize(256,256) | rotation(30) | jitter(0.5:1.5,0.5:1.5,0.5:1.5) | "
        "perspective(0.2,p=0.5) | totensor | normalize(0.5,0.5)"
    ), T.Compose([
        T.RandomHorizontalFlip(), T.CenterCrop(256), T.Resize((256, 256)), T.RandomRotation(30),
        T.ColorJitter((0.5, 1.5), (0.5, 1.5), (0.5, 1.5)), T.RandomPerspective(0.2, p=0.5),
        T.ToTensor(), T.Normalize([0.5] * 3, [0.5] * 3),
    ])
    mean, std = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]
    yield "a random resized crop of 224", (
        "randomresizedcrop(224) | randomhflip | totensor | normalize([0.485,0.456,0.406],[0.229,0.224,0.225])"
    ), T.Compose([T.RandomResizedCrop(224), T.RandomHorizontalFlip(), T.ToTensor(), T.Normalize(mean, std)])


def compare(program, name, paths, spec="", transform=lambda im: im):
    gaze = subprocess.Popen([program, "-pipeline", spec, *map(str, paths)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def theirs(rounds):
        start = time.process_time()
        for _ in range(rounds):
            for path in paths:
                transform(Image.open(path).convert("RGB"))
        return time.process_time() - start

    theirs(1)
    rounds = max(1, round(SECONDS / theirs(1)))

    def ours():
        print(rounds, file=gaze.stdin, flush=True)
        return float(gaze.stdout.readline())

    ours()  # warm up
    turns = [(theirs(rounds), ours()) for _ in range(TURNS)]
    gaze.stdin.close()
    gaze.wait()
    pixels = sum(w * h for w, h in (Image.open(p).size for p in paths))
    ratios = sorted(a / b for a, b in turns)
    row = {
        "pictures": name,
        "count": len(paths),
        "megapixels": round(pixels / 1e6, 3),
        "megabytes": round(sum(p.stat().st_size for p in paths) / 1e6, 3),
        "pil_ms": round(statistics.median(a for a, _ in turns) * 1000 / rounds / len(paths), 3),
        "gaze_ms": round(statistics.median(b for _, b in turns) * 1000 / rounds / len(paths), 3),
        "ratio": round(statistics.median(ratios), 2),
        "ratio_quartiles": [round(ratios[len(ratios) // 4], 2), round(ratios[3 * len(ratios) // 4], 2)],
    }
    print(row, file=sys.stderr)
    return row


def processor():
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines() if pathlib.Path("/proc/cpuinfo").exists() else []:
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.processor()


def main(program, out):
    with tempfile.TemporaryDirectory() as folder:
        sets = [*made(folder), *shared()]
        rows = [compare(program, name, paths) for name, paths in sets]
        whole = [
            compare(program, f"{name}, {sets[1][0]}", sets[1][1], spec, transform)
            for name, spec, transform in pipelines()
        ]
    result = {
        "processor": processor(), "cores": 1, "turns": TURNS, "pillow": PIL.__version__,
        "libjpeg-turbo": features.version_feature("libjpeg_turbo"), "decoding": rows,
        "torch": torch.__version__, "torchvision": torchvision.__version__, "decoding and augmenting": whole,
    }
    pathlib.Path(out).write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
