"""Golden values for the features and the geometry of attention in pkg/explain.

Principal components by scikit-learn, Otsu's threshold by scikit-image, cosines and
distances by scipy. Writes pkg/explain/testdata/features.json. Run from the repository
root.
"""
import json
import pathlib

import numpy as np
import scipy.spatial.distance
import scipy.stats
import skimage.filters
import sklearn.decomposition

rng = np.random.default_rng(11)


def rounded(x):
    """Nested lists of numbers with 9 digits."""
    if isinstance(x, dict):
        return {k: rounded(v) for k, v in x.items()}
    if isinstance(x, (list, tuple)):
        return [rounded(v) for v in x]
    if isinstance(x, np.ndarray):
        return rounded(x.tolist())
    if isinstance(x, np.generic):
        return rounded(x.item())
    return float(f"{x:.9g}") if isinstance(x, float) else x


def components(x, k):
    """The first components of x, the entry of largest magnitude of each positive."""
    p = sklearn.decomposition.PCA(k, svd_solver="full").fit(x)
    signs = np.sign([c[np.abs(c).argmax()] for c in p.components_])
    return p.transform(x) * signs, p.explained_variance_ratio_


def picture(rows, cols, dim, where, direction):
    """Features of a grid with an object, a rectangle of patches, in it."""
    x = rng.standard_normal((rows, cols, dim)) * np.linspace(0.2, 1, dim)
    top, left, bottom, right = where
    x[top:bottom, left:right] += direction * (1 + 0.2 * rng.standard_normal((bottom - top, right - left, 1)))
    return x.astype(np.float32)


def pca(grids, dim, direction):
    pictures = [picture(r, c, dim, w, direction) for r, c, w in grids]
    x = np.concatenate([p.reshape(-1, dim) for p in pictures]).astype(np.float64)
    border = []
    for r, c, _ in grids:
        b = np.ones((r, c), bool)
        b[1:-1, 1:-1] = False
        border.append(b.ravel())
    border = np.concatenate(border)
    scores, ratio = components(x, 1)
    scores = scores[:, 0]
    threshold = skimage.filters.threshold_otsu(scores)
    above = scores > threshold
    flipped = bool((border & ~above).sum() < (border & above).sum())
    if flipped:
        scores, threshold, above = -scores, -threshold, ~above
    fore, ratios = components(x[above], 3)
    low, high = np.percentile(fore, [2, 98], axis=0)
    colours = np.zeros((len(x), 3))
    colours[above] = np.clip((fore - low) / (high - low), 0, 1)
    return {
        "grids": [[r, c] for r, c, _ in grids], "dim": dim, "features": x.ravel(),
        "first": ratio[0], "threshold": threshold, "flipped": flipped, "scores": scores,
        "foreground": above, "ratios": ratios, "colours": colours.ravel(),
    }


def nearest(grids, dim):
    (ra, ca), (rb, cb) = grids
    a = rng.standard_normal((ra * ca, dim)).astype(np.float32)
    b = rng.standard_normal((rb * cb, dim)).astype(np.float32)
    cosine = 1 - scipy.spatial.distance.cdist(a.astype(float), b.astype(float), "cosine")
    to_b, to_a = cosine.argmax(1), cosine.argmax(0)
    pairs = [(i, int(j), float(cosine[i, j])) for i, j in enumerate(to_b) if to_a[j] == i]
    pairs.sort(key=lambda p: -p[2])
    return {
        "grids": grids, "dim": dim, "a": a.ravel(), "b": b.ravel(), "query": cosine[ca + 2],
        "pairs_a": [p[0] for p in pairs], "pairs_b": [p[1] for p in pairs], "cosines": [p[2] for p in pairs],
    }


def norms(rows, cols, prefix, dim):
    x = rng.standard_normal((prefix + rows * cols, dim)).astype(np.float32)
    x[prefix + 3] *= 9
    x[prefix + 13] *= 5
    length = np.linalg.norm(x.astype(np.float64), axis=1)
    patches = length[prefix:]
    mad = scipy.stats.median_abs_deviation(patches, scale=1)
    median = np.median(patches)
    return {
        "grid": [rows, cols], "prefix": prefix, "dim": dim, "tokens": x.ravel(), "norms": length, "median": median,
        "mad": mad, "outliers": np.flatnonzero(patches > median + 6 * mad),
    }


def geometry(rows, cols, patch, prefix, heads):
    tokens = prefix + rows * cols
    a = scipy.special.softmax(2 * rng.standard_normal((heads, tokens, tokens)), -1).astype(np.float32)
    y, x = np.divmod(np.arange(rows * cols), cols)
    places = np.stack([(y + 0.5) * patch[0], (x + 0.5) * patch[1]], 1)
    apart = scipy.spatial.distance.cdist(places, places)
    q = a[:, prefix:].astype(np.float64)
    keys = q[..., prefix:] / q[..., prefix:].sum(-1, keepdims=True)
    return {
        "grid": [rows, cols], "patch": patch, "prefix": prefix, "heads": heads, "probabilities": a.ravel(),
        "distance": (keys * apart).sum(-1).mean(-1), "entropy": scipy.stats.entropy(keys, base=2, axis=-1).mean(-1),
        "class": q[..., 0].mean(-1), "others": q[..., 1:prefix].sum(-1).mean(-1), "uniform": apart.mean(),
    }


def otsu():
    samples = [
        np.concatenate([rng.normal(-2, 1, 40), rng.normal(3, 0.5, 20)]), rng.random(25), np.repeat([1.0, 2.0, 5.0], 4),
        np.array([7.0, 7.0]), np.array([0.0, 1e-3]),
    ]
    return [{"values": v, "threshold": skimage.filters.threshold_otsu(v)} for v in map(np.round, samples, [6] * 5)]


direction = rng.standard_normal(9) * 2
out = {
    "pca": [
        pca([(5, 6, (1, 1, 4, 4)), (6, 4, (2, 1, 5, 3))], 9, direction),
        pca([(5, 6, (1, 2, 4, 5)), (4, 5, (1, 1, 3, 4))], 9, -direction),
        pca([(5, 7, (1, 2, 4, 5))], 60, 2 * rng.standard_normal(60)),
    ],
    "otsu": otsu(),
    "nearest": nearest([(3, 4), (4, 5)], 6),
    "norms": norms(4, 5, 3, 6),
    "geometry": geometry(3, 4, [14, 10], 3, 2),
}
path = pathlib.Path("pkg/explain/testdata/features.json")
path.write_text(json.dumps(rounded(out), separators=(",", ":")) + "\n")
