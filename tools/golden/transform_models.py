"""SHA-256 of pictures resized and cropped as in timm and transformers.

These differ from torchvision in transparent pictures, in filters, in the offset of a centre
crop, in the rounding of a size that keeps the shape, and in the conversion of bytes to
floats. Writes pkg/transform/testdata/models.json and sizes.json. The pictures are those of
transform.py. Run from the repository root.
"""
import hashlib
import json
import pathlib

import numpy as np
import torch
from PIL import Image
from timm.data.transforms import CenterCropOrPad, ResizeKeepRatio
from torchvision.transforms.functional import _compute_resized_output_size
from transformers.image_transforms import center_crop, convert_to_rgb, get_resize_output_image_size, get_size_with_aspect_ratio, normalize, rescale

MODES = {1: "L", 3: "RGB", 4: "RGBA"}


def picture(height, width, channels):
    state, out = height * 1000003 + width * 1009 + channels, bytearray()
    for _ in range(height * width * channels):
        state = (state * 1664525 + 1013904223) & 0xFFFFFFFF
        out.append(state >> 24)
    a = np.frombuffer(bytes(out), np.uint8).reshape(height, width, channels)
    if channels == 4:
        a = a.copy()
        a[..., 3] = np.clip(a[..., 3].astype(int) * 2 - 128, 0, 255)
    return Image.fromarray(a[..., 0] if channels == 1 else a, MODES[channels])


cases = []


def add(size, channels, spec, result):
    """Adds a picture, [height, width] or [height, width, channels] of bytes, or float32 [channels, height, width]."""
    a = np.asarray(result)
    assert a.dtype in (np.uint8, np.float32)
    shape = list(a.shape) if a.dtype == np.float32 else list(a.shape[:2])
    digest = hashlib.sha256(np.ascontiguousarray(a).tobytes()).hexdigest()[:32]
    cases.append({"height": size[0], "width": size[1], "channels": channels, "spec": spec, "shape": shape, "sha256": digest})


# Filters that torchvision's Resize also has, but that are used almost only in timm's files.
for size, target in [((1, 1), (3, 2)), ((5, 7), (1, 1)), ((17, 23), (31, 9)), ((37, 41), (16, 16)), ((61, 1), (7, 7)), ((1, 61), (7, 7)),
                     ((203, 5), (3, 90)), ((40, 30), (40, 12)), ((40, 30), (12, 30)), ((150, 211), (64, 64)), ((90, 60), (40, 34))]:
    for channels in 1, 3, 4:
        im = picture(*size, channels)
        for name in "box", "hamming":
            resized = im.resize(target[::-1], Image.Resampling[name.upper()])
            add(size, channels, f"resize({target[0]},{target[1]},{name})", resized)

# Every value of (size - crop) modulo 4, on both axes, and pictures smaller than the crop.
for size in [(h, w) for h in (28, 29, 30, 31, 32, 33) for w in (27, 34, 35, 36, 37)] + [(1, 50), (50, 1), (1, 1), (9, 12), (12, 9), (40, 9)]:
    im = picture(*size, 3)
    for crop in (28, 28), (10, 13), (13, 10), (41, 42):
        a = center_crop(np.asarray(im), crop, input_data_format="channels_last")
        add(size, 3, f"centercrop({crop[0]},{crop[1]},floor)", a)
        add(size, 3, f"centercrop({crop[0]},{crop[1]},fill=[124,116,104])", CenterCropOrPad(crop, fill=[124, 116, 104])(im))
    grey = picture(*size, 1)
    add(size, 1, "centercrop(32,fill=127)", CenterCropOrPad(32, fill=[127])(grey))

# Sizes that keep the shape.
for size in [(7, 12), (12, 7), (9, 9), (1, 30), (30, 1), (333, 257), (100, 67), (67, 100), (37, 53), (480, 640), (427, 640), (640, 427), (375, 500)]:
    im = picture(*size, 3)
    for target in (5, 9), (9, 5), (33, 33), (48, 40), (21, 64):
        for how, longest in ("cover", 0.0), ("contain", 1.0):
            h, w = ResizeKeepRatio.get_params(im, target, longest)
            if h > 0 and w > 0:
                resized = ResizeKeepRatio(target, longest=longest, interpolation="bicubic")(im)
                add(size, 3, f"resize({target[0]},{target[1]},bicubic,{how})", resized)
    for short, long in (9, 12), (32, 40), (32, 1000), (30, 35), (33, 20), (40, 50), (61, 77):
        h, w = get_size_with_aspect_ratio(size, short, long)
        if h > 0 and w > 0:
            add(size, 3, f"resize({short},bilinear,longest={long})", im.resize((w, h), Image.Resampling.BILINEAR))

# Transparent pictures on white, as do_convert_rgb asks, and on other colours: every level at every alpha, among others.
for size in [(1, 1), (5, 7), (64, 61)]:
    for channels in 1, 3, 4:
        add(size, channels, "background", convert_to_rgb(picture(*size, channels), return_numpy=True))
for colour in (0, 0, 0), (127, 127, 127), (1, 128, 254):
    im = picture(512, 300, 4)
    over = Image.alpha_composite(Image.new("RGBA", im.size, (*colour, 255)), im).convert("RGB")
    add((512, 300), 4, f"background({list(colour)})".replace(" ", ""), over)
im = picture(61, 43, 4)
add((61, 43), 4, "background(255) | resize(32,bicubic) | centercrop(32,floor)", center_crop(
    np.asarray(Image.fromarray(convert_to_rgb(im, return_numpy=True)).resize((32, 45), Image.Resampling.BICUBIC)), (32, 32), input_data_format="channels_last"))

# Values rescaled by factors other than 1/255, and not rescaled.
for factor in 1 / 255, 1 / 127.5, 1 / 256, 0.003921569, 1.0, 2.5e-5, 0.1:
    im = np.moveaxis(np.asarray(picture(40, 30, 3)), -1, 0)
    spec = "totensor" if factor == 1 / 255 else f"totensor(scale={factor!r})"
    scaled = rescale(im, factor, input_data_format="channels_first")
    add((40, 30), 3, spec, scaled)
    mean, std = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]
    add((40, 30), 3, spec + " | normalize([0.485,0.456,0.406],[0.229,0.224,0.225])",
        normalize(scaled, mean, std, input_data_format="channels_first"))
    if factor == 1.0:  # transformers also normalises bytes
        assert (normalize(im, mean, std, input_data_format="channels_first") == normalize(scaled, mean, std, input_data_format="channels_first")).all()

out = pathlib.Path("pkg/transform/testdata/models.json")
lines = ",\n".join(json.dumps(c) for c in cases)
out.write_text(f"[\n{lines}\n]\n")


# Only sizes and offsets, for all picture sizes up to 400 by 400 pixels: digests of int32s.
def empty(height, width):
    return torch.empty(3, height, width, device="meta")


def resize_short(size):
    def target(h, w):
        got = get_resize_output_image_size(empty(h, w), size, default_to_square=False, input_data_format="channels_first")
        assert list(got) == _compute_resized_output_size((h, w), [size]), (h, w)  # torchvision's
        return got
    return target


def offset_floor(crop):
    """The offset of transformers' crop, read from a picture with numbered rows and columns."""
    def offset(n):
        a = center_crop(np.arange(1, n + 1, dtype=np.int32)[None, :, None], (crop, 1), input_data_format="channels_first")[0, :, 0]
        first = int(np.argmax(a > 0))
        return int(a[first]) - 1 - first
    known = [0] + [offset(n) for n in range(1, LIMIT + 1)]
    return lambda h, w: (known[h], known[w])


LIMIT = 400
tables = {
    "resize(256)": resize_short(256), "resize(248)": resize_short(248), "resize(37)": resize_short(37),
    "resize(256,341,cover)": lambda h, w: ResizeKeepRatio.get_params(empty(h, w), (256, 341), 0.0),
    "resize(47,31,cover)": lambda h, w: ResizeKeepRatio.get_params(empty(h, w), (47, 31), 0.0),
    "resize(256,341,contain)": lambda h, w: ResizeKeepRatio.get_params(empty(h, w), (256, 341), 1.0),
    "resize(36,36,contain)": lambda h, w: ResizeKeepRatio.get_params(empty(h, w), (36, 36), 1.0),
    "resize(480,longest=640)": lambda h, w: get_size_with_aspect_ratio((h, w), 480, 640),
    "resize(37,longest=53)": lambda h, w: get_size_with_aspect_ratio((h, w), 37, 53),
    "centercrop(224,floor)": offset_floor(224), "centercrop(127,floor)": offset_floor(127),
}
sizes = {}
for spec, of in tables.items():
    values = np.array([of(h, w) for h in range(1, LIMIT + 1) for w in range(1, LIMIT + 1)], np.int64)
    sizes[spec] = hashlib.sha256(values.astype(np.int32).tobytes()).hexdigest()[:32]
pathlib.Path("pkg/transform/testdata/sizes.json").write_text(json.dumps({"limit": LIMIT, "sizes": sizes}, indent=1) + "\n")
