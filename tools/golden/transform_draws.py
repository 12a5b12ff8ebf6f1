"""Distributions of the random parameters in torchvision.

Writes pkg/transform/testdata/draws.json: for random steps (as pipeline text) and a
picture size, the distribution of each random parameter, as values with the fraction of
40,000 draws that are at most as large; and the magnitudes of RandAugment and
TrivialAugmentWide. Run from the repository root.
"""
import json
import pathlib
import random

import numpy as np
import torch
from timm.data import mixup
from torchvision import transforms as T
from torchvision.transforms import autoaugment

DRAWS, POINTS = 40000, 48
torch.manual_seed(7)
random.seed(7)
np.random.seed(7)


def distribution(values):
    values = np.sort(np.asarray([float(f"{v:.7g}") for v in values]))
    distinct = np.unique(values)
    if len(distinct) > POINTS:
        distinct = np.unique(np.quantile(values, (np.arange(POINTS) + 0.5) / POINTS, method="nearest"))
    parts = np.searchsorted(values, distinct, side="right") / len(values)
    return [distinct.tolist(), [round(float(p), 5) for p in parts]]


cases = []


def add(spec, width, height, draw):
    rows = [draw() for _ in range(DRAWS)]
    names = list(rows[0])
    cases.append({"spec": spec, "width": width, "height": height,
                  "parameters": {n: distribution([r[n] for r in rows if r[n] is not None])
                                 for n in names if any(r[n] is not None for r in rows)}})


def image(width, height):
    return torch.empty(3, height, width)  # get_params only uses the size


def crop(width, height, box, height_limit=None):
    top, left, h, w = box
    return {"top": top, "left": left, "height": h, "width": w, "area": h * w / (width * height), "ratio": w / h,
            "bottom": height - top - h, "right": width - left - w}


add("randomhflip", 9, 9, lambda: {"happens": float(torch.rand(1) < 0.5)})
add("randomgrayscale", 9, 9, lambda: {"happens": float(torch.rand(1) < 0.1)})
add("rotation(30)", 9, 9, lambda: {"degrees": T.RandomRotation.get_params([-30.0, 30.0])})


def affine():
    angle, (dx, dy), scale, (sx, sy) = T.RandomAffine.get_params([-10.0, 25.0], [0.1, 0.3], [0.8, 1.3], [-5.0, 5.0, -20.0, 2.0], [100, 61])
    return {"degrees": angle, "dx": dx, "dy": dy, "scale": scale, "shearx": sx, "sheary": sy, "both": dx + dy}


add("affine(-10:25,translate=[0.1,0.3],scale=0.8:1.3,shear=5,sheary=-20:2)", 100, 61, affine)


def perspective(width, height, distortion, p):
    if torch.rand(1) >= p:
        return {"happens": 0.0} | {f"{a}{i}": None for i in range(4) for a in "xy"} | {"across": None}
    _, end = T.RandomPerspective.get_params(width, height, distortion)
    return {"happens": 1.0} | {f"{a}{i}": end[i][j] for i in range(4) for j, a in enumerate("xy")} | {"across": end[1][0] - end[0][0]}


add("perspective(0.2,p=0.5)", 256, 256, lambda: perspective(256, 256, 0.2, 0.5))
add("perspective(0.7,p=0.9)", 31, 12, lambda: perspective(31, 12, 0.7, 0.9))


def jitter(b, c, s, h):
    order, *values = T.ColorJitter.get_params(b, c, s, h)
    order = order.tolist()
    out = {f"place{i}": float(order.index(i)) for i in range(4)}
    return out | {n: v for n, v in zip(("brightness", "contrast", "saturation", "hue"), values)} | {"first two": float(order[0] * 4 + order[1])}


add("jitter(0.5:1.5,0.5:1.5,0.5:1.5,0.1)", 9, 9, lambda: jitter([0.5, 1.5], [0.5, 1.5], [0.5, 1.5], [-0.1, 0.1]))
add("randomcrop(20,30)", 50, 41, lambda: crop(50, 41, T.RandomCrop.get_params(image(50, 41), (20, 30))))
for spec, width, height, scale, ratio in [
    ("randomresizedcrop(9)", 120, 90, (0.08, 1.0), (3 / 4, 4 / 3)),
    ("randomresizedcrop(9,scale=0.5:1,ratio=0.5:1)", 200, 60, (0.5, 1.0), (0.5, 1.0)),
    ("randomresizedcrop(9)", 3, 4, (0.08, 1.0), (3 / 4, 4 / 3)),
]:
    add(spec, width, height, lambda: crop(width, height, T.RandomResizedCrop.get_params(image(width, height), scale, ratio)))
add("gaussianblur(5)", 9, 9, lambda: {"sigma": T.GaussianBlur.get_params(0.1, 2.0)})


def erasing(width, height, p, scale, ratio):
    none = {k: None for k in ("top", "left", "height", "width", "area", "ratio", "bottom", "right")}
    if torch.rand(1) >= p:
        return {"happens": 0.0} | none
    im = image(width, height)
    i, j, h, w, v = T.RandomErasing.get_params(im, scale, ratio, [0.0])
    if v is im:  # nothing fitted
        return {"happens": 0.0} | none
    return {"happens": 1.0} | crop(width, height, (i, j, h, w))


add("randomerasing", 64, 48, lambda: erasing(64, 48, 0.5, (0.02, 0.33), (0.3, 3.3)))
add("randomerasing(p=1,scale=0.5:1,ratio=0.2:0.9)", 20, 33, lambda: erasing(20, 33, 1.0, (0.5, 1.0), (0.2, 0.9)))

# The fourteen steps: the choice of step and its magnitude.
drawn = []
autoaugment._apply_op = lambda img, name, magnitude, **_: drawn.append((name, magnitude)) or img
NAMES = list(T.RandAugment()._augmentation_space(31, (9, 9)))


def augmented(transform, width, height):
    from PIL import Image
    im = Image.new("RGB", (width, height))

    def draw():
        drawn.clear()
        transform(im)
        name, magnitude = drawn[0]
        return {"kind": float(NAMES.index(name))} | {n: magnitude if n == name else None for n in NAMES if n not in ("Identity", "AutoContrast", "Equalize")}
    return draw


add("randaugment(1,9)", 300, 200, augmented(T.RandAugment(1, 9), 300, 200))
add("randaugment(1,14,bins=16)", 37, 51, augmented(T.RandAugment(1, 14, 16), 37, 51))
add("trivialaugmentwide", 300, 200, augmented(T.TrivialAugmentWide(), 300, 200))


def three():
    kind = random.choice([0, 1, 2])
    return {"kind": float(kind), "radius": random.uniform(0.1, 2.0) if kind == 2 else None}


add("3augment", 9, 9, three)


def mixed(**arguments):
    m = mixup.Mixup(num_classes=5, **arguments)

    def draw():
        lam, cut = m._params_per_batch()
        box = (0, 0, 0, 0)
        if cut and lam != 1:
            box, lam = mixup.cutmix_bbox_and_lam((8, 3, 30, 40), lam)
        top, bottom, left, right = (float(v) for v in box)
        cutting = bool(cut) and lam != 1
        none = {} if cutting else {k: None for k in ("top", "bottom", "left", "right")}
        return {"happens": float(lam != 1), "cut": float(cutting), "lambda": float(lam),
                "top": top, "bottom": bottom, "left": left, "right": right} | none
    return draw


for alpha, cut_alpha, prob, switch in (0.8, 1.0, 1.0, 0.5), (0.2, 0.0, 0.7, 0.5), (0.0, 2.5, 0.9, 0.5), (1.0, 0.3, 1.0, 0.25):
    add(f"mix({alpha},{cut_alpha},{prob},{switch})", 40, 30, mixed(mixup_alpha=alpha, cutmix_alpha=cut_alpha, prob=prob, switch_prob=switch))

magnitudes = []
for bins in 2, 10, 31:
    for width, height in (300, 200), (37, 51):
        rand = T.RandAugment()._augmentation_space(bins, (height, width))
        wide = T.TrivialAugmentWide()._augmentation_space(bins)
        for which, space in ("rand", rand), ("trivial", wide):
            magnitudes.append({"which": which, "bins": bins, "width": width, "height": height,
                               "values": [[float(v) for v in m[0].double()] if m[0].ndim else [] for m in space.values()]})

out = pathlib.Path("pkg/transform/testdata/draws.json")
lines = ",\n".join(json.dumps(c, separators=(",", ":")) for c in cases)
tables = ",\n".join(json.dumps(m, separators=(",", ":")) for m in magnitudes)
out.write_text(f'{{"draws":[\n{lines}\n],"magnitudes":[\n{tables}\n]}}\n')
