"""Holds explain_formulas.py against packages that have the same methods.

captum (saliency, input x gradient, integrated gradients, SmoothGrad, occlusion), pytorch-grad-cam
(Grad-CAM, HiResCAM, LayerCAM, Grad-CAM++, Score-CAM), torchcam (Score-CAM), scikit-image
(RISE's masks), scikit-learn (ViT-CX's clusters). Used by explain_methods.py; writes nothing.

Some definitions differ on purpose; they are compared in the form of the package:

* Score-CAM's masks are enlarged, then scaled to [0, 1]. torchcam scales before it enlarges;
  pytorch-grad-cam enlarges with aligned corners.
* Grad-CAM++ keeps its denominator positive; pytorch-grad-cam lets it cross zero.
* HiResCAM keeps its sign; pytorch-grad-cam cuts off what is negative.
* RISE's masks end as bilinear enlargements do elsewhere; the original's mirror the cells, by scikit-image's "reflect".
"""
import functools
import unittest.mock

import captum.attr
import numpy as np
import pytorch_grad_cam.score_cam
import skimage.transform
import sklearn.cluster
import torch
import torch.nn.functional as F
import torchcam.methods
from pytorch_grad_cam import GradCAM, GradCAMPlusPlus, HiResCAM, LayerCAM, ScoreCAM
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget

import explain_formulas as formulas

pytorch_grad_cam.score_cam.tqdm.tqdm = functools.partial(pytorch_grad_cam.score_cam.tqdm.tqdm, disable=True)


def report(what, theirs, ours, tolerance=1e-9):
    """Prints the greatest difference as a share of the greatest value, and asserts it."""
    theirs, ours = (torch.as_tensor(x).detach().double().flatten() for x in (theirs, ours))
    worst = ((theirs - ours).abs().max() / ours.abs().max()).item()
    print(f"  {what}: off by {worst:.1e}")
    assert worst < tolerance, what


def check(vision, pictures, logits, drawn, weights):
    for options in ({}, {"class": "1,4,3"}):
        job = formulas.Job(vision, pictures, weights(options, logits), drawn, {})
        target = job.weights.argmax(-1)
        pixels(job, target)
        cams(job, target)
        scores(job, target)
    masks(job)
    clusters(job)


def pixels(job, target):
    model, x = job.vision.model, job.pictures
    own = lambda name: formulas.METHODS[name](job)
    made = captum.attr.Saliency(model).attribute(x.clone().requires_grad_(), target=target)
    report("captum, saliency", job.from_pixels(made.amax(1)), own("saliency"))
    made = captum.attr.InputXGradient(model).attribute(x.clone().requires_grad_(), target=target)
    report("captum, input x gradient", job.from_pixels(made.sum(1)), own("inputgradient"))
    made = captum.attr.IntegratedGradients(model).attribute(x, target=target, n_steps=32, method="gausslegendre")
    report("captum, integrated gradients", job.from_pixels(made.sum(1)), own("ig"), 1e-6)
    report("captum, SmoothGrad", job.from_pixels(smoothed(job, target).abs().amax(1)), own("smoothgrad"))
    (rows, cols), patch = job.vision.grid, job.vision.patch
    cells = torch.arange(rows * cols).reshape(rows, cols).repeat_interleave(patch[0], 0).repeat_interleave(patch[1], 1)
    made = captum.attr.FeatureAblation(model).attribute(x, target=target, feature_mask=cells.expand(1, 3, -1, -1))
    report("captum, occlusion", made[:, 0, ::patch[0], ::patch[1]], own("occlusion"))


def smoothed(job, target):
    """captum's mean gradient of noisy pictures, with this noise for its random one."""
    tunnel = captum.attr.NoiseTunnel(captum.attr.Saliency(job.vision.model))
    noise, spans, out = formulas.noises(job), formulas.spans(job), []
    for b in range(len(job.pictures)):
        sigma = 0.15 * spans[b].item()
        with unittest.mock.patch("torch.normal", lambda mean, std: sigma * noise[:, b]):
            out.append(tunnel.attribute(
                job.pictures[b:b + 1].clone().requires_grad_(), target=target[b:b + 1], nt_samples=len(noise),
                nt_type="smoothgrad", stdevs=sigma, abs=False))
    return torch.cat(out)


def to_grid(job):
    return lambda x: x[:, job.vision.prefix:].transpose(1, 2).unflatten(-1, job.vision.grid)


def cams(job, target):
    layer, targets = job.vision.model.blocks[-1].norm1, [ClassifierOutputTarget(c) for c in target]
    own = {
        GradCAM: formulas.gradcam(job), HiResCAM: formulas.hirescam(job).clamp(min=0),
        LayerCAM: formulas.layercam(job), GradCAMPlusPlus: formulas.gradcampp(job, clipped=False),
    }
    for kind, ours in own.items():
        with kind(job.vision.model, [layer], to_grid(job)) as cam:
            cam(job.pictures, targets)
            seen = cam.activations_and_grads
            made = cam.get_cam_image(job.pictures, layer, targets, seen.activations[0].numpy(), seen.gradients[0].numpy(), False)
        report(f"pytorch-grad-cam, {kind.__name__}", np.maximum(made, 0), ours)
    # How much the guard of the denominator changes.
    clipped, plain = formulas.gradcampp(job), own[GradCAMPlusPlus]
    print(f"  Grad-CAM++: a positive denominator changes {((clipped - plain).abs().max() / plain.abs().max()).item():.1e}")


def scores(job, target):
    layer, u = job.vision.model.blocks[-1].norm1, formulas.channels(job)
    own = formulas.scorecam(job, job.enlarged(formulas.minmax(u, (-2, -1))))
    with torchcam.methods.ScoreCAM(job.vision.model, layer, reshape_transform=to_grid(job)) as cam, torch.no_grad():
        job.vision.model(job.pictures)
        made = cam(target.tolist(), normalized=False)[0]
    report("torchcam, Score-CAM", made, own, 1e-6)
    big = F.interpolate(u, job.vision.size, mode="bilinear", align_corners=True)
    own = formulas.scorecam(job, formulas.minmax(big, (-2, -1)))
    targets = [ClassifierOutputTarget(c) for c in target]
    with ScoreCAM(job.vision.model, [layer], to_grid(job)) as cam:
        made = cam.get_cam_image(job.pictures, layer, targets, u.numpy(), None)
    report("pytorch-grad-cam, Score-CAM", np.maximum(made, 0), own, 1e-6)


def masks(job):
    ours = formulas.pixel_masks(job)
    size = [-(-n // 7) for n in job.vision.size]
    for i, sample in enumerate(job.drawn["cells"]):
        for b, cells in enumerate(sample):
            big = skimage.transform.resize(cells.numpy(), [8 * n for n in size], order=1, mode="edge", anti_aliasing=False)
            y, x = (int(share * n) for share, n in zip(job.drawn["shifts"][i, b], size))
            theirs = big[y:y + job.vision.size[0], x:x + job.vision.size[1]]
            assert np.abs(theirs - ours[i, b].numpy()).max() < 1e-12, (i, b)
    print("  scikit-image: RISE's masks are the same")


def clusters(job):
    flat = formulas.minmax(job.enlarged(formulas.channels(job)), (-2, -1)).flatten(2)
    for m in flat:
        ours = formulas.clusters(m.numpy())
        theirs = sklearn.cluster.AgglomerativeClustering(
            n_clusters=None, metric="cosine", linkage="complete", distance_threshold=0.1).fit(m.numpy()).labels_
        same = lambda labels: labels[:, None] == labels[None]
        assert (same(ours) == same(theirs)).all()
        print(f"  scikit-learn: the same {ours.max() + 1} clusters of {len(ours)} masks")
