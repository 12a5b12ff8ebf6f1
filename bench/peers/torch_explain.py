"""The torch worker for explanations: timm's Vision Transformer, eager, with the least work that each
method needs: weights have no gradients, and gradients stop where a method's end."""
import numpy as np
import torch
from protocol import serve, values
from timm_vit import build

CHUNK = 8  # pictures that integrated gradients differentiate at a time


class Explained:
    """A model whose attention weights are kept; they are on the way to the logits."""

    def __init__(self, model, plain_attention):
        self.model, self.weights = model.eval().requires_grad_(False), []
        for block in model.blocks if plain_attention else []:
            block.attn.fused_attn = False
            block.attn.attn_drop.register_forward_hook(self.keep)

    def keep(self, module, args, out):
        if not out.requires_grad:  # the first: before it, nothing has a gradient
            out.requires_grad_()
        self.weights.append(out)

    def logits(self, x):
        self.weights.clear()
        return self.model(x)


def best(logits):
    return logits.max(-1).values.sum()


def chefer(e, x):
    grads = torch.autograd.grad(best(e.logits(x)), e.weights)
    row = torch.zeros(len(x), 1, e.weights[0].shape[-1])
    row[:, :, 0] = 1
    for a, g in zip(reversed(e.weights), reversed(grads)):
        row = row + row @ (a.detach() * g).clamp(min=0).mean(1)
    return row[:, 0, 1:]


def legrad(e, x):
    model, outputs = e.model, []
    e.weights.clear()
    tokens = model._pos_embed(model.patch_embed(x))
    for block in model.blocks:
        outputs.append(block(tokens.detach()))
        tokens = outputs[-1]
    logits = [model.forward_head(model.norm(y[:, :1])) for y in outputs]
    wanted = logits[-1].argmax(-1, keepdim=True)
    score = sum(y.gather(1, wanted).sum() for y in logits)
    return sum(g.clamp(min=0).mean((1, 2)) for g in torch.autograd.grad(score, e.weights))[:, 1:] / len(outputs)


def gradcam(e, x):
    kept = []

    def keep(module, args, out):
        kept.append(out.requires_grad_())

    handle = e.model.blocks[-1].norm1.register_forward_hook(keep)
    g = torch.autograd.grad(best(e.logits(x)), kept)[0][:, 1:]
    handle.remove()
    return torch.einsum("bk,bpk->bp", g.mean(1), kept[0].detach()[:, 1:]).clamp(min=0)


def ig(e, x, steps):
    with torch.no_grad():
        wanted = e.logits(x).argmax(-1)
    at, weight = np.polynomial.legendre.leggauss(steps)
    at, weight = torch.tensor((at + 1) / 2, dtype=torch.float32), torch.tensor(weight / 2, dtype=torch.float32)
    maps, patch = [], e.model.patch_embed.patch_size[0]
    for one, c in zip(x, wanted):
        total = torch.zeros_like(one)
        for a, w in zip(at.split(CHUNK), weight.split(CHUNK)):
            point = (a[:, None, None, None] * one).requires_grad_()
            g = torch.autograd.grad(e.logits(point)[:, c].sum(), point)[0]
            total += torch.einsum("i,ichw->chw", w, g)
        maps.append((total * one).unflatten(2, (-1, patch)).unflatten(1, (-1, patch)).sum((0, 2, 4)).flatten())
    return torch.stack(maps)


def prepare(task):
    torch.set_num_threads(task["threads"])
    method, x = task["method"], torch.from_numpy(values(task))
    e = Explained(build(task["model"], task["weights"]), method in ("chefer", "legrad"))
    run = {"chefer": chefer, "legrad": legrad, "gradcam": gradcam, "ig": lambda e, x: ig(e, x, task["steps"])}[method]
    return run(e, x).detach().numpy(), lambda: run(e, x)


if __name__ == "__main__":
    serve(prepare)
