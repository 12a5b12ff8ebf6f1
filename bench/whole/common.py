"""What the scripts share: photographs as tensors, in batches, and figures.

The scripts are what a user of torch would write who knows it well: inference mode, batches,
PIL for photographs and figures (matplotlib takes several times as long for the same figure)."""
import pathlib
import sys

import numpy as np
import torch
from matplotlib import colormaps
from matplotlib import font_manager
from PIL import Image, ImageDraw, ImageFont

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "peers"))
BATCH = 8
INFERNO = (colormaps["inferno"](np.arange(256))[:, :3] * 255).astype(np.uint8)
FONT = font_manager.findfont("DejaVu Sans")
TITLE, LABEL = ImageFont.truetype(FONT, 30), ImageFont.truetype(FONT, 22)
PANEL, GAP, PAD, HEAD = 520, 16, 24, 96


def batches(paths, size=BATCH):
    for at in range(0, len(paths), size):
        part = paths[at:at + size]
        yield part, [Image.open(p).convert("RGB") for p in part]


def tensors(images, side, mean=0.5, std=0.5, how=Image.BILINEAR):
    pixels = np.stack([np.asarray(im.resize((side, side), how)) for im in images])
    return torch.from_numpy(pixels).permute(0, 3, 1, 2).float().div_(255).sub_(mean).div_(std)


def coloured(values, low, high, size, how):
    """A map in colours, enlarged to a size."""
    grid = Image.fromarray(values.astype(np.float32)).resize(size, how)
    index = ((np.asarray(grid) - low) * (255 / max(high - low, 1e-12))).clip(0, 255).astype(np.uint8)
    return Image.fromarray(INFERNO[index])


def figure(path, title, subtitle, panels, columns, bar=None):
    """Writes panels (a title and a picture of one size each) as a PNG."""
    width, height = panels[0][1].size
    rows = -(-len(panels) // columns)
    right = 140 if bar else 0
    canvas = Image.new("RGB", (2 * PAD + columns * (width + GAP) - GAP + right, 2 * PAD + HEAD + rows * (height + 40)), "white")
    draw = ImageDraw.Draw(canvas)
    draw.text((PAD, PAD), title, "black", TITLE)
    draw.text((PAD, PAD + 44), subtitle, "dimgrey", LABEL)
    for i, (name, picture) in enumerate(panels):
        x, y = PAD + i % columns * (width + GAP), PAD + HEAD + i // columns * (height + 40)
        draw.text((x + width // 2, y + 12), name, "black", LABEL, anchor="mm")
        canvas.paste(picture, (x, y + 32))
    if bar:
        x, y = canvas.width - right, PAD + HEAD + 32
        canvas.paste(Image.fromarray(np.repeat(INFERNO[np.linspace(255, 0, height).astype(np.uint8)][:, None], 28, 1)), (x, y))
        for i in range(5):
            draw.text((x + 36, y + height * (4 - i) // 4), f"{bar[0] + (bar[1] - bar[0]) * i / 4:.4f}", "black", LABEL, anchor="lm")
    canvas.save(path)
