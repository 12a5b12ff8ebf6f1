"""torch's float32 results: Gaussian blurs, erased tensors, mixed batches.

Writes pkg/transform/testdata/float.json. Pictures are those of transform.py.
Run from the repository root.
"""
import base64
import json
import pathlib

import numpy as np
import torch
from PIL import Image
from timm.data import mixup
from torchvision.transforms import functional as F

MODES = {1: "L", 3: "RGB", 4: "RGBA"}


def noise(height, width, channels, count=1):
    state, out = height * 1000003 + width * 1009 + channels, bytearray()
    for _ in range(count * height * width * channels):
        state = (state * 1664525 + 1013904223) & 0xFFFFFFFF
        out.append(state >> 24)
    return np.frombuffer(bytes(out), np.uint8)


def picture(height, width, channels):
    a = noise(height, width, channels).reshape(height, width, channels).copy()
    if channels == 4:
        a[..., 3] = np.clip(a[..., 3].astype(int) * 2 - 128, 0, 255)
    return Image.fromarray(a[..., 0] if channels == 1 else a, MODES[channels])


def text(a):
    return base64.b64encode(np.ascontiguousarray(a).tobytes()).decode()


blurs = []
for height, width, channels in (9, 7, 1), (13, 17, 3), (33, 20, 4), (64, 80, 3):
    im = picture(height, width, channels)
    for kernel, sigma in ([3, 3], 0.8), ([5, 5], 0.1), ([5, 3], 1.3), ([7, 13], 2.0), ([9, 9], 10.0):
        if kernel[0] // 2 < width and kernel[1] // 2 < height:
            size = str(kernel[0]) if kernel[0] == kernel[1] else f"[{kernel[0]},{kernel[1]}]"
            result = F.gaussian_blur(im, kernel, [sigma, sigma])
            blurs.append({"height": height, "width": width, "channels": channels, "spec": f"gaussianblur({size},{sigma})", "pixels": text(np.asarray(result))})

erased = []
for spec, value, place in ("erase(1,2,3,4,0)", [0.0], (1, 2, 3, 4)), ("erase(0,0,5,6,[0.5,-1,2])", [0.5, -1.0, 2.0], (0, 0, 5, 6)):
    t = F.to_tensor(picture(5, 6, 3))
    erased.append({"height": 5, "width": 6, "channels": 3, "spec": "totensor | " + spec, "pixels": text(F.erase(t, *place, torch.tensor(value)[:, None, None]).numpy())})

mixes = []
for batch, lam, cut, smoothing in (4, 0.3, None, 0.1), (2, 0.875, None, 0.0), (6, None, (1, 4, 0, 3), 0.1), (4, None, (0, 5, 2, 7), 0.0), (2, 1.0, None, 0.1):
    channels, height, width, classes = 2, 5, 7, 5
    x = torch.from_numpy(noise(height, width, channels, batch).reshape(batch, channels, height, width).astype(np.float32)) / 255 - 0.5
    labels = torch.tensor([(3 * i + 1) % classes for i in range(batch)])
    m = mixup.Mixup(label_smoothing=smoothing, num_classes=classes)
    if cut:
        top, bottom, left, right = cut
        m._params_per_batch = lambda: (0.5, True)
        mixup.cutmix_bbox_and_lam = lambda *a, **k: (cut, 1 - (bottom - top) * (right - left) / (height * width))
    else:
        m._params_per_batch = lambda: (lam, False)
    images, targets = m(x.clone(), labels)
    mixes.append({"batch": batch, "lambda": lam or 0, "cut": list(cut or []), "smoothing": smoothing,
                  "images": text(images.numpy().astype("<f4")), "targets": text(targets.numpy().astype("<f4"))})

out = pathlib.Path("pkg/transform/testdata/float.json")
parts = {"blurs": blurs, "erased": erased, "mixes": mixes}
lines = ",\n".join(f'"{name}":[\n' + ",\n".join(json.dumps(c, separators=(",", ":")) for c in cs) + "\n]" for name, cs in parts.items())
out.write_text("{" + lines + "}\n")
