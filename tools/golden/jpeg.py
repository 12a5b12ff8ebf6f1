"""JPEG files of many kinds, with the SHA-256 of PIL's pixels.

Writes internal/jpeg/testdata/*.jpg and golden.json. Run from the repository
root. Photographs in ../shared/data, if there are any, are hashed but not copied.
"""
import hashlib
import json
import pathlib

import cv2
import numpy as np
from PIL import Image

out = pathlib.Path("internal/jpeg/testdata")
out.mkdir(parents=True, exist_ok=True)
for old in out.glob("*.jpg"):
    old.unlink()


def picture(h, w, seed):
    """Smooth colours, an edge and some noise, so that every coefficient is used."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:h, 0:w].astype(np.float64)
    rgb = np.stack([
        127 + 120 * np.sin(x / 7 + y / 11),
        255 * (x + y) / (h + w),
        127 + 120 * np.cos(x * y / 90),
    ], -1)
    rgb[(x > w * 0.6) & (y > h * 0.3)] = (220, 30, 40)
    return np.clip(rgb + rng.normal(0, 12, rgb.shape), 0, 255).astype(np.uint8)


def decode(path):
    im = Image.open(path)
    a = np.asarray(im)
    return 255 - a if im.mode == "CMYK" else a  # Gaze keeps the stored values


golden = {}


def record(path, name):
    a = np.ascontiguousarray(decode(path))
    golden[name] = {
        "height": a.shape[0], "width": a.shape[1],
        "channels": 1 if a.ndim == 2 else a.shape[2],
        "sha256": hashlib.sha256(a.tobytes()).hexdigest(),
    }


sampling = {"444": 0x111111, "422": 0x211111, "420": 0x221111, "440": 0x121111, "411": 0x411111}
for i, (h, w) in enumerate([(1, 1), (2, 3), (17, 9), (37, 51)]):
    a = picture(h, w, i)
    for name, factor in sampling.items():
        for progressive in (0, 1):
            path = out / f"{name}_{h}x{w}_{'progressive' if progressive else 'baseline'}.jpg"
            cv2.imwrite(str(path), a[..., ::-1], [
                cv2.IMWRITE_JPEG_SAMPLING_FACTOR, factor, cv2.IMWRITE_JPEG_PROGRESSIVE, progressive,
                cv2.IMWRITE_JPEG_QUALITY, (30, 75, 90, 97)[i]])
            record(path, path.name)

im = Image.fromarray(picture(37, 51, 9))
for name, mode, args in [
    ("grey", "L", {}), ("grey_progressive", "L", {"progressive": True}),
    ("cmyk", "CMYK", {}), ("rgb", "RGB", {"keep_rgb": True}),
    ("restart", "RGB", {"restart_marker_blocks": 2}),
    ("restart_progressive", "RGB", {"restart_marker_blocks": 3, "progressive": True}),
    ("optimised", "RGB", {"optimize": True}), ("quality_1", "RGB", {"quality": 1}),
    ("quality_100", "RGB", {"quality": 100, "subsampling": "4:4:4"}),
]:
    path = out / f"{name}.jpg"
    im.convert(mode).save(path, **args)
    record(path, path.name)

shared = pathlib.Path("../shared/data")
for path in sorted(shared.rglob("*.jpg")):
    record(path, "shared:" + path.relative_to(shared).as_posix())

(out / "golden.json").write_text(json.dumps(golden, indent=1) + "\n")
