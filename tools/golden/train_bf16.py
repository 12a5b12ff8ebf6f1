"""Golden losses for training in bfloat16: thirty steps under torch.autocast.

Writes pkg/train/testdata/train_bf16.json: the losses and gradient norms of the small
ViT of train.py, with its pictures, initial weights and batches (from
pkg/train/testdata/train.npz and train.json), with AdamW and SGD, in float32 and with
the forward pass and the loss under torch.autocast("cpu", torch.bfloat16). Run after
train.py from the repository root.

The script also measures how much a program may differ from the bfloat16 curves if it
rounds as often, but in other places. The initial weights are changed eight times by
less than bfloat16's precision, which leads to other roundings. "apart" is the largest
distance between two of these nine runs (root mean square, relative), and "first" is
that of their first steps.
"""
import itertools
import json
import pathlib

import numpy as np
import timm.layers
import torch
from timm.models.vision_transformer import VisionTransformer

torch.set_num_threads(1)
torch.use_deterministic_algorithms(True)
timm.layers.set_fused_attn(False)
OUT = pathlib.Path("pkg/train/testdata")
CASES = {
    "adamw": (torch.optim.AdamW, {"lr": 1e-3, "weight_decay": 0.05}),
    "sgd": (torch.optim.SGD, {"lr": 0.02, "momentum": 0.9}),
}


def run(case, bfloat16, arrays, text, variant=0):
    model = VisionTransformer(img_size=12, patch_size=4, embed_dim=16, depth=2, num_heads=2, mlp_ratio=1.5, num_classes=5)
    model.load_state_dict({name: torch.tensor(arrays[f"initial/{name}"]) for name in model.state_dict()})
    g = torch.Generator().manual_seed(variant)
    for p in model.parameters():
        p.data *= 1 + (variant > 0) * 2**-10 * (2 * torch.rand(p.shape, generator=g) - 1)
    model.train()
    make, args = CASES[case]
    optimizer = make(model.parameters(), **args)
    images, labels = torch.tensor(arrays["images"]).float(), torch.tensor(text["labels"])
    losses, norms = [], []
    for batch in text["batches"]:
        with torch.autocast("cpu", torch.bfloat16, enabled=bfloat16):
            logits = model(images[batch])
            loss = torch.nn.functional.cross_entropy(logits, labels[batch])
        assert logits.dtype == (torch.bfloat16 if bfloat16 else torch.float32) and loss.dtype == torch.float32
        optimizer.zero_grad()
        loss.backward()
        assert all(p.grad.dtype == torch.float32 for p in model.parameters())
        losses.append(loss.item())
        norms.append(torch.nn.utils.clip_grad_norm_(model.parameters(), float("inf")).item())
        optimizer.step()
    return {"losses": losses, "norms": norms}


def distance(a, b):
    return float(np.sqrt(np.mean((a / b - 1) ** 2)))


def main():
    arrays, text = np.load(OUT / "train.npz"), json.loads((OUT / "train.json").read_text())
    out = {}
    for case, (_, args) in CASES.items():
        full, runs = run(case, False, arrays, text), [run(case, True, arrays, text, v) for v in range(9)]
        apart, first = {}, {}
        for what in ("losses", "norms"):
            curves = [np.array(r[what]) for r in runs]
            pairs = list(itertools.permutations(curves, 2))
            apart[what] = max(distance(a, b) for a, b in pairs)
            first[what] = max(abs(a[0] / b[0] - 1) for a, b in pairs)
            print(f"{case:6s} {what:6s} {curves[0][0]:.4f} -> {curves[0][-1]:.4f}, from float32 {distance(curves[0], np.array(full[what])):.1e}, "
                  f"from each other {apart[what]:.1e}, first {first[what]:.1e}")
        out[case] = {"args": args, "float32": full, "bfloat16": runs[0], "apart": apart, "first": first}
    (OUT / "train_bf16.json").write_text(json.dumps(out, indent=1) + "\n")


main()
