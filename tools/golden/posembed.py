"""Golden cases of resizing position embeddings, by torch and scipy.

Writes pkg/vit/testdata/posembed.npz: for every case `<n>_grid` [rows, columns,
dim], `<n>_to` and the result of each method. Run from the repository root.
"""
import pathlib
import warnings

import numpy as np
import scipy.ndimage
import torch
import torch.nn.functional as F
from timm.layers import resample_abs_pos_embed

torch.set_num_threads(1)
warnings.simplefilter("ignore")

CASES = [  # from, to, dim
    ((4, 4), (4, 4), 3), ((4, 4), (6, 6), 5), ((7, 7), (3, 3), 8), ((14, 14), (24, 24), 1),
    ((24, 24), (14, 14), 1), ((4, 6), (5, 3), 4), ((3, 5), (9, 5), 4), ((3, 5), (3, 11), 4),
    ((1, 1), (3, 4), 6), ((5, 4), (1, 1), 6), ((1, 6), (4, 2), 2), ((2, 2), (13, 1), 3),
    ((8, 8), (26, 26), 1), ((37, 37), (16, 16), 1), ((16, 16), (11, 19), 1), ((5, 5), (7, 8), 17),
]


def dinov2(grid, to):
    """DINOv2's interpolate_pos_encoding with interpolate_offset=0.1."""
    scale = tuple(float(n + 0.1) / m for n, m in zip(to, grid.shape[:2]))
    x = F.interpolate(grid[None].permute(0, 3, 1, 2), scale_factor=scale, mode="bicubic")
    assert tuple(x.shape[-2:]) == to
    return x.permute(0, 2, 3, 1)[0]


out = {}
for n, (old, new, dim) in enumerate(CASES):
    x = np.random.default_rng(n).standard_normal((*old, dim)).astype(np.float32)
    t = torch.from_numpy(x)
    out[f"{n}_grid"], out[f"{n}_to"] = x, np.array(new, np.int64)
    if new[1] > 1:
        y = resample_abs_pos_embed(t.reshape(1, -1, dim), list(new), list(old), num_prefix_tokens=0)
        out[f"{n}_timm"] = y.reshape(*new, dim).numpy()
    else:  # torch 2.13 mixes up the rows of a result with one column, so resize one axis at a time
        y = t[None].permute(0, 3, 1, 2)
        y = F.interpolate(y, size=(new[0], old[1]), mode="bicubic", antialias=True)
        y = F.interpolate(y.transpose(2, 3), size=new[::-1], mode="bicubic", antialias=True)
        out[f"{n}_timm"] = y.permute(0, 3, 2, 1)[0].contiguous().numpy()
    y = F.interpolate(t[None].permute(0, 3, 1, 2), size=new, mode="bicubic", align_corners=False)
    out[f"{n}_hf"] = y.permute(0, 2, 3, 1)[0].contiguous().numpy()
    y = F.interpolate(t[None].permute(0, 3, 1, 2), size=new, mode="bicubic", align_corners=True)
    out[f"{n}_torchvision"] = y.permute(0, 2, 3, 1)[0].contiguous().numpy()
    out[f"{n}_dinov2"] = (t if old == new else dinov2(t, new)).contiguous().numpy()
    out[f"{n}_zoom"] = scipy.ndimage.zoom(x, (new[0] / old[0], new[1] / old[1], 1), order=1)
    assert out[f"{n}_zoom"].shape == (*new, dim)
path = pathlib.Path("pkg/vit/testdata/posembed.npz")
path.parent.mkdir(parents=True, exist_ok=True)
np.savez_compressed(path, **out)
