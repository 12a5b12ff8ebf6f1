"""Golden captions of pictures with masked cells, from caption_model.py.

Writes pkg/caption/testdata/blocked/captions.npz for the configurations of caption.py. The
grid's first row and every third cell are masked. Run from the repository root.
"""
import json

import numpy as np
import torch

from caption import CASES, OUT, pictures
from caption_model import Captioner

torch.set_num_threads(1)


def main():
    (OUT / "blocked").mkdir(exist_ok=True)
    arrays = {}
    for name in ("patch", "resnet50_dilated"):
        c, sizes = json.loads((OUT / f"{name}.json").read_text()), CASES[name][1]
        model, (images, padding) = Captioner(c), pictures(sizes, name)
        grid = model.backbone[0].body(images).shape[-2:]
        blocked = torch.tensor([i < grid[1] or i % 3 == 0 for i in range(grid.numel())])[None].expand(len(sizes), -1)
        with torch.no_grad():
            steps = c["max_positions"] - 1
            greedy, gap = model.greedy(images, padding, steps, blocked)
            free, _ = model.greedy(images, padding, steps)
            tokens = torch.cat([torch.full((len(sizes), 1), c["start_id"]), greedy[:, :-1]], 1)
            memory, pos, cells, maps = model.encode(images, padding, blocked)
            logits, _, seen = model.decode(memory, pos, cells, tokens, torch.zeros(tokens.shape, dtype=torch.bool))
        assert gap > 1e-4 and not torch.equal(greedy, free), (name, gap, greedy, free)
        print(name, "greedy", greedy.tolist(), "unblocked", free.tolist(), "gap", gap)
        arrays[f"{name}_greedy"] = greedy
        arrays[f"{name}_logprobs"] = logits.log_softmax(-1).gather(-1, greedy[..., None])[..., 0]
        arrays[f"{name}_attention"] = torch.stack(seen, 2).transpose(1, 3).contiguous()  # [picture, piece, layer, head, cell]
        print(arrays[f"{name}_attention"].shape)
    np.savez_compressed(OUT / "blocked/captions.npz", **{k: np.asarray(v) for k, v in arrays.items()})


if __name__ == "__main__":
    main()
