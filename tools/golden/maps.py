"""Golden values for pkg/evaluate/maps: the scores of maps, computed pixel by pixel with numpy.

The map is enlarged to pixels by repeating its values, uncounted pixels are taken out, and
each score is its definition over what is left. Of pixels with the same value, of which
only some are needed, each counts in part.

Writes pkg/evaluate/maps/testdata/golden.json. Run from the repository root.
"""
import json
import pathlib

import numpy as np

OUTSIDE, INSIDE, UNCOUNTED = 0, 1, 2
rng = np.random.default_rng(11)


def blob(h, w):
    """A disc with a border, cut off by the picture's edge."""
    y, x = np.mgrid[:h, :w]
    cy, cx, r = rng.uniform(0, h), rng.uniform(0, w), rng.uniform(0.15, 0.5) * min(h, w)
    d = np.hypot(y - cy, x - cx)
    mask = np.where(d < r, INSIDE, OUTSIDE)
    mask[np.abs(d - r) < 1.5] = UNCOUNTED
    return mask


def top_iou(values, inside, area):
    """IoU of inside and the area with the largest values."""
    ordered = np.sort(-values)
    above = np.searchsorted(ordered, -values, "left")
    equal = np.searchsorted(ordered, -values, "right") - above
    taken = np.clip((area - above) / equal, 0, 1)
    hit = (taken * inside).sum()
    return hit / (area + inside.sum() - hit)


def scores(cells, mask, tolerance):
    h, w = mask.shape
    rows, cols = cells.shape
    big = np.kron(cells, np.ones((h // rows, w // cols)))
    counted = mask != UNCOUNTED
    inside = (mask == INSIDE)[counted]
    values = big[counted]
    positive = np.maximum(values, 0)
    energy = (positive * inside).sum() / positive.sum() if positive.sum() > 0 else inside.mean()

    # The centre of each cell, with the mask grown by the tolerance.
    ys, xs = np.nonzero(mask == INSIDE)
    best, hits = -np.inf, []
    for r in range(rows):
        for c in range(cols):
            y, x = (2 * r + 1) * h // (2 * rows), (2 * c + 1) * w // (2 * cols)
            hit = np.hypot(ys - y, xs - x).min() <= tolerance
            if not hit and mask[y, x] == UNCOUNTED:
                continue
            if cells[r, c] > best:
                best, hits = cells[r, c], []
            if cells[r, c] == best:
                hits.append(hit)
    return {
        "pointing": float(np.mean(hits)),
        "energy": float(energy),
        "share": float(inside.mean()),
        "iou": float(top_iou(values, inside, inside.sum())),
        "at_shares": [float(top_iou(values, inside, k / 20 * inside.size)) for k in range(1, 20)],
    }


cases = []
for i, (rows, cols, h, w, tolerance) in enumerate([(4, 4, 24, 24, 0), (3, 5, 24, 40, 2.5), (6, 4, 36, 32, 0), (5, 5, 30, 30, 4)]):
    for kind in ("random", "ties", "signed", "constant", "negative"):
        mask = blob(h, w)
        while not 0 < (mask == INSIDE).sum() < (mask != UNCOUNTED).sum():
            mask = blob(h, w)
        cells = rng.random((rows, cols))
        if kind == "ties":
            cells = np.round(cells * 3)
        elif kind == "signed":
            cells -= 0.5
        elif kind == "constant":
            cells[:] = 0.25
        elif kind == "negative":
            cells -= 2
        cells = cells.astype(np.float32).astype(np.float64)
        cases.append({
            "kind": kind, "rows": rows, "cols": cols, "height": h, "width": w, "tolerance": tolerance,
            "mask": "".join(map(str, mask.ravel())), "values": cells.ravel().tolist(), **scores(cells, mask, tolerance),
        })

path = pathlib.Path("pkg/evaluate/maps/testdata/golden.json")
path.parent.mkdir(parents=True, exist_ok=True)
path.write_text(json.dumps(cases) + "\n")
