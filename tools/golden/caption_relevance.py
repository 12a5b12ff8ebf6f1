"""Golden maps of the words of captions, by formulas written down here alone.

Writes pkg/explain/testdata/words.safetensors (a small random captioner with CATR's names,
from caption_model.py) and words.json (its configuration, two pictures with different
captions, and every method's map of every word). All is computed in double precision, one
word at a time, with R itself where the Go package computes R-I. Run from the repository
root.
"""
import json
import pathlib

import numpy as np
import torch
from safetensors.torch import save_file
from torch import nn

from caption_model import Captioner, stream

torch.set_num_threads(1)
OUT = pathlib.Path("pkg/explain/testdata")
CONFIG = {
    "backbone": {"kind": "patch", "patch_size": 4, "stages": [{"channels": 6, "blocks": 1}, {"channels": 8, "blocks": 0}]},
    "dim": 12, "heads": 3, "hidden": 16, "encoder_layers": 2, "decoder_layers": 3, "max_positions": 9, "vocab": 20,
    "norm_eps": 1e-5, "embed_norm_eps": 1e-12, "longest_side": 32, "start_id": 1, "end_id": 2, "pad_id": 0,
}
PICTURES = [((24, 32), [5, 11, 7, 2]), ((24, 32), [9, 4, 4, 13, 17, 6, 2])]


class Attention:
    """The forward pass of nn.MultiheadAttention with probabilities that are part of it."""

    def __init__(self):
        self.seen = []

    def forward(self, mha, query, key, value, key_padding_mask=None, attn_mask=None, average_attn_weights=False):
        d, h = mha.embed_dim, mha.num_heads
        w, b = mha.in_proj_weight.split(d), mha.in_proj_bias.split(d)
        q, k, v = [(x @ m.T + c).unflatten(-1, (h, d // h)).transpose(1, 2) for x, m, c in zip((query, key, value), w, b)]
        scores = q @ k.transpose(-1, -2) / (d // h) ** 0.5
        if attn_mask is not None:
            scores = scores + attn_mask
        p = scores.softmax(-1)
        p.retain_grad()
        self.seen.append(p)
        return mha.out_proj((p @ v).transpose(1, 2).flatten(2)), p


def row_normalised(r):
    """I + rownorm(R-I); rows of zeros stay zero."""
    eye = torch.eye(len(r), dtype=r.dtype)
    d = r - eye
    s = d.sum(-1, keepdim=True)
    return eye + torch.where(s == 0, torch.zeros_like(d), d / torch.where(s == 0, torch.ones_like(s), s))


def chefer(enc, self, cross, t):
    bar = lambda p: (p.grad[0] * p[0]).clamp(min=0).mean(0).detach()
    cells, length = cross[0].shape[-1], self[0].shape[-1]
    eye = lambda n: torch.eye(n, dtype=torch.float64)
    ii, qq, qi = eye(cells), eye(length), torch.zeros(length, cells, dtype=torch.float64)
    for p in enc:
        ii = ii + bar(p) @ ii
    for s, c in zip(self, cross):
        qq, qi = qq + bar(s) @ qq, qi + bar(s) @ qi
        qi = qi + row_normalised(qq).T @ (bar(c) @ row_normalised(ii))
    return qi[t]


def grad_cam(cross, t):
    p, g = cross[-1][0, :, t].detach(), cross[-1].grad[0, :, t]
    return (g.mean(-1, keepdim=True) * p).mean(0).clamp(min=0)


def rollout(enc, self, cross, t):
    mean = lambda p: p[0].detach().mean(0)
    flow = torch.eye(enc[0].shape[-1], dtype=torch.float64)
    for p in enc:
        flow = (mean(p) + torch.eye(len(flow))) / 2 @ flow
    qi = torch.zeros(self[0].shape[-1], len(flow), dtype=torch.float64)
    for s, c in zip(self, cross):
        qi = (mean(s) + torch.eye(len(qi))) / 2 @ qi
        qi = qi / 2 + mean(c) @ flow / 2
    return qi[t]


def main():
    model = Captioner(CONFIG).double()
    attention = Attention()
    nn.MultiheadAttention.forward = lambda mha, *a, **k: attention.forward(mha, *a, **k)
    save_file({k: v.float().contiguous() for k, v in model.state_dict().items()}, OUT / "words.safetensors")
    cases = []
    for i, ((h, w), ids) in enumerate(PICTURES):
        values = np.round(stream(f"words picture {i}", 3 * h * w) * 8) / 8  # short as text
        image = torch.from_numpy(values.reshape(1, 3, h, w)).double()
        read = torch.tensor([[CONFIG["start_id"], *ids[:-1]]])
        maps = {name: [] for name in ("attention", "rollout", "gradcam", "chefer", "chefer-decoder")}
        logits_of = []
        for t, target in enumerate(ids):
            attention.seen = []
            memory, pos, cells, _ = model.encode(image, torch.zeros(1, h, w, dtype=torch.bool))
            logits, _, _ = model.decode(memory, pos, cells, read, torch.zeros(read.shape, dtype=torch.bool))
            model.zero_grad()
            logits[0, t, target].backward()
            n = CONFIG["encoder_layers"]
            enc, own, cross = attention.seen[:n], attention.seen[n::2], attention.seen[n + 1::2]
            maps["attention"].append(cross[-1][0, :, t].detach().mean(0))
            maps["rollout"].append(rollout(enc, own, cross, t))
            maps["gradcam"].append(grad_cam(cross, t))
            maps["chefer"].append(chefer(enc, own, cross, t))
            maps["chefer-decoder"].append(chefer([], own, cross, t))
            logits_of.append(logits[0, t].log_softmax(-1)[target].item())
        stacked = {k: torch.stack(v) for k, v in maps.items()}
        print(i, {k: (tuple(v.shape), v.abs().max().item()) for k, v in stacked.items()})
        assert all((v.abs().amax(-1) > 0).sum() >= len(ids) // 2 for v in stacked.values())
        cases.append({"shape": [3, h, w], "picture": values.tolist(), "caption": ids, "log_probs": logits_of,
                      "maps": {k: v.flatten().tolist() for k, v in stacked.items()}})
    round_ = lambda x: float(f"{x:.9g}")
    for c in cases:
        c["picture"] = [int(x) if x == int(x) else float(x) for x in c["picture"]]
        c["log_probs"] = [round_(x) for x in c["log_probs"]]
        c["maps"] = {k: [round_(x) for x in v] for k, v in c["maps"].items()}
    (OUT / "words.json").write_text(json.dumps({"config": CONFIG, "cases": cases}) + "\n")


if __name__ == "__main__":
    np.seterr(all="raise", under="ignore", over="ignore")
    main()
