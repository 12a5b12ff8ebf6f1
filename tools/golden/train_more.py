"""More golden cases for pkg/train: smoothing of 1, and training in two stages.

Writes pkg/train/testdata/train_more.npz and train_more.json, from the pictures,
initial weights and batches of train.npz and train.json. Run after train.py from
the repository root.

The two stages are linear probing and then fine-tuning (Kumar et al. 2022): first the
head alone with its own learning rate, then everything, with a new optimiser and a new
average, as with two separate programs.
"""
import json

import numpy as np
import timm.layers
import torch
from timm.optim import param_groups_layer_decay
from timm.utils import ModelEmaV3

import train

torch.set_num_threads(1)
torch.use_deterministic_algorithms(True)
timm.layers.set_fused_attn(False)

SMOOTHING = {
    "smoothing_one": {**train.ADAM, "smoothing": 1.0},
    "smoothing_one_soft": {**train.ADAM, "smoothing": 1.0, "soft": True},
    "smoothing_nearly_one": {**train.ADAM, "smoothing": 1 - 1e-9},
}
STAGES = {
    "stages_sgd": {
        "optimizer": "sgd", "args": {"momentum": 0.9, "weight_decay": 1e-2}, "head_lr": 0.05, "lr": 0.02, "head_steps": 12, "accumulate": 1,
    },
    "stages_adamw": {
        "optimizer": "adamw", "args": {"weight_decay": 0.05}, "head_lr": 1e-2, "lr": 3e-3, "head_steps": 12, "accumulate": 3,
        "layer_decay": 0.7, "clip": 0.8, "smoothing": 0.1, "ema": 0.8, "warmup": {"updates": 2, "start": 0.25, "total": 4, "floor": 1e-4},
    },
}


def stages(name, case, state, images, labels, batches):
    model = train.make()
    model.load_state_dict(state)
    model.train()
    criterion = torch.nn.CrossEntropyLoss(label_smoothing=case.get("smoothing", 0.0))
    losses, norms, rates = [], [], []
    for stage, steps in enumerate([range(case["head_steps"]), range(case["head_steps"], train.STEPS)]):
        for n, p in model.named_parameters():
            p.requires_grad = stage == 1 or n.startswith("head.")
        trained = [p for p in model.parameters() if p.requires_grad]
        params, rate = trained, case["lr" if stage else "head_lr"]
        if "layer_decay" in case:
            params = param_groups_layer_decay(model, weight_decay=case["args"]["weight_decay"], layer_decay=case["layer_decay"],
                                              no_weight_decay_list=model.no_weight_decay())
        optimizer = {"sgd": torch.optim.SGD, "adamw": torch.optim.AdamW}[case["optimizer"]](params, lr=rate, **case["args"])
        scales = [g.get("lr_scale", 1.0) for g in optimizer.param_groups]
        scheduler = torch.optim.lr_scheduler.ConstantLR(optimizer, factor=1)
        if stage == 1 and "warmup" in case:
            w = case["warmup"]
            scheduler = train.warmup_cosine(optimizer, w["updates"], w["start"], w["total"], w["floor"])
        ema = ModelEmaV3(model, decay=case["ema"], use_warmup=True) if "ema" in case else None
        updates, waiting = 0, []
        for step in steps:
            batch = batches[step]
            loss = criterion(model(images[batch]), labels[batch])
            losses.append(loss.item())
            waiting.append(loss)
            if len(waiting) < case["accumulate"]:
                continue
            for one in waiting:
                (one / len(waiting)).backward()
            waiting = []
            norms.append(torch.nn.utils.clip_grad_norm_(trained, case.get("clip", float("inf"))).item())
            rate = optimizer.param_groups[0]["lr"]
            rates.append(rate)
            for group, scale in zip(optimizer.param_groups, scales):
                group["lr"] = rate * scale
            optimizer.step()
            for group in optimizer.param_groups:
                group["lr"] = rate
            optimizer.zero_grad()
            scheduler.step()
            updates += 1
            if ema is not None:
                ema.update(model, step=updates)
        assert not waiting
    arrays = train.arrays
    arrays[f"{name}/losses"], arrays[f"{name}/norms"], arrays[f"{name}/rates"] = np.array(losses), np.array(norms), np.array(rates)
    arrays[f"{name}/weights"] = train.digest(model.state_dict())
    if ema is not None:
        arrays[f"{name}/average"] = train.digest(ema.module.state_dict())
    print(f"{name:22s} loss {losses[0]:.4f} -> {losses[-1]:.4f}, norms {min(norms):.2f} to {max(norms):.2f}, {len(norms)} updates")


def main():
    made, text = np.load(train.OUT / "train.npz"), json.loads((train.OUT / "train.json").read_text())
    state = {name: torch.tensor(made[f"initial/{name}"]) for name in text["names"]}
    images, soft = torch.tensor(made["images"]).float(), torch.tensor(made["soft"])
    labels, batches = torch.tensor(text["labels"]), text["batches"]
    for name, case in SMOOTHING.items():
        train.run(name, case, state, images, labels, batches, soft)
    for name, case in STAGES.items():
        stages(name, case, state, images, labels, batches)
    np.savez_compressed(train.OUT / "train_more.npz", **train.arrays)
    (train.OUT / "train_more.json").write_text(json.dumps({"cases": SMOOTHING, "stages": STAGES}, indent=1) + "\n")


main()
