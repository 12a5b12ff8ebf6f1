"""Golden values for the metrics of maps in pkg/evaluate/maps.

Where a metric needs a model, it is a linear one whose weights are sines, so that the test
can build it too. References: torchcam (deletion and insertion), pytorch-grad-cam (ROAD
without noise, its linear imputation), captum (infidelity, max-sensitivity), quantus (pointing,
energy, Gini index, entropy, entropy of a histogram), scikit-image (Otsu's threshold, SSIM),
scikit-learn (average precision), scipy (correlations, Gaussian filter). Own scripts, from the
papers: positive and negative perturbation, average drop, increase and gain, and the pooled
scores of Chefer et al.

Writes pkg/evaluate/maps/testdata/metrics.json. Run from the repository root.
"""
import contextlib
import json
import pathlib
import types
import warnings

import numpy as np
import scipy.ndimage
import scipy.stats
import skimage.filters
import skimage.metrics
import sklearn.metrics
import torch
from captum.metrics import infidelity, sensitivity_max
from pytorch_grad_cam.metrics.perturbation_confidence import PerturbationConfidenceMetric, RemoveLeastRelevantFirst, RemoveMostRelevantFirst
from pytorch_grad_cam.metrics.road import NoisyLinearImputer
from torchcam.metrics import DeletionInsertionMetric

warnings.filterwarnings("ignore")
import quantus
from quantus.functions import complexity_func

torch.set_num_threads(1)
rng = np.random.default_rng(5)
ROWS, COLS, CELL, CLASSES = 4, 5, 6, 5
H, W = ROWS * CELL, COLS * CELL


def floats(a, digits=7):
    return [float(f"{v:.{digits}g}") for v in np.asarray(a, dtype=np.float64).ravel()]


class Linear(torch.nn.Module):
    def __init__(self):
        super().__init__()
        n = 3 * H * W
        w = np.sin(0.1 + 0.37 * np.arange(CLASSES * n)) * 0.12
        self.weight = torch.tensor(w.reshape(CLASSES, n).astype(np.float32))

    def forward(self, x):
        return x.flatten(1) @ self.weight.T


model = Linear()


def picture(k):
    """A smooth picture that the test makes too."""
    y, x = np.mgrid[:H, :W]
    planes = [np.sin(0.21 * x * (k + 1) + c) + np.cos(0.17 * y + 0.4 * c * k) + 0.3 * np.sin(1.9 * x + 2.3 * y + c) for c in range(3)]
    return torch.tensor(np.stack(planes).astype(np.float32))


def big(cells):
    return np.kron(cells, np.ones((CELL, CELL))).astype(np.float32)


class Extractor:
    """What torchcam's metric asks of a method, with a map that is given."""

    def __init__(self, cam):
        self.model, self.cam = model, torch.tensor(cam)[None]

    def __call__(self, *args, **kwargs):
        return [self.cam]

    def fuse_cams(self, cams):
        return cams[0]

    def _hooks_off(self):
        return contextlib.nullcontext()


def probability(x, c):
    return torch.softmax(model(x), -1)[:, c]


def perturbed(x, order, c):
    """Chefer's accuracy while the cells of an order are removed."""
    accuracy, shares = [], []
    for k in range(0, 19, 2):
        gone = np.zeros(ROWS * COLS, bool)
        gone[order[:k]] = True
        y = x.clone()
        y[:, :, torch.tensor(big(gone.reshape(ROWS, COLS)) > 0)] = 0
        accuracy.append(float(model(y).argmax(-1) == c))
        shares.append(k / (ROWS * COLS))
    return 100 * np.trapezoid(accuracy, shares)


def faithfulness(k):
    x = picture(k)[None]
    c = int(model(x).argmax(-1))
    cells = rng.permutation(ROWS * COLS).reshape(ROWS, COLS) / (ROWS * COLS - 1)
    cam = big(cells)
    di = DeletionInsertionMetric(Extractor(cam), lambda logits: torch.softmax(logits, -1), steps=10)
    di.update(x, c)
    summary = di.summary()

    class Target:
        def __call__(self, output):
            return torch.softmax(output, -1)[c]

    road = []
    for p in range(10, 100, 10):
        pair = [PerturbationConfidenceMetric(r(p, NoisyLinearImputer(noise=0)))(x, cam[None], [Target()], model)[0]
                for r in (RemoveLeastRelevantFirst, RemoveMostRelevantFirst)]
        road.append((pair[0] - pair[1]) / 2)
    order = np.argsort(-cells.ravel())
    y = float(probability(x, c)[0])
    o = float(probability(x * torch.tensor(cam), c)[0])
    return {
        "class": c, "values": floats(cells, 9), "deletion": summary["deletion_auc"], "insertion": summary["insertion_auc"], "road": float(np.mean(road)),
        "positive": perturbed(x, order, c), "negative": perturbed(x, order[::-1], c),
        "drop": max(0, y - o) / y, "increase": float(o > y), "gain": max(0, o - y) / (1 - y),
    }


def imputed(k, share):
    cells = rng.permutation(ROWS * COLS).reshape(ROWS, COLS) < share * ROWS * COLS
    filled = NoisyLinearImputer(noise=0)(picture(k), torch.tensor(1 - big(cells)))
    return {"gone": "".join(map(str, cells.astype(int).ravel())), "picture": k, "sampled": floats(filled.numpy().ravel()[::7], 6)}


def blur(sigma):
    x = picture(0).numpy().astype(np.float64)
    return {"sigma": sigma, "sampled": floats(np.stack([scipy.ndimage.gaussian_filter(p, sigma) for p in x]).ravel()[::7], 6)}


def subsets_case():
    n, count = 12, 40
    phi = rng.normal(size=n) + 0.5
    masks = np.array([np.isin(np.arange(n), rng.permutation(n)[:4]) for _ in range(count)])
    effect = phi + rng.normal(size=n)
    forward = lambda v: (v * torch.tensor(effect)).sum(1) ** 2 / 9 + v.sum(1)
    x = torch.ones(1, n, dtype=torch.float64)
    perturb = lambda inputs: (torch.tensor(masks, dtype=torch.float64), inputs - torch.tensor(masks, dtype=torch.float64))
    score = infidelity(forward, perturb, x, torch.tensor(phi)[None], n_perturb_samples=count, normalize=True)
    d = (forward(x) - forward(x - torch.tensor(masks, dtype=torch.float64))).numpy()
    return {"values": floats(phi, 17), "subsets": ["".join(map(str, m.astype(int))) for m in masks], "losses": floats(d, 17),
            "infidelity": float(score), "pearson": float(scipy.stats.pearsonr(masks @ phi, d)[0])}


def moved_case():
    x = torch.tensor(rng.normal(size=(1, 9)))
    noise = torch.tensor(rng.uniform(-0.02, 0.02, size=(6, 9)))
    explain = lambda v: v ** 3 + torch.sin(9 * v)
    score = sensitivity_max(lambda v: (explain(v[0]),) if isinstance(v, tuple) else explain(v), x, lambda v: v + noise[:v.shape[0]], n_perturb_samples=6, norm_ord="fro")
    return {"before": floats(explain(x), 17), "after": [floats(explain(x + n), 17) for n in noise], "score": float(score)}


def rank_case(ties):
    a, b = rng.normal(size=20), rng.normal(size=20)
    if ties:
        a, b = np.round(a), np.round(2 * b)
    return {"a": floats(a, 17), "b": floats(b, 17), "spearman": float(scipy.stats.spearmanr(a, b)[0])}


def ssim_case(rows, cols, window):
    a = rng.normal(size=(rows, cols))
    b = 0.6 * a + 0.4 * rng.normal(size=(rows, cols))
    a, b = a / np.abs(a).max(), b / np.abs(b).max()
    return {"rows": rows, "cols": cols, "a": floats(a, 17), "b": floats(b, 17),
            "ssim": float(skimage.metrics.structural_similarity(a, b, win_size=window, data_range=2))}


def shape_case(kind):
    """Gini index, entropy and the entropy of the histogram."""
    a = rng.normal(size=36) ** 3
    if kind == "sparse":
        a[rng.permutation(36)[:20]] = 0
    m = np.abs(a)
    bins = int(np.ceil(np.sqrt(a.size)))
    return {"values": floats(a, 17), "gini": float(complexity_func.gini_coeffiient(m, m)),
            "entropy": float(complexity_func.entropy(m, m) / np.log(m.size)),
            "histogram": float(complexity_func.discrete_entropy(a, a, n_bins=bins))}


def located(kind):
    """A map against a mask whose edges are those of cells, for the scores by cells."""
    rows, cols, cell = 4, 4, 5
    inside = rng.random((rows, cols)) < 0.4
    inside[0, 0], inside[3, 3] = True, False
    cells = rng.random((rows, cols))
    if kind == "signed":
        cells -= 0.4
    cells = cells.astype(np.float32).astype(np.float64)
    mask = np.kron(inside, np.ones((cell, cell))).astype(int)
    h, w = mask.shape
    up = torch.nn.functional.interpolate(torch.tensor(cells)[None, None], (h, w), mode="bilinear").numpy()[0, 0]
    up = up.astype(np.float32).astype(np.float64)  # pixels beyond the outer cells' centres are equal but for rounding
    iou = lambda said: float((said & (mask == 1)).sum() / (said | (mask == 1)).sum())
    near = np.kron(cells, np.ones((cell, cell)))
    batch = dict(model=None, x_batch=np.zeros((1, 1, h, w)), y_batch=np.zeros(1, int), s_batch=mask[None, None].astype(bool), device="cpu")
    how = dict(abs=False, normalise=False, disable_warnings=True)
    out = {"rows": rows, "cols": cols, "values": floats(cells, 17), "mask": "".join(map(str, mask.ravel())), "size": h,
           "otsu": float(skimage.filters.threshold_otsu(up)), "iou_otsu": iou(up > skimage.filters.threshold_otsu(up)), "iou_mean": iou(up > up.mean()),
           "ap": float(sklearn.metrics.average_precision_score(mask.ravel(), up.ravel())),
           "pointing": float(quantus.PointingGame(**how)(a_batch=near[None, None], **batch)[0]),
           "energy": float(quantus.RelevanceMassAccuracy(**how)(a_batch=np.maximum(near, 0)[None, None], **batch)[0])}
    return out, up, mask


def pooled(cases):
    """Chefer et al., from their paper: pooled pixels; channels of background and foreground."""
    right = counted = 0
    both, either, ap = np.zeros(2), np.zeros(2), []
    for _, up, mask in cases:
        said = (up > up.mean()).astype(int)
        right, counted = right + (said == mask).sum(), counted + mask.size
        for k in range(2):
            both[k] += ((said == k) & (mask == k)).sum()
            either[k] += ((said == k) | (mask == k)).sum()
        v = (up - up.min()) / (up.max() - up.min())
        truth = np.concatenate([(mask == 0).ravel(), (mask == 1).ravel()])
        ap.append(sklearn.metrics.average_precision_score(truth, np.concatenate([1 - v.ravel(), v.ravel()])))
    return {"accuracy": float(right / counted), "miou": float((both / either).mean()), "map": float(np.mean(ap))}


cases = [located(k) for k in ("positive", "positive", "signed")]
golden = {
    "rows": ROWS, "cols": COLS, "cell": CELL, "classes": CLASSES,
    "faithfulness": [faithfulness(k) for k in range(3)],
    "imputed": [imputed(0, 0.3), imputed(1, 0.8)],
    "blur": [blur(2.5), blur(9)],
    "subsets": [subsets_case() for _ in range(2)],
    "moved": moved_case(),
    "ranks": [rank_case(False), rank_case(True)],
    "ssim": [ssim_case(8, 8, 5), ssim_case(4, 6, 3)],
    "shape": [shape_case("dense"), shape_case("sparse")],
    "located": [c[0] for c in cases],
    "pooled": pooled(cases),
}
path = pathlib.Path("pkg/evaluate/maps/testdata/metrics.json")
path.write_text(json.dumps(golden) + "\n")
