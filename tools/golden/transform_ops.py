"""SHA-256 of noise pictures transformed by torchvision with random parameters.

Writes pkg/transform/testdata/ops.txt, with a line for each picture and pipeline: the
picture's height, width and channels, those of the result, the beginning of the
digest of its bytes, and the pipeline's text. The pictures are those of transform.py:
the upper bytes of a linear congruential generator, which the test repeats. Run from the
repository root.
"""
import hashlib
import math
import pathlib
import random

import numpy as np
import torch
from PIL import Image, ImageFilter
from torchvision.transforms import InterpolationMode
from torchvision.transforms import functional as F

MODES = {1: "L", 3: "RGB", 4: "RGBA"}
FILTERS = {"nearest": InterpolationMode.NEAREST, "bilinear": InterpolationMode.BILINEAR, "bicubic": InterpolationMode.BICUBIC}


def picture(height, width, channels):
    state, out = height * 1000003 + width * 1009 + channels, bytearray()
    for _ in range(height * width * channels):
        state = (state * 1664525 + 1013904223) & 0xFFFFFFFF
        out.append(state >> 24)
    a = np.frombuffer(bytes(out), np.uint8).reshape(height, width, channels)
    if channels == 4:
        a = a.copy()
        a[..., 3] = np.clip(a[..., 3].astype(int) * 2 - 128, 0, 255)
    return Image.fromarray(a[..., 0] if channels == 1 else a, MODES[channels])


cases = []


def add(im, spec, result):
    a = np.ascontiguousarray(np.asarray(result))
    size = (im.height, im.width, len(im.getbands()), a.shape[0], a.shape[1], 1 if a.ndim == 2 else a.shape[2])
    cases.append(f"{' '.join(map(str, size))} {hashlib.sha256(a.tobytes()).hexdigest()[:12]} {spec}")


def pictures(channels=(1, 3, 4), sizes=((1, 1), (1, 7), (9, 2), (13, 17), (33, 33), (40, 31))):
    for height, width in sizes:
        for c in channels:
            yield picture(height, width, c)


def filled(im, fill):
    """The fill as pipeline text, with one value or one for each channel of the picture."""
    if fill is None:
        return "", 0
    if isinstance(fill, int):
        return f",fill={fill}", fill
    values = (list(fill) * 4)[:len(im.getbands())]
    return f",fill=[{','.join(map(str, values))}]", values


rng = random.Random(1)

for im in pictures():
    # Rotations with every filter; right angles use other code.
    for name, mode in FILTERS.items():
        for expand in False, True:
            for degrees, fill in (30, None), (-17.25, 200), (90, None), (180, None), (270, 7), (359.5, (1, 2, 3, 4)), (rng.uniform(-180, 180), None):
                text, value = filled(im, fill)
                add(im, f"rotate({degrees!r},{name}{',expand' if expand else ''}{text})", F.rotate(im, degrees, mode, expand, None, value))
    # Affine maps: rotated, translated only, sheared, scaled, about the corner.
    for name, mode in FILTERS.items():
        for angle, dx, dy, scale, sx, sy in [
            (25.0, 2, -1, 1.1, 5.0, -3.0), (0.0, 3, 2, 1.0, 0.0, 0.0), (0.0, 0, 0, 0.5, 0.0, 0.0), (0.0, 0, 0, 1.0, 20.0, 0.0),
            (90.0, 0, 0, 1.0, 0.0, 0.0), (180.0, 1, 0, 2.0, 0.0, 10.0), (rng.uniform(-180, 180), 0, 0, rng.uniform(0.5, 2), rng.uniform(-30, 30), rng.uniform(-30, 30)),
        ]:
            text, value = filled(im, rng.choice([None, 99, (9, 8, 7, 6)]))
            add(im, f"affinemap({angle!r},{dx},{dy},{scale!r},{sx!r},{sy!r},{name}{text})",
                F.affine(im, angle, [dx, dy], scale, [sx, sy], mode, value))
        shear = math.degrees(math.atan(0.3))
        add(im, f"affinemap(0,0,0,1,{shear!r},0,topleft,{name})", F.affine(im, 0.0, [0, 0], 1.0, [shear, 0.0], mode, None, [0, 0]))
        add(im, f"affinemap(0,0,0,1,0,{-shear!r},topleft,{name})", F.affine(im, 0.0, [0, 0], 1.0, [0.0, -shear], mode, None, [0, 0]))
    # Warps: corners moved inwards and outwards.
    w, h = im.size
    if w > 2 and h > 2:
        corners = [[0, 0], [w - 1, 0], [w - 1, h - 1], [0, h - 1]]
        for name, mode in FILTERS.items():
            for reach in 1, w // 4, w // 2:
                moved = [[x + rng.randint(-reach, reach), y + rng.randint(-reach // 2, reach // 2)] for x, y in corners]
                text, value = filled(im, rng.choice([None, 50, (9, 8, 7, 6)]))
                try:
                    F._get_perspective_coeffs(corners, moved)
                except Exception:
                    continue
                flat = lambda points: ",".join(str(v) for p in points for v in p)
                add(im, f"warp({flat(corners)} -> {flat(moved)},{name}{text})", F.perspective(im, corners, moved, mode, value))
    # Borders.
    for text, padding in ("3", 3), ("1,2", [1, 2]), ("1,0,2,5", [1, 0, 2, 5]):
        t, value = filled(im, rng.choice([None, 77, (5, 6, 7, 8)]))
        add(im, f"pad({text}{t})", F.pad(im, padding, value))
        for mode in "edge", "symmetric", "reflect":
            add(im, f"pad({text},{mode})", F.pad(im, padding, 0, mode))
    if min(im.size) > 4:
        for mode in "constant", "edge", "symmetric", "reflect":
            add(im, f"pad(-1,2,3,-2,{mode})", F.pad(im, [-1, 2, 3, -2], 0, mode))
    # Colours.
    for factor in 0, 0.5, 1, 1.5, 0.123, 2.75, 10, rng.uniform(0.5, 1.5), rng.uniform(0, 2):
        add(im, f"brightness({factor!r})", F.adjust_brightness(im, factor))
        add(im, f"contrast({factor!r})", F.adjust_contrast(im, factor))
        add(im, f"saturation({factor!r})", F.adjust_saturation(im, factor))
        add(im, f"sharpness({factor!r})", F.adjust_sharpness(im, factor))
    for shift in 0, 0.5, -0.5, 0.1, -0.25, rng.uniform(-0.5, 0.5):
        add(im, f"hue({shift!r})", F.adjust_hue(im, shift))
    for radius in 0, 0.1, 0.7, 1, 2, 5.5, rng.uniform(0.1, 2):
        add(im, f"pilblur({radius!r})", im.filter(ImageFilter.GaussianBlur(radius)))
    for channels in 1, 3:
        add(im, f"grayscale({channels})", F.to_grayscale(im, channels))
    if len(im.getbands()) < 4:  # PIL refuses the rest for RGBA
        add(im, "grayscale(keep)", F.to_grayscale(im, len(im.getbands())))
        add(im, "invert", F.invert(im))
        add(im, "equalize", F.equalize(im))
        add(im, "autocontrast", F.autocontrast(im))
        for bits in 1, 4, 7, 8:
            add(im, f"posterize({bits})", F.posterize(im, bits))
        for threshold in 0, 100, 128, 200.5, 255, 256:
            add(im, f"solarize({threshold})", F.solarize(im, threshold))

# Sparse histograms, and all hues.
for im in pictures((1, 3), ((50, 41), (97, 80))):
    add(im, "equalize", F.equalize(im))
    add(im, "brightness(0.3) | equalize", F.equalize(F.adjust_brightness(im, 0.3)))
    add(im, "brightness(0.3) | autocontrast", F.autocontrast(F.adjust_brightness(im, 0.3)))
    add(im, "pilblur(2) | autocontrast", F.autocontrast(im.filter(ImageFilter.GaussianBlur(2))))
    add(im, "posterize(1) | equalize", F.equalize(F.posterize(im, 1)))
big = picture(251, 263, 3)
for shift in np.linspace(-0.5, 0.5, 11):
    add(big, f"hue({float(shift)!r})", F.adjust_hue(big, float(shift)))
# The report's steps, at its sizes, with random parameters.
for seed in range(8):
    torch.manual_seed(seed)
    angle, b, c, s = (float(torch.empty(1).uniform_(*r)) for r in ((-30, 30), (0.5, 1.5), (0.5, 1.5), (0.5, 1.5)))
    from torchvision.transforms import RandomPerspective
    start, end = RandomPerspective.get_params(256, 256, 0.2)
    im = F.center_crop(picture(281, 300, 3), [256, 256])
    im = F.adjust_saturation(F.adjust_contrast(F.adjust_brightness(F.rotate(im, angle), b), c), s)
    flat = lambda points: ",".join(str(v) for p in points for v in p)
    spec = f"centercrop(256) | rotate({angle!r}) | brightness({b!r}) | contrast({c!r}) | saturation({s!r}) | warp({flat(start)} -> {flat(end)})"
    add(picture(281, 300, 3), spec, F.perspective(im, start, end))

out = pathlib.Path("pkg/transform/testdata/ops.txt")
out.write_text("\n".join(cases) + "\n")
