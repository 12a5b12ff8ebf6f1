"""Draws where the [class] token of timm's ViT looks: attend.py MODEL.json WEIGHTS LIST FOLDER

Only the last block computes attention without scaled_dot_product_attention."""
import json
import os
import pathlib
import sys

import numpy as np
import torch
from common import PANEL, batches, coloured, figure, tensors
from PIL import Image
from timm_vit import build

m, names, folder = json.loads(sys.argv[1]), [line.strip() for line in open(sys.argv[3])], pathlib.Path(sys.argv[4])
os.makedirs(folder, exist_ok=True)
model, rows = build(m, sys.argv[2]).eval(), []
attention = model.blocks[-1].attn
attention.fused_attn = False
attention.attn_drop.register_forward_hook(lambda module, args, out: rows.append(out[:, :, 0, 1:].mean(1)))


def draw(path, image, values):
    size = (PANEL, PANEL * image.height // image.width)
    photograph, top = image.resize(size, Image.BICUBIC), float(values.max())
    heat = coloured(values, 0, top, size, Image.NEAREST)
    overlay = Image.blend(photograph, coloured(values, 0, top, size, Image.BILINEAR), 0.55)
    panels = [("photograph", photograph), (f"attention, {values.shape[0]}x{values.shape[1]} patches", heat), ("overlay", overlay)]
    name = pathlib.Path(path)
    figure(folder / (name.stem + ".png"), name.name, "[class] attention, the last layer, mean of heads", panels, 3, (0, top))


with torch.inference_mode():
    for paths, images in batches(names):
        rows.clear()
        model(tensors(images, m["size"]))
        side = m["size"] // m["patch"]
        for path, image, values in zip(paths, images, rows[0].numpy().reshape(-1, side, side)):
            draw(path, image, np.ascontiguousarray(values))
