"""Every explanation method from its formula, over explain_models.Vision, in float64.

METHODS has a function for each name; it takes a Job and returns a value for each patch,
[pictures, patches]. Where papers leave a choice open:

* The score f is the logit, or the difference of two, before softmax; ViT-CX alone uses
  probabilities, as its paper does. The class is fixed by the undisturbed picture.
* Heads and layers count from 0. s is the start row: the weights with which the head reads
  the tokens, or one patch (query).
* Pixels become patches by sums: over the channels, then over the patch. Saliency and
  SmoothGrad take the greatest magnitude over the channels instead of their sum.
* Baselines (integrated gradients, occlusion) are zero, the mean of normalised pixels.
* Rollout's discard sets the floor(d*T*T) smallest entries of the matrix to zero. The diagonal
  and the columns of prefix tokens stay, and the smallest are those of the rest.
* TAM's gradients are at k*x/m for k = 1..m.
* Attention Grad-CAM's mean is over patches, as in the code of Chefer et al.
* Grad-CAM++'s g^3*sum(u) is zero where it is negative, which it isn't for the features of
  the paper: else the denominator crosses zero.
* LeGrad reads every layer by the model's own head and pooling.
* Score-CAM, RISE and ViT-CX enlarge bilinearly with half-pixel centres.
* The noise of SmoothGrad is a share of the range of a picture's values, that of ViT-CX isn't.
"""
import dataclasses
import functools
import math

import numpy as np
import scipy.cluster.hierarchy
import torch
import torch.nn.functional as F


@dataclasses.dataclass
class Job:
    vision: object
    pictures: torch.Tensor  # [pictures, channels, height, width]
    weights: torch.Tensor   # [pictures, classes]: the score is the logits' sum, so weighted
    drawn: dict             # random numbers
    options: dict           # texts

    def number(self, name, otherwise):
        return type(otherwise)(self.options.get(name, otherwise))

    @functools.cached_property
    def start(self):
        if "query" in self.options:
            row, col = map(int, self.options["query"].split(","))
            s = torch.zeros(self.vision.tokens, dtype=torch.float64)
            s[self.vision.prefix + row * self.vision.grid[1] + col] = 1
            return s
        return self.vision.start()

    @functools.cached_property
    def passed(self):
        return self.vision.run(self.pictures)

    def scores(self, images, **how):
        """f of each picture; images may be [samples, pictures, ...]."""
        if images.ndim == 5:
            return torch.stack([self.scores(x, **how) for x in images])
        with torch.no_grad():
            return (self.vision.run(images, **how).logits * self.weights).sum(-1)

    def gradients(self, of, of_pass=None):
        """The gradients of the summed score."""
        passed = of_pass or self.passed
        return torch.autograd.grad((passed.logits * self.weights).sum(), of, retain_graph=True)

    def pixel_gradient(self, images):
        x = images.clone().requires_grad_()
        return self.gradients(x, self.vision.run(x))[0]

    def on_patches(self, x):
        """The patches' part of [pictures, tokens, ...]."""
        return x[:, self.vision.prefix:]

    def from_pixels(self, values):
        """[pictures, height, width] summed over each patch."""
        (h, w), (ph, pw) = self.vision.grid, self.vision.patch
        return values.reshape(-1, h, ph, w, pw).sum((2, 4)).flatten(1)

    def enlarged(self, values):
        """[..., rows, cols] at the pictures' size."""
        flat = values.reshape(-1, 1, *values.shape[-2:])
        big = F.interpolate(flat, self.vision.size, mode="bilinear", align_corners=False)
        return big.reshape(*values.shape[:-2], *self.vision.size)


def combined(heads, a):
    """The heads of a, [pictures, heads, queries, keys], as one matrix."""
    if heads in ("mean", "max", "min"):
        return {"mean": a.mean, "max": a.amax, "min": a.amin}[heads](1)
    return a[:, int(heads)]


def attention(job):
    a = combined(job.options.get("heads", "mean"), job.passed.attention[job.number("layer", -1)])
    return job.on_patches(torch.einsum("q,bqk->bk", job.start, a))


def discarded(a, share, prefix):
    """a without its smallest entries."""
    tokens = a.shape[-1]
    goes = ~torch.eye(tokens, dtype=torch.bool)
    goes[:, :prefix] = False
    at = goes.flatten().nonzero()[:, 0]
    flat = a.detach().flatten(1).clone()
    for matrix in flat:
        smallest = matrix[at].argsort()[:int(share * tokens * tokens)]
        matrix[at[smallest]] = 0
    return flat.reshape(a.shape)


def rolled(job, matrices):
    """The full product of the layers' matrices; the start row of it."""
    product = torch.eye(job.vision.tokens, dtype=torch.float64).expand(len(job.pictures), -1, -1)
    for a in matrices:
        a = discarded(a, job.number("discard", 0.0), job.vision.prefix)
        a = (a + torch.eye(job.vision.tokens)) / 2
        product = a / a.sum(-1, keepdim=True) @ product
    assert (product.sum(-1) - 1).abs().max() < 1e-12
    return job.on_patches(torch.einsum("q,bqk->bk", job.start, product))


def rollout(job):
    return rolled(job, [combined(job.options.get("heads", "mean"), a) for a in job.passed.attention])


def gradrollout(job):
    a = job.passed.attention
    return rolled(job, [(g * p).mean(1).clamp(min=0) for g, p in zip(job.gradients(a), a)])


def chefer(job):
    a = job.passed.attention
    relevance = torch.eye(job.vision.tokens, dtype=torch.float64).expand(len(job.pictures), -1, -1)
    for g, p in zip(job.gradients(a), a):
        relevance = relevance + (g * p).clamp(min=0).mean(1) @ relevance
    return job.on_patches(torch.einsum("q,bqk->bk", job.start, relevance))


def attngradcam(job):
    a = job.passed.attention[-1]
    g = job.gradients([a])[0]
    a, g = (job.on_patches(torch.einsum("q,bhqk->bkh", job.start, x)) for x in (a, g))
    return (a * g.mean(1, keepdim=True)).mean(-1).clamp(min=0)


def attcat(job):
    p = job.passed
    total = 0
    for x, g, a in zip(p.inputs, job.gradients(p.inputs), p.attention):
        total = total + (x * g).sum(-1) * a.mean((1, 2))
    return job.on_patches(total)


def legrad(job):
    p = job.vision.run(job.pictures, apart=True)
    total = 0
    for a, logits in zip(p.attention, p.after):
        g = torch.autograd.grad((logits * job.weights).sum(), a)[0]
        total = total + g.clamp(min=0).mean((1, 2))
    return job.on_patches(total / len(p.attention))


def tam(job):
    a = [x.mean(1) for x in job.passed.attention]
    v = torch.einsum("q,bqk->bk", job.start, a[-1])
    for matrix in reversed(a[:-1]):
        v = v + torch.einsum("bq,bqk->bk", v, matrix)
    steps, total = job.number("steps", 20), 0
    for k in range(1, steps + 1):
        p = job.vision.run(job.pictures * (k / steps))
        total = total + job.gradients([p.attention[-1]], p)[0]
    evidence = (total / steps).clamp(min=0).mean(1)
    return job.on_patches(v * torch.einsum("q,bqk->bk", job.start, evidence))


def features(job):
    """The last block's normalised input on patches, and its gradient."""
    u = job.passed.norms[-1]
    return job.on_patches(u), job.on_patches(job.gradients([u])[0])


def gradcam(job):
    u, g = features(job)
    return (u * g.mean(1, keepdim=True)).sum(-1).clamp(min=0)


def hirescam(job):
    u, g = features(job)
    return (u * g).sum(-1)


def layercam(job):
    u, g = features(job)
    return (u * g.clamp(min=0)).sum(-1).clamp(min=0)


def gradcampp(job, clipped=True):
    u, g = features(job)
    cubic = g ** 3 * u.sum(1, keepdim=True)
    below = 2 * g ** 2 + (cubic.clamp(min=0) if clipped else cubic) + 1e-6
    w = (g ** 2 / below * g.clamp(min=0)).sum(1, keepdim=True)
    return (u * w).sum(-1).clamp(min=0)


def minmax(x, dims):
    """x scaled to [0, 1] over dims; zero where it is constant."""
    low, high = x.amin(dims, keepdim=True), x.amax(dims, keepdim=True)
    return torch.where(high > low, (x - low) / (high - low).clamp(min=1e-300), 0.0)


def channels(job):
    """The last block's normalised input as pictures, [pictures, dim, rows, cols]."""
    u = job.on_patches(job.passed.norms[-1]).detach()
    return u.transpose(1, 2).unflatten(-1, job.vision.grid)


def scorecam(job, masks=None):
    u = channels(job)
    if masks is None:
        masks = minmax(job.enlarged(u), (-2, -1))
    w = job.scores(masks.transpose(0, 1)[:, :, None] * job.pictures).softmax(0)
    return torch.einsum("kb,bkrc->brc", w, u).clamp(min=0).flatten(1)


def saliency(job):
    return job.from_pixels(job.pixel_gradient(job.pictures).abs().amax(1))


def inputgradient(job):
    return job.from_pixels((job.pixel_gradient(job.pictures) * job.pictures).sum(1))


def ig(job):
    at, weight = np.polynomial.legendre.leggauss(job.number("steps", 32))
    total = sum(w / 2 * job.pixel_gradient(job.pictures * ((a + 1) / 2)) for a, w in zip(at, weight))
    return job.from_pixels((total * job.pictures).sum(1))


def noises(job):
    """Standard normal numbers for each sample, [samples, pictures, channels, height, width]."""
    shape = job.pictures.shape[1:]
    return job.drawn["noise"][..., :math.prod(shape)].unflatten(-1, shape)


def spans(job):
    """The range of each picture's values, [pictures, 1, 1, 1]."""
    return job.pictures.amax((1, 2, 3), keepdim=True) - job.pictures.amin((1, 2, 3), keepdim=True)


def smoothgrad(job):
    sigma = job.number("noise", 0.15) * spans(job)
    gradients = [job.pixel_gradient(job.pictures + sigma * e) for e in noises(job)]
    return job.from_pixels(torch.stack(gradients).mean(0).abs().amax(1))


def occlusion(job):
    """Windows lie wholly in the picture, one at every position."""
    side, (rows, cols), (ph, pw) = job.number("window", 1), job.vision.grid, job.vision.patch
    full, total, cover = job.scores(job.pictures), torch.zeros(len(job.pictures), rows, cols), torch.zeros(rows, cols)
    total = total.double()
    for r in range(rows - side + 1):
        for c in range(cols - side + 1):
            x = job.pictures.clone()
            x[:, :, r * ph:(r + side) * ph, c * pw:(c + side) * pw] = 0
            total[:, r:r + side, c:c + side] += (full - job.scores(x))[:, None, None]
            cover[r:r + side, c:c + side] += 1
    return (total / cover).flatten(1)


def pixel_masks(job):
    """RISE's: a grid of cells enlarged to one cell more than the picture, cut out at a
    shift below a cell, [samples, pictures, height, width]."""
    cells = job.drawn["cells"]
    side = cells.shape[-1]
    size = [math.ceil(n / side) for n in job.vision.size]
    big = F.interpolate(cells.flatten(0, 1)[:, None], [(side + 1) * n for n in size], mode="bilinear", align_corners=False)
    out = []
    for mask, (down, right) in zip(big[:, 0], job.drawn["shifts"].flatten(0, 1)):
        y, x = int(down * size[0]), int(right * size[1])
        out.append(mask[y:y + job.vision.size[0], x:x + job.vision.size[1]])
    return torch.stack(out).unflatten(0, cells.shape[:2])


def averaged(job, f, masks):
    """The masks weighted by the scores f [samples, pictures], which kept half the picture."""
    kept, n = 0.5, len(f)
    if "original" in job.options:
        return torch.einsum("nb,nb...->b...", f, masks) / (n * kept)
    return torch.einsum("nb,nb...->b...", f - f.mean(0), masks - kept) / (n * kept * (1 - kept))


def rise(job):
    masks = pixel_masks(job)
    return job.from_pixels(averaged(job, job.scores(masks[:, :, None] * job.pictures), masks))


def rise_tokens(job):
    kept = job.drawn["kept"][..., :job.vision.patches]
    f = torch.stack([job.scores(job.pictures, drop=k == 0) for k in kept])
    return averaged(job, f, kept)


def clusters(masks):
    """The cluster of each mask, [masks, pixels]: complete linkage at cosine distance 0.1.
    Clusters are numbered as they come."""
    tree = scipy.cluster.hierarchy.linkage(masks, "complete", "cosine")
    numbers = {}
    return np.array([numbers.setdefault(k, len(numbers)) for k in scipy.cluster.hierarchy.fcluster(tree, 0.1, "distance")])


def vitcx(job):
    """Every mask has noise of its own; where there are more masks than noises, these begin anew."""
    out = []
    for b, x in enumerate(job.pictures):
        def probability(images):
            with torch.no_grad():
                return (job.vision.run(images).logits.softmax(-1) * job.weights[b]).sum(-1)
        masks = minmax(job.enlarged(channels(job)[b]), (-2, -1)).flatten(1)
        labels = clusters(masks.numpy())
        n = labels.max() + 1
        assert 2 < n < len(labels), n
        m = minmax(torch.stack([masks[labels == k].sum(0) for k in range(n)]), (-1,))
        grid = m.unflatten(-1, x.shape[-2:])[:, None]
        drawn = noises(job)[:, b]
        e = job.number("noise", 0.1) * drawn[torch.arange(n) % len(drawn)]
        score = probability(x * grid + e * (1 - grid)) - probability(x + e * (1 - grid)) + probability(x[None])
        cover = m.sum(0)
        out.append(torch.where(cover > 0, score @ m / cover.clamp(min=1e-300), 0.0).unflatten(-1, x.shape[-2:]))
    return job.from_pixels(torch.stack(out))


METHODS = {
    "attention": attention, "rollout": rollout, "gradrollout": gradrollout, "chefer": chefer,
    "attngradcam": attngradcam, "attcat": attcat, "legrad": legrad, "tam": tam, "gradcam": gradcam,
    "hirescam": hirescam, "layercam": layercam, "gradcampp": gradcampp, "scorecam": scorecam,
    "saliency": saliency, "inputgradient": inputgradient, "ig": ig, "smoothgrad": smoothgrad,
    "occlusion": occlusion, "rise": rise, "rise-tokens": rise_tokens, "vitcx": vitcx,
}
