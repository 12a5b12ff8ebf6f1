"""The files that the workers read: weights, pictures, ONNX graphs. They are made once
from fixed seeds and kept in a folder, under names that describe their content."""
import os
import pathlib
import sys

import numpy as np

HERE = pathlib.Path(__file__).parent
sys.path[:0] = [str(HERE / "peers"), str(HERE.parent / "tools" / "golden")]


def made(path, make, *args):
    """Returns the path of a file, which is made if it doesn't exist. It is written under
    another name first, so that no partial file is left."""
    if not path.exists():
        part = path.with_name("part-" + path.name)
        make(str(part), *args)
        os.replace(part, path)
    return str(path)


def complete(task, folder):
    """Adds the paths of a task's files."""
    task = dict(task)
    if "model" in task:
        m = task["model"]
        name = f"vit-{m['dim']}x{m['depth']}-{m['size']}"
        task["weights"] = made(folder / f"{name}.safetensors", write_vit, m)
        if task["kind"] in ("inference", "attention") and "device" not in task:
            kind = "" if task["kind"] == "inference" else "-" + task["kind"]
            task["onnx"] = made(folder / f"{name}{kind}.onnx", export, m, task["weights"], task["kind"])
        if "batch" in task:
            task["shape"] = [task["batch"], 3, m["size"], m["size"]]
            task["labels"] = np.random.default_rng(2).integers(0, m["classes"], task["batch"]).tolist()
    elif task["kind"] == "caption":
        task["weights"] = made(folder / f"captioner-{task['captioner']}.pth", write_captioner, task["captioner"])
    elif task["kind"] == "pipeline":
        task["pictures"] = [made(folder / f"photograph-{i}.jpg", write_photograph, i) for i in range(task["count"])]
    if "shape" in task:
        task["input"] = made(folder / ("x".join(map(str, task["shape"])) + ".f32"), write_pictures, task["shape"])
    return task


def write_vit(path, m):
    """Weights in timm's names. Every tensor affects the result, and attention isn't uniform."""
    from safetensors.numpy import save_file

    rng, dim, tokens = np.random.default_rng(1), m["dim"], (m["size"] // m["patch"]) ** 2 + 1
    shapes = {"cls_token": (1, 1, dim), "pos_embed": (1, tokens, dim), "patch_embed.proj.weight": (dim, 3, m["patch"], m["patch"]),
              "patch_embed.proj.bias": (dim,)}
    layers = {"norm1": (dim,), "attn.qkv": (3 * dim, dim), "attn.proj": (dim, dim), "norm2": (dim,), "mlp.fc1": (4 * dim, dim),
              "mlp.fc2": (dim, 4 * dim)}
    layers = {f"blocks.{i}.{name}": shape for i in range(m["depth"]) for name, shape in layers.items()}
    for name, shape in (layers | {"norm": (dim,), "head": (m["classes"], dim)}).items():
        shapes[name + ".weight"], shapes[name + ".bias"] = shape, shape[:1]
    values = {}
    for name, shape in shapes.items():
        x = rng.standard_normal(shape, np.float32)
        if not name.endswith(".weight"):
            values[name] = np.float32(0.1) * x
        elif len(shape) == 1:
            values[name] = 1 + np.float32(0.1) * x
        else:
            values[name] = x / np.float32(np.sqrt(np.prod(shape[1:])))
    save_file(values, path)


def export(path, m, weights, kind):
    """Exports with torch.onnx.export, for any batch size and one picture size."""
    import torch
    from timm_vit import ClassRows, build

    model = build(m, weights)
    if kind == "attention":
        model = ClassRows(model)
    x = torch.zeros(2, 3, m["size"], m["size"])
    torch.onnx.export(model.eval(), (x,), path, input_names=["images"], dynamo=True, external_data=False, verbose=False,
                      dynamic_shapes=({0: torch.export.Dim("batch")},))


def write_pictures(path, shape):
    np.random.default_rng(3).standard_normal(shape, np.float32).tofile(path)


def write_captioner(path, size):
    """Random weights of a captioner in CATR's names."""
    import torch
    from caption_model import Captioner
    from catr import CONFIGS

    torch.save(Captioner(CONFIGS[size]).state_dict(), path)


def write_photograph(path, seed, height=375, width=500):
    """Random colours whose amplitude falls with frequency, as in a photograph."""
    from PIL import Image

    rng = np.random.default_rng(seed)
    fy, fx = np.meshgrid(np.fft.fftfreq(height), np.fft.rfftfreq(width), indexing="ij")
    falloff = np.hypot(fy, fx)
    falloff[0, 0] = 1
    planes = [np.fft.irfft2(np.fft.rfft2(rng.normal(size=(height, width))) / falloff**1.1, (height, width)) for _ in range(3)]
    y, cb, cr = (p / p.std() for p in planes)
    ycc = np.stack([128 + 50 * y, 128 + 14 * cb, 128 + 14 * cr], -1)
    Image.fromarray(np.clip(ycc, 0, 255).astype(np.uint8), "YCbCr").convert("RGB").save(path, "JPEG", quality=90)
