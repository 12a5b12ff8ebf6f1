"""Golden values for pkg/evaluate: confidence intervals and McNemar's test by statsmodels
and scipy, calibration error by torchmetrics, the tree of classes by scipy.

Writes pkg/evaluate/testdata/golden.json. Run from the repository root.
"""
import json
import pathlib

import numpy as np
import scipy.cluster.hierarchy as hierarchy
import scipy.spatial.distance as distance
import scipy.stats
import torch
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.proportion import proportion_confint
from torchmetrics.functional.classification import multiclass_accuracy, multiclass_calibration_error

rng = np.random.default_rng(20)


def wilson():
    cases = [(0, 1), (1, 1), (0, 20), (20, 20), (1, 3), (7, 12), (340, 370), (3500, 3669), (1, 100000)]
    return [{"correct": c, "total": n, "interval": list(proportion_confint(c, n, 0.05, "wilson"))} for c, n in cases]


def means():
    out = []
    for n in [2, 3, 4, 5, 8, 30, 300]:
        values = rng.normal(0.9, 0.02, n)
        low, high = scipy.stats.t.interval(0.95, n - 1, loc=values.mean(), scale=scipy.stats.sem(values))
        out.append({"values": values.tolist(), "interval": [low, high], "quantile": scipy.stats.t.ppf(0.975, n - 1)})
    return out


def tests():
    out = []
    for only_first, only_other in [(0, 0), (1, 0), (5, 5), (3, 9), (0, 24), (12, 13), (10, 30), (200, 150), (60, 60), (400, 100)]:
        exact = only_first + only_other < 25
        r = mcnemar([[50, only_first], [only_other, 20]], exact=exact, correction=True)
        out.append({"only_first": only_first, "only_other": only_other, "exact": exact,
                    "statistic": float(r.statistic), "p": float(r.pvalue)})
    return out


def predictions():
    classes, n = 7, 400
    labels = rng.integers(0, classes, n)
    logits = rng.normal(0, 1.5, (n, classes)).astype(np.float32)
    logits[np.arange(n), labels] += 2
    logits = np.round(logits, 4)
    t, l = torch.from_numpy(logits), torch.from_numpy(labels)
    probabilities = t.double().softmax(-1)
    confidence = probabilities.max(-1).values
    return {
        "labels": labels.tolist(), "logits": [float(f"{v:.4f}") for v in logits.ravel()],
        "loss": torch.nn.functional.cross_entropy(t.double(), l).item(),
        "ece": multiclass_calibration_error(probabilities, l, classes, n_bins=15, norm="l1").item(),
        "mce": multiclass_calibration_error(probabilities, l, classes, n_bins=15, norm="max").item(),
        "per_class": multiclass_accuracy(t, l, classes, average=None).tolist(),
        "top5": multiclass_accuracy(t, l, classes, average="micro", top_k=5).item(),
        "confidence_mean": confidence.mean().item(),
    }


def flips(tree, node, n):
    """All orders of a node's leaves that the tree allows."""
    if node < n:
        return [(node,)]
    left, right = (flips(tree, int(c), n) for c in tree[node - n, :2])
    return [o for a in left for b in right for o in (a + b, b + a)]


def orders():
    """The tree is scipy's. The best order of its leaves is found by trying all of them,
    because scipy's own optimal_leaf_ordering (1.17) often misses it."""
    out = []
    for n in [2, 3, 9, 13]:
        counts = rng.integers(0, 50, (n, n)) + np.diag(rng.integers(100, 300, n))
        share = counts / counts.sum(1, keepdims=True)
        d = 1 - (share + share.T) / 2
        np.fill_diagonal(d, 0)
        tree = hierarchy.linkage(distance.squareform(d, checks=False), "average")

        def length(order):
            return float(sum(d[a, b] for a, b in zip(order, order[1:])))

        order = min(flips(tree, 2 * n - 2, n), key=length)
        if order[0] > order[-1]:
            order = order[::-1]
        out.append({"counts": counts.tolist(), "order": list(order), "length": length(order)})
    return out


path = pathlib.Path("pkg/evaluate/testdata/golden.json")
path.parent.mkdir(parents=True, exist_ok=True)
path.write_text(json.dumps({"wilson": wilson(), "means": means(), "mcnemar": tests(),
                            "predictions": predictions(), "orders": orders()}) + "\n")
