# The first cell of the Python notebook in bench/cells.py: the imports, the model and the
# functions that a user would already have when editing the cells that are timed.
import math
import os

import matplotlib.pyplot as plt
import numpy as np
import torch
from PIL import Image
from safetensors.torch import load_file
from timm.models.vision_transformer import VisionTransformer
from torchvision import transforms as T

# Pictures with the pixels that Gaze's have: two for a CSS pixel, and the same size.
get_ipython().run_line_magic("config", "InlineBackend.figure_format = 'retina'")  # noqa: F821
get_ipython().run_line_magic("config", "InlineBackend.print_figure_kwargs = {'bbox_inches': None}")  # noqa: F821
plt.rcParams["figure.dpi"] = 100

net = VisionTransformer(patch_size=16, embed_dim=384, depth=12, num_heads=6)
net.load_state_dict(load_file(os.environ["GAZE_VIT"]))
net.eval()
maps = []
for block in net.blocks:
    block.attn.fused_attn = False
    block.attn.attn_drop.register_forward_hook(lambda module, args, out: maps.append(out[0, :, 0, 1:]))
prepare = T.Compose([T.Resize(224, T.InterpolationMode.BICUBIC), T.CenterCrop(224)])
to_input = T.Compose([T.ToTensor(), T.Normalize([0.5] * 3, [0.5] * 3)])


def augmentation(angle):
    return T.Compose([T.RandomHorizontalFlip(), T.RandomRotation(angle), T.ColorJitter((0.5, 1.5), (0.5, 1.5), (0.5, 1.5)),
                      T.RandomPerspective(0.2, p=0.5)])


def show_grid(pipeline, picture, draws):
    fig, axes = plt.subplots(3, 3, figsize=(6.44, 6.36))
    for ax, im in zip(axes.flat, [picture, *(pipeline(picture) for _ in range(draws))]):
        ax.imshow(im)
        ax.axis("off")
    plt.show()


def attention(path):
    """The crop of a picture that the model gets, and its attention maps by layer, [14, 14]."""
    seen = prepare(Image.open(path).convert("RGB"))
    maps.clear()
    with torch.inference_mode():
        net(to_input(seen)[None])
    return seen, [m.mean(0).reshape(14, 14).numpy() for m in maps]


def show_attention(seen, layers, layer):
    fig, axes = plt.subplots(1, 3, figsize=(9.05, 3.48))
    axes[0].imshow(seen)
    shown = axes[1].imshow(layers[layer])
    axes[2].imshow(seen)
    axes[2].imshow(layers[layer], alpha=0.5, extent=(0, 224, 224, 0), interpolation="bilinear")
    for ax in axes:
        ax.axis("off")
    fig.colorbar(shown, ax=axes)
    plt.show()


def show_positions(rows, cols):
    """The similarity of every position to all others, as a small map for each."""
    grid = net.pos_embed[:, 1:].detach().reshape(1, 14, 14, -1).permute(0, 3, 1, 2)
    grid = torch.nn.functional.interpolate(grid, (rows, cols), mode="bicubic", antialias=True)
    e = torch.nn.functional.normalize(grid[0].flatten(1).T, dim=1)
    maps = (e @ e.T).reshape(rows, cols, rows, cols)
    maps = torch.nn.functional.pad(maps, (1, 1, 1, 1), value=math.nan)
    fig = plt.figure(figsize=(9.16, 9.92))
    plt.imshow(maps.permute(0, 2, 1, 3).reshape(rows * (rows + 2), -1))
    plt.axis("off")
    plt.colorbar()
    plt.show()
