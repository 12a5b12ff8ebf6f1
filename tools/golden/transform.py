"""SHA-256 of noise pictures transformed by PIL and torchvision.

Writes pkg/transform/testdata/golden.json. The pictures aren't stored: they are
the upper bytes of a linear congruential generator, which the test repeats. Run
from the repository root.
"""
import hashlib
import json
import pathlib

import numpy as np
import torch
from PIL import Image
from torchvision.transforms import InterpolationMode, v2
from torchvision.transforms import functional as F

MODES = {1: "L", 3: "RGB", 4: "RGBA"}
FILTERS = {
    "bilinear": InterpolationMode.BILINEAR, "bicubic": InterpolationMode.BICUBIC,
    "nearest": InterpolationMode.NEAREST, "lanczos": InterpolationMode.LANCZOS,
}


def picture(height, width, channels):
    state, out = height * 1000003 + width * 1009 + channels, bytearray()
    for _ in range(height * width * channels):
        state = (state * 1664525 + 1013904223) & 0xFFFFFFFF
        out.append(state >> 24)
    a = np.frombuffer(bytes(out), np.uint8).reshape(height, width, channels)
    if channels == 4:  # make some pixels fully opaque and some fully transparent, as in real pictures
        a = a.copy()
        a[..., 3] = np.clip(a[..., 3].astype(int) * 2 - 128, 0, 255)
    return Image.fromarray(a[..., 0] if channels == 1 else a, MODES[channels])


def digest(a):
    return hashlib.sha256(np.ascontiguousarray(a).tobytes()).hexdigest()[:32]


cases = []


def add(size, channels, spec, result):
    case = {"height": size[0], "width": size[1], "channels": channels, "spec": spec}
    if isinstance(result, torch.Tensor):
        assert result.dtype == torch.float32
        case |= {"shape": list(result.shape), "sha256": digest(result.numpy())}
    else:
        a = np.asarray(result)
        case |= {"shape": [a.shape[0], a.shape[1]], "sha256": digest(a)}
    cases.append(case)


# Odd, tiny and very long sizes, scaled up and down, by large ratios and on one side only.
SIZES = [((1, 1), (3, 2)), ((1, 1), (1, 1)), ((5, 7), (5, 7)), ((5, 7), (1, 1)), ((17, 23), (31, 9)), ((37, 41), (16, 16)),
         ((61, 1), (7, 7)), ((1, 61), (7, 7)), ((2, 2), (97, 101)), ((203, 5), (3, 90)), ((40, 30), (40, 12)),
         ((40, 30), (12, 30)), ((64, 64), (63, 65)), ((150, 211), (64, 64)), ((99, 101), (224, 192)),
         # Rows removed: more than twice the columns, exactly twice, fewer.
         ((90, 60), (40, 41)), ((90, 60), (40, 35)), ((90, 60), (40, 34))]
for size, target in SIZES:
    for channels in 1, 3, 4:
        im = picture(*size, channels)
        for name, mode in FILTERS.items():
            add(size, channels, f"resize({target[0]},{target[1]},{name})", F.resize(im, list(target), mode))
for size in (7, 12), (12, 7), (9, 9), (1, 30), (30, 1), (333, 257), (100, 67):
    im = picture(*size, 3)
    for n in 1, 5, 9, 33:
        add(size, 3, f"resize({n})", F.resize(im, [n]))
        add(size, 3, f"resize({n},bicubic)", F.resize(im, [n], InterpolationMode.BICUBIC))
    for n in (1,), (4,), (9,), (12,), (15,), (3, 8), (8, 3), (8, 40), (41, 2), (10, 11):
        add(size, 3, f"centercrop({','.join(map(str, n))})", v2.functional.center_crop(im, list(n)))
    for t, l, h, w in (0, 0, 4, 4), (2, 3, 5, 6), (-2, -3, 9, 9), (5, 5, 40, 40), (-20, 0, 5, 5), (0, 50, 5, 5):
        add(size, 3, f"crop({t},{l},{h},{w})", F.crop(im, t, l, h, w))
    for channels in 1, 3, 4:
        im = picture(*size, channels)
        add(size, channels, "hflip", F.hflip(im))
        add(size, channels, "vflip", F.vflip(im))
        for degrees in 0, 30, -30, 90, 180, 270, 45.5, 359, 400, -0.5, 1e-3, 123.456:
            add(size, channels, f"rotate({degrees})", F.rotate(im, degrees))

IMAGENET = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]
for size in (1, 1), (7, 12), (100, 67), (240, 320):
    for channels in 1, 3, 4:
        im = picture(*size, channels)
        add(size, channels, "totensor", F.to_tensor(im))
        add(size, channels, "totensor | normalize(0.5,0.5)", F.normalize(F.to_tensor(im), [0.5] * channels, [0.5] * channels))
    im = picture(*size, 3)
    add(size, 3, "totensor | normalize([0.485,0.456,0.406],[0.229,0.224,0.225])", F.normalize(F.to_tensor(im), *IMAGENET))
    step = F.center_crop(F.resize(im, [64], InterpolationMode.BICUBIC), [56])
    add(size, 3, "resize(64,bicubic) | centercrop(56) | hflip | totensor | normalize([0.485,0.456,0.406],[0.229,0.224,0.225])",
        F.normalize(F.to_tensor(F.hflip(step)), *IMAGENET))
    step = F.normalize(F.to_tensor(F.resize(F.center_crop(im, [128]), [48, 48])), [0.5] * 3, [0.5] * 3)
    add(size, 3, "centercrop(128) | resize(48,48) | totensor | normalize(0.5,0.5)", step)

out = pathlib.Path("pkg/transform/testdata/golden.json")
out.parent.mkdir(parents=True, exist_ok=True)
lines = ",\n".join(json.dumps(c) for c in cases)
out.write_text(f"[\n{lines}\n]\n")
