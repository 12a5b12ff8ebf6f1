"""Golden maps for pkg/explain: every method from its formula, in float64, on three models.

Writes pkg/explain/testdata/methods/<model>/: model.safetensors and config.json, and
golden.npz with `pictures` [3, channels, height, width], `logits` [3, classes] and `maps`
[entries, 3, rows, cols]; entries.txt names the entries, a line each: the method, then its
options. pkg/explain/testdata/methods/draws.npz has what random methods draw: `noise`
[samples, pictures, values] of standard normal numbers (a model takes as many of the first
as it needs), `cells` [samples, pictures, 7, 7] and `shifts` [samples, pictures, 2] of RISE's
masks (a share of a cell, down and right), `kept` [samples, pictures, patches] of patches that
aren't dropped.

The formulas are explain_formulas.py's, the models explain_models.py's; explain_packages.py
holds the formulas against captum, pytorch-grad-cam, torchcam, scikit-image and
scikit-learn. Run from the repository root.
"""
import json
import pathlib
import shutil

import numpy as np
import safetensors.torch
import torch

import explain_formulas
import explain_models
import explain_packages

torch.set_num_threads(1)
torch.use_deterministic_algorithms(True)
OUT = pathlib.Path("pkg/explain/testdata/methods")
PICTURES, SAMPLES = 3, 4
# Pictures of which each model is sure, of several classes.
SEEDS = {"plain": 155, "registers": 70, "classmean": 135}

# What is asked of the models: the predicted class, another one of each picture, and one
# against another.
CLASSES = ["", " class=1,4,3", " class=0 against=4,3,2"]


def steps_of_32(x):
    """Random numbers that compress well and are exact in any format."""
    return (x.clamp(-3.9, 3.9) * 32).round() / 32


def draws():
    g = torch.Generator().manual_seed(99)
    return {
        "noise": steps_of_32(torch.randn(SAMPLES, PICTURES, 3 * 16 * 16, generator=g)),
        "cells": (torch.rand(SAMPLES, PICTURES, 7, 7, generator=g) < 0.5).float(),
        "shifts": torch.rand(SAMPLES, PICTURES, 2, generator=g).mul(64).floor() / 64,
        "kept": (torch.rand(SAMPLES, PICTURES, 16, generator=g) < 0.5).float(),
    }


def entries(vision):
    """The names of all entries of a model."""
    out = ["attention", "attention heads=max", "attention layer=0 heads=min", "attention layer=1 heads=mean query=2,0",
           "attention layer=1 heads=max query=1,2"]
    out += [f"attention layer={i % 3} heads={i}" for i in range(vision.heads)]
    out += [f"rollout heads={heads} discard={discard}" for heads in ("mean", "max", "min") for discard in (0, 0.3)]
    out += ["rollout", "rollout heads=1", "rollout query=1,2", "rollout heads=max discard=0.3 query=2,0"]
    for name in explain_formulas.METHODS:
        if name not in ("attention", "rollout"):
            out += [name + c for c in CLASSES]
    out += ["gradrollout discard=0.3", "chefer class=2", "tam steps=3", "ig steps=5", "occlusion window=2",
            "occlusion window=2 class=0 against=4,3,2", "rise original", "rise-tokens original", "smoothgrad noise=0.3"]
    return out


def parse(entry):
    """An entry's method and options."""
    name, *words = entry.split(" ")
    options = dict(w.partition("=")[::2] for w in words)
    return name, options


def weights(options, logits):
    """The weights of the logits in the score, [pictures, classes]."""
    hot = torch.nn.functional.one_hot
    spread = lambda text: torch.tensor([int(c) for c in text.split(",")]).expand(len(logits))
    w = hot(spread(options["class"]) if "class" in options else logits.argmax(-1), logits.shape[-1])
    if "against" in options:
        w = w - hot(spread(options["against"]), logits.shape[-1])
    return w.double()


def write(folder, vision, pictures, logits, names, maps):
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    state = {k: v.half().contiguous() for k, v in vision.model.state_dict().items()}
    assert all(torch.equal(v.double(), vision.model.state_dict()[k]) for k, v in state.items())
    safetensors.torch.save_file(state, folder / "model.safetensors", metadata={"format": "pt"})
    config = {"img_size": vision.size, "patch_size": vision.patch, "num_heads": vision.heads, "layer_norm_eps": 1e-6}
    (folder / "config.json").write_text(json.dumps(config, indent=2, sort_keys=True) + "\n")
    arrays = {"pictures": pictures, "logits": logits, "maps": maps}
    arrays = {k: np.ascontiguousarray(v.detach().numpy().astype(np.float32)) for k, v in arrays.items()}
    assert all(np.isfinite(v).all() for v in arrays.values())
    np.savez_compressed(folder / "golden.npz", **arrays)
    (folder / "entries.txt").write_text("\n".join(names) + "\n")


def case(name, vision, drawn, seed):
    g = torch.Generator().manual_seed(seed)
    scale = torch.tensor([1, 0.8, 1.2])[:, None, None, None]  # so that the pictures' ranges differ
    pictures = steps_of_32(torch.randn(PICTURES, 3, *vision.size, generator=g) * scale).double()
    print(f"{name}: logits off timm's by {vision.check(pictures):.1e}")
    logits = vision.run(pictures).logits.detach()
    top = logits.topk(2).values
    assert (top[:, 0] - top[:, 1]).min() > 0.3, "the predicted class hangs on rounding"
    names, maps = entries(vision), []
    for entry in names:
        method, options = parse(entry)
        job = explain_formulas.Job(vision, pictures, weights(options, logits), drawn, options)
        made = explain_formulas.METHODS[method](job).detach()
        assert made.shape == (PICTURES, vision.patches), entry
        assert made.abs().max() > 0 and (made.amax(-1) > made.amin(-1)).any(), f"{entry} shows nothing"
        maps.append(made.reshape(PICTURES, *vision.grid))
    explain_packages.check(vision, pictures, logits, drawn, weights)
    write(OUT / name, vision, pictures, logits, names, torch.stack(maps))
    print(f"{name}: {len(names)} entries")


def main():
    drawn = draws()
    OUT.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(OUT / "draws.npz", **{k: v.numpy().astype(np.float32) for k, v in drawn.items()})
    for name, vision in explain_models.models().items():
        case(name, vision, {k: v.double() for k, v in drawn.items()}, SEEDS[name])


if __name__ == "__main__":
    main()
