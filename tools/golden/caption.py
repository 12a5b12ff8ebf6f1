"""Golden cases for pkg/caption, from caption_model.py. Writes to
pkg/caption/testdata: <case>.json (the configuration) and <case>.npz (pictures,
padding, tokens and what the model makes of them), catr_keys.txt (names and
shapes of the full-size model), catr.pth (a tiny checkpoint as CATR nests it),
wordpiece.json and preprocess.npz. Weights are drawn again by the tests. Run from
the repository root; the vocabulary is taken from $GAZE_VOCAB.
"""
import json
import pathlib

import numpy as np
import torch

from caption_model import Captioner, stream

torch.set_num_threads(1)
OUT = pathlib.Path("pkg/caption/testdata")
SMALL = dict(dim=16, heads=2, hidden=24, encoder_layers=2, decoder_layers=2, max_positions=12, vocab=40,
             norm_eps=1e-5, embed_norm_eps=1e-12, longest_side=64, start_id=1, end_id=2, pad_id=0)


def resnet(bottleneck, depths, width, dilate=False):
    return {"kind": "resnet", "bottleneck": bottleneck, "depths": depths, "width": width, "dilate": dilate}


CASES = {
    "resnet18": ({**SMALL, "backbone": resnet(False, [2, 2, 2, 2], 4)}, [(64, 64), (64, 64)]),
    "resnet50_dilated": ({**SMALL, "backbone": resnet(True, [3, 4, 6, 3], 4, True), "head_hidden": [20, 18]},
                         [(45, 64), (45, 64)]),
    "resnet_padded": ({**SMALL, "backbone": resnet(True, [1, 1, 2, 2], 4, True), "decoder_layers": 3},
                      [(64, 50), (33, 64), (64, 64)]),
    "patch": ({**SMALL, "backbone": {"kind": "patch", "patch_size": 4, "stages": [
        {"channels": 8, "blocks": 1}, {"channels": 12, "blocks": 2}]}, "encoder_layers": 1}, [(42, 61), (42, 61)]),
    "patch_padded": ({**SMALL, "backbone": {"kind": "patch", "patch_size": 8, "stages": [
        {"channels": 8, "blocks": 0}]}, "encoder_layers": 0, "dim": 24, "heads": 3}, [(64, 24), (40, 64)]),
}


def pictures(sizes, name):
    """Pictures laid into the smallest frame that holds them all, and its padding."""
    height, width = max(s[0] for s in sizes), max(s[1] for s in sizes)
    images, padding = torch.zeros(len(sizes), 3, height, width), torch.ones(len(sizes), height, width, dtype=torch.bool)
    for i, (h, w) in enumerate(sizes):
        images[i, :, :h, :w] = torch.from_numpy(stream(f"{name} picture {i}", 3 * h * w).reshape(3, h, w))
        padding[i, :h, :w] = False
    return images, padding


def tokens_of(c, rows, length, name):
    u = (stream(f"{name} tokens", rows * length).reshape(rows, length) + 1) / 2
    tokens = torch.from_numpy((u * c["vocab"]).astype(np.int64))
    tokens[:, 0] = c["start_id"]
    pad = torch.zeros(rows, length, dtype=torch.bool)
    pad[0, length - 2:] = True
    tokens[pad] = c["pad_id"]
    return tokens, pad


def case(name, c, sizes):
    model = Captioner(c)
    images, padding = pictures(sizes, name)
    tokens, pad = tokens_of(c, len(sizes), 7, name)
    with torch.no_grad():
        memory, pos, cells, maps = model.encode(images, padding)
        logits, own, seen = model.decode(memory, pos, cells, tokens, pad)
        greedy, gap = model.greedy(images, padding, c["max_positions"] - 1)
    assert gap > 1e-4, (name, gap)
    print(name, "greedy", greedy.tolist(), "gap", gap, "memory", memory.std().item())
    arrays = {"sizes": np.array(sizes, np.int64), "tokens": tokens, "memory": memory, "positions": pos, "logits": logits,
              "greedy": greedy, "padding": cells.long()}
    arrays |= {f"encoder_{i}": m for i, m in enumerate(maps)}
    arrays |= {f"self_{i}": m for i, m in enumerate(own)} | {f"cross_{i}": m for i, m in enumerate(seen)}
    np.savez_compressed(OUT / f"{name}.npz", **{k: np.asarray(v) for k, v in arrays.items()})
    (OUT / f"{name}.json").write_text(json.dumps(c, indent=1) + "\n")


def tiny_checkpoint():
    c = {**SMALL, "backbone": resnet(False, [1, 1, 1, 1], 2), "encoder_layers": 1, "decoder_layers": 1, "dim": 32, "heads": 1, "vocab": 110}
    model = Captioner(c)
    optimiser = torch.optim.AdamW(model.parameters(), lr=1e-4)
    torch.save({"model": model.state_dict(), "optimizer": optimiser.state_dict(), "lr_scheduler": {"step_size": 20}, "epoch": 3},
               OUT / "catr.pth")


def full_size():
    """CATR itself: a few hundred numbers of one picture, and the list of its tensors."""
    c = {**SMALL, "backbone": resnet(True, [3, 4, 23, 3], 64, True), "dim": 256, "heads": 8, "hidden": 2048, "encoder_layers": 6,
         "decoder_layers": 6, "max_positions": 128, "vocab": 30522, "head_hidden": [512, 512], "longest_side": 299,
         "start_id": 101, "end_id": 102, "pad_id": 0}
    model = Captioner(c)
    state = model.state_dict()
    (OUT / "catr_keys.txt").write_text("".join(f"{k} {list(v.shape)}\n" for k, v in state.items()))
    images, padding = pictures([(224, 299)], "full")
    with torch.no_grad():
        memory, pos, cells, _ = model.encode(images, padding)
        steps = 8
        greedy, gap = model.greedy(images, padding, steps)
        tokens = torch.cat([torch.tensor([[101]]), greedy[:, :-1]], 1)
        logits, _, seen = model.decode(memory, pos, cells, tokens, torch.zeros(1, steps, dtype=torch.bool))
    assert gap > 1e-4, gap
    print("full greedy", greedy.tolist(), "gap", gap, "memory", memory.std().item(), "logits", logits.std().item())
    pick = lambda x, n: x.flatten()[:: max(1, x.numel() // n)][:n]
    arrays = {"memory": pick(memory, 100), "logits": pick(logits, 200), "greedy": greedy,
              "cross": torch.stack([pick(s, 40) for s in seen])}
    np.savez_compressed(OUT / "full.npz", **{k: np.asarray(v) for k, v in arrays.items()})


if __name__ == "__main__":
    OUT.mkdir(exist_ok=True)
    for name, (c, sizes) in CASES.items():
        case(name, c, sizes)
    tiny_checkpoint()
    full_size()
