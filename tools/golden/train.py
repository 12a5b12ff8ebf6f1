"""Golden cases for pkg/train: thirty steps of a small ViT with every kind of setting.

Writes pkg/train/testdata/train.npz (pictures, initial weights under timm's
names, and for every case the losses, the norms of the gradients and a digest of
the final weights) and pkg/train/testdata/train.json (the settings of each case, the
pictures of every batch, and learning rates of torch's schedulers). Models,
parameter groups, stochastic depth and averages are timm's, the rest is torch's.
Run from the repository root.
"""
import copy
import json
import pathlib

import numpy as np
import timm.layers
import torch
from timm.models.vision_transformer import VisionTransformer
from timm.optim import param_groups_layer_decay
from timm.utils import ModelEmaV2, ModelEmaV3

torch.set_num_threads(1)
torch.use_deterministic_algorithms(True)
timm.layers.set_fused_attn(False)
OUT = pathlib.Path("pkg/train/testdata")
STEPS, CLASSES, PICTURES, DEPTH = 30, 5, 20, 2
arrays = {}


def make(**args):
    return VisionTransformer(img_size=12, patch_size=4, embed_dim=16, depth=DEPTH, num_heads=2, mlp_ratio=1.5,
                             num_classes=CLASSES, **args)


def initial():
    model, g = make(), torch.Generator().manual_seed(1)
    for name, p in sorted(model.named_parameters()):
        x = torch.randn(p.shape, generator=g)
        if p.ndim in (2, 4):
            x *= p[0].numel() ** -0.5
        elif p.ndim == 1 and name.endswith("weight"):
            x = 1 + 0.2 * x
        else:
            x *= 0.2
        p.data.copy_(x)
    return model.state_dict()


class Given(torch.nn.Module):
    """DropPath with the given masks of the step instead of random ones."""

    def __init__(self, branch, steps):
        super().__init__()
        self.branch, self.steps = branch, steps

    def forward(self, x):
        factors = self.steps[0][self.branch, : len(x)]
        return x * factors.reshape(-1, 1, 1)


def digest(state):
    """Three numbers for each parameter: sum, sum of magnitudes, cosine-weighted sum.

    Without the key's bias, on which no attention depends: its gradient is nothing
    but rounding errors, and Adam makes steps of full size of them.
    """
    rows = []
    for name in sorted(state):
        x = state[name].double().numpy().ravel()
        if name.endswith("qkv.bias"):
            x[x.size // 3 : 2 * x.size // 3] = 0
        rows.append([x.sum(), np.abs(x).sum(), (x * np.cos(np.arange(x.size))).sum()])
    return np.array(rows)


def optimizer_of(case, model):
    kind, args = case["optimizer"], dict(case["args"])
    params = [p for p in model.parameters() if p.requires_grad]
    if "layer_decay" in case:
        params = param_groups_layer_decay(model, weight_decay=args["weight_decay"], layer_decay=case["layer_decay"],
                                          no_weight_decay_list=model.no_weight_decay())
    return {"sgd": torch.optim.SGD, "adam": torch.optim.Adam, "adamw": torch.optim.AdamW}[kind](
        params, lr=case["lr"], **args)


def scheduler_of(case, optimizer):
    if "warmup" not in case:
        return torch.optim.lr_scheduler.ConstantLR(optimizer, factor=1)
    w = case["warmup"]
    return warmup_cosine(optimizer, w["updates"], w["start"], w["total"], w["floor"])


def warmup_cosine(optimizer, updates, start, total, floor):
    sched = torch.optim.lr_scheduler
    first = sched.LinearLR(optimizer, start_factor=start, total_iters=updates)
    then = sched.CosineAnnealingLR(optimizer, T_max=total, eta_min=floor)
    return sched.SequentialLR(optimizer, [first, then], milestones=[updates])


def drop_factors(case, model, drawn):
    """Replaces every DropPath and draws the masks that it would have drawn."""
    g, rates = torch.Generator().manual_seed(7), torch.linspace(0, case["drop_path"], DEPTH).repeat_interleave(2)
    keep = 1 - rates[:, None]
    all_factors = [(torch.rand(2 * DEPTH, 5, generator=g) < keep) / keep for _ in range(STEPS)]
    for i, block in enumerate(model.blocks):
        assert abs(getattr(block.drop_path1, "drop_prob", 0) - rates[2 * i].item()) < 1e-6
        block.drop_path1, block.drop_path2 = Given(2 * i, drawn), Given(2 * i + 1, drawn)
    return all_factors


def run(name, case, state, images, labels, batches, soft):
    model = make(drop_path_rate=case.get("drop_path", 0.0))
    model.load_state_dict(copy.deepcopy(state))
    model.train()
    drawn = [None]
    factors = drop_factors(case, model, drawn) if "drop_path" in case else None
    for n, p in model.named_parameters():
        p.requires_grad = not case.get("probe") or n.startswith("head.")
    trained = [p for p in model.parameters() if p.requires_grad]
    optimizer = optimizer_of(case, model)
    scheduler = scheduler_of(case, optimizer)
    scales = [g.get("lr_scale", 1.0) for g in optimizer.param_groups]
    criterion = torch.nn.CrossEntropyLoss(label_smoothing=case.get("smoothing", 0.0))
    ema = None
    if "ema" in case:
        ema = ModelEmaV3(model, decay=case["ema"], use_warmup=True) if case.get("ema_warmup") else ModelEmaV2(model, decay=case["ema"])
    every, flush = case.get("accumulate", 1), case.get("flush", [])
    losses, norms, rates, correct, waiting, updates = [], [], [], [], [], 0
    for step, batch in enumerate(batches):
        if factors is not None:
            drawn[0] = factors[step]
        logits = model(images[batch])
        target = soft[batch] if case.get("soft") else labels[batch]
        loss = criterion(logits, target)
        losses.append(loss.item())
        correct.append(int((logits.argmax(1) == labels[batch]).sum()))
        waiting.append(loss)
        if len(waiting) < every and step not in flush and step != STEPS - 1:
            continue
        divisor = every if case.get("divide_by_accumulate") else len(waiting)
        for one in waiting:  # the weights haven't changed since, so these graphs are still valid
            (one / divisor).backward()
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
            ema.update(model, step=updates) if case.get("ema_warmup") else ema.update(model)
    arrays[f"{name}/losses"], arrays[f"{name}/norms"] = np.array(losses), np.array(norms)
    arrays[f"{name}/rates"], arrays[f"{name}/correct"] = np.array(rates), np.array(correct, np.float32)
    arrays[f"{name}/weights"] = digest(model.state_dict())
    if ema is not None:
        arrays[f"{name}/average"] = digest(ema.module.state_dict())
    if factors is not None:
        arrays[f"{name}/factors"] = torch.stack(factors).numpy()
    print(f"{name:22s} loss {losses[0]:.4f} -> {losses[-1]:.4f}, norms {min(norms):.2f} to {max(norms):.2f}, {updates} updates")


ADAM = {"optimizer": "adam", "lr": 3e-3, "args": {}}
ADAMW = {"optimizer": "adamw", "lr": 3e-3, "args": {"weight_decay": 0.05}}
SGD = {"optimizer": "sgd", "lr": 0.05, "args": {}}
MOMENTUM = {"optimizer": "sgd", "lr": 0.02, "args": {"momentum": 0.9, "weight_decay": 1e-2}}
CASES = {
    "sgd": SGD,
    "sgd_momentum": MOMENTUM,
    "sgd_nesterov": {**MOMENTUM, "args": {"momentum": 0.8, "nesterov": True}},
    "sgd_dampening": {**MOMENTUM, "args": {"momentum": 0.8, "dampening": 0.3}},
    "adam": ADAM,
    "adam_decay": {**ADAM, "args": {"weight_decay": 0.1, "betas": [0.8, 0.95], "eps": 1e-3}},
    "adamw": {**ADAMW, "args": {"weight_decay": 0.5}},
    "adamw_groups": {**ADAMW, "args": {"weight_decay": 0.5}, "layer_decay": 0.6},
    "clip": {**MOMENTUM, "clip": 1.0},
    "smoothing": {**ADAM, "smoothing": 0.1},
    "soft": {**ADAM, "smoothing": 0.1, "soft": True},
    "warmup_cosine": {**ADAMW, "warmup": {"updates": 5, "start": 0.1, "total": 25, "floor": 1e-5}},
    "accumulate": {**MOMENTUM, "accumulate": 4, "flush": [14]},
    "accumulate_divide": {**MOMENTUM, "accumulate": 4, "flush": [14], "divide_by_accumulate": True, "clip": 0.9},
    "ema": {**ADAM, "ema": 0.9},
    "ema_warmup": {**ADAM, "ema": 0.9, "ema_warmup": True},
    "drop_path": {**ADAM, "drop_path": 0.4},
    "probe": {**ADAMW, "probe": True},
    "everything": {**ADAMW, "layer_decay": 0.7, "clip": 0.8, "smoothing": 0.1, "accumulate": 3, "flush": [13], "ema": 0.8,
                   "drop_path": 0.2, "warmup": {"updates": 3, "start": 0.25, "total": 8, "floor": 1e-4}},
}


def schedules():
    """Learning rates of torch's schedulers over 30 updates."""
    sched, out = torch.optim.lr_scheduler, {}
    makers = {
        "cosine": lambda o: sched.CosineAnnealingLR(o, T_max=30, eta_min=0.01),
        "linear": lambda o: sched.LinearLR(o, start_factor=1.0, end_factor=0.05, total_iters=20),
        "steps": lambda o: sched.StepLR(o, step_size=7, gamma=0.3),
        "warmup_cosine": lambda o: warmup_cosine(o, 6, 0.01, 24, 0.001),
    }
    for name, maker in makers.items():
        optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.2)
        scheduler, rates = maker(optimizer), []
        for _ in range(30):
            rates.append(optimizer.param_groups[0]["lr"])
            optimizer.step()
            scheduler.step()
        out[name] = rates
    return out


def main():
    state, g = initial(), torch.Generator().manual_seed(2)
    images = torch.randn(PICTURES, 3, 12, 12, generator=g).half()
    labels = torch.arange(PICTURES) % CLASSES
    soft = torch.softmax(2 * torch.nn.functional.one_hot(labels, CLASSES) + 0.3 * torch.randn(PICTURES, CLASSES, generator=g), 1)
    # Five pictures in a batch, but three in the last batch of each half.
    batches = [torch.randperm(PICTURES, generator=g)[: 3 if s in (14, 29) else 5].tolist() for s in range(STEPS)]
    arrays["images"], arrays["soft"] = images.numpy(), soft.numpy()
    for name, value in state.items():
        arrays[f"initial/{name}"] = value.numpy()
    for name, case in CASES.items():
        run(name, case, state, images.float(), labels, batches, soft)
    OUT.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(OUT / "train.npz", **arrays)
    text = {"labels": labels.tolist(), "batches": batches, "cases": CASES, "schedules": schedules(), "names": sorted(state)}
    (OUT / "train.json").write_text(json.dumps(text, indent=1) + "\n")


if __name__ == "__main__":
    main()
