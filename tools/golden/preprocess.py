"""Pictures prepared by transformers' and timm's own processors, by the files beside a checkpoint.

Each case is the configuration files of a folder. transformers reads them with
AutoImageProcessor (PIL backend), timm with create_model, resolve_model_data_config
and create_transform. The results are digests of the float32 tensors, or the fact that
the package refuses the files. The script also records the keys, the defaults and the
model types of the classes. Writes pkg/vit/testdata/preprocess.json. The pictures are
those of transform.py. Run from the repository root.
"""
import dataclasses
import hashlib
import json
import os
import pathlib
import tempfile

os.environ["HF_HUB_OFFLINE"] = "1"

import numpy as np
import timm
import torch
import transformers
from PIL import Image
from timm.data.model_config import resolve_input_data_config
from timm.models import PretrainedCfg
from transformers import AutoImageProcessor
from transformers.models.auto.image_processing_auto import IMAGE_PROCESSOR_MAPPING_NAMES

torch.set_num_threads(1)
transformers.logging.set_verbosity_error()

# Landscape and portrait; size minus crop equal to 0, 1, 2 and 3 modulo 4; one pixel wide; smaller than the crop.
SIZES = [(36, 36), (36, 37), (38, 36), (36, 39), (29, 43), (61, 34), (90, 55), (1, 20), (20, 1), (9, 13), (28, 28), (203, 200)]
FEW = [(61, 34), (300, 237)]
ALPHA = [(36, 37), (61, 34), (9, 13), (1, 1)]  # with transparency
CLASSES = ["ViT", "DeiT", "Bit", "Beit", "CLIP", "Siglip", "ConvNext"]


def picture(height, width):
    state, out = height * 1000003 + width * 1009 + 3, bytearray()
    for _ in range(height * width * 3):
        state = (state * 1664525 + 1013904223) & 0xFFFFFFFF
        out.append(state >> 24)
    return Image.fromarray(np.frombuffer(bytes(out), np.uint8).reshape(height, width, 3), "RGB")


def transparent(height, width):
    """The picture with four channels of transform.py."""
    state, out = height * 1000003 + width * 1009 + 4, bytearray()
    for _ in range(height * width * 4):
        state = (state * 1664525 + 1013904223) & 0xFFFFFFFF
        out.append(state >> 24)
    a = np.frombuffer(bytes(out), np.uint8).reshape(height, width, 4).copy()
    a[..., 3] = np.clip(a[..., 3].astype(int) * 2 - 128, 0, 255)
    return Image.fromarray(a, "RGBA")


def by_transformers(folder, channels):
    processor = AutoImageProcessor.from_pretrained(folder, backend="pil")
    assert type(processor).__name__.endswith("Pil"), type(processor)

    def prepare(im):
        tensor = np.asarray(processor(im.convert("L") if channels == 1 else im)["pixel_values"][0])
        if tensor.shape[0] != channels:
            raise ValueError(f"{tensor.shape[0]} channels, the model takes {channels}")
        return tensor.astype(np.float32)  # without rescaling the result is bytes, which models convert

    return prepare


def by_timm(folder, channels):
    model = timm.create_model("local-dir:" + folder)
    if channels == 1:  # as timm's own scripts do; the older function leaves three means for one channel
        config = resolve_input_data_config(model)
    else:
        config = timm.data.resolve_model_data_config(model)
    transform = timm.data.create_transform(**config, is_training=False)
    return lambda im: transform(im.convert("L") if channels == 1 else im).numpy()


def digest(tensor):
    """The digest of the shape, as three int32, and the values."""
    return hashlib.sha256(np.array(tensor.shape, np.int32).tobytes() + np.ascontiguousarray(tensor).tobytes()).hexdigest()[:16]


cases = []


def add(name, layout, files, by, channels=3, size=(32, 32), pictures=SIZES):
    case = {"name": name, "layout": layout, "channels": channels, "size": list(size), "pictures": {id(FEW): "few", id(ALPHA): "alpha"}.get(id(pictures), "all"),
            "files": {k: json.dumps(v) for k, v in files.items()}}
    with tempfile.TemporaryDirectory() as folder:
        for file, text in case["files"].items():
            (pathlib.Path(folder) / file).write_text(text)
        results = []
        try:
            prepare = by(folder, channels)
            ready = True
        except Exception as e:
            case["error"], ready = f"{type(e).__name__}: {str(e).splitlines()[0][:120]}".replace(folder, "…"), False
        for h, w in pictures if ready else []:
            try:
                tensor = prepare((transparent if pictures is ALPHA else picture)(h, w))
                assert tensor.dtype == np.float32 and tensor.ndim == 3, (tensor.dtype, tensor.shape)
                results.append(digest(tensor))
            except Exception as e:
                results.append(f"{type(e).__name__}: {str(e).splitlines()[0][:120]}")
        if ready and all(":" in r for r in results):  # transformers accepts nearly any file and refuses it later
            case["error"] = results[0]
        elif ready:
            case["results"] = results
    cases.append(case)


HALF = {"image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5]}
IMAGENET = {"image_mean": [0.485, 0.456, 0.406], "image_std": [0.229, 0.224, 0.225]}
LAYOUTS = {"ViT": "huggingface-vit", "DeiT": "huggingface-deit", "Bit": "huggingface-dinov2"}


def hf(name, config, class_name="ViT", model=None, **kwargs):
    files = {"preprocessor_config.json": config}
    if model is not None:
        files["config.json"] = model
    add(f"{class_name} {name}", LAYOUTS.get(class_name, "huggingface-vit"), files, by_transformers, **kwargs)


# Every class by each of its names, without other keys: its defaults.
for c in CLASSES:
    for name in f"{c}ImageProcessor", f"{c}ImageProcessorFast":
        hf(f"defaults {name}", {"image_processor_type": name}, c, pictures=FEW)
    hf("feature extractor", {"feature_extractor_type": f"{c}FeatureExtractor"}, c, pictures=FEW)
    # Sizes in every form.
    kind = {"image_processor_type": f"{c}ImageProcessor"}
    for size in 36, [24, 40], {"height": 24, "width": 40}, {"shortest_edge": 36}, {"shortest_edge": 36, "longest_edge": 40}, {"longest_edge": 40}, \
            {"shortest_edge": 36, "longest_edge": None}, {"max_height": 30, "max_width": 40}, {"min_pixels": 9, "max_pixels": 900}, {"height": 24}, {"width": 3, "shortest_edge": 5}, 0, "36", None, {}:
        for crop in {}, {"do_center_crop": True, "crop_size": 28}:
            hf(f"size {json.dumps(size)} {json.dumps(crop)}", kind | {"size": size, "do_center_crop": False} | crop, c)
    for size in 36, {"shortest_edge": 36}:
        for square in True, False, None:
            hf(f"square {square} {json.dumps(size)}", kind | {"size": size, "default_to_square": square, "crop_size": 28}, c)
    # Crops in every form, with and without a resize before.
    for crop in 28, [28, 21], {"height": 21, "width": 28}, {"height": 64, "width": 9}, {"shortest_edge": 28}, None, 0:
        hf(f"crop {json.dumps(crop)}", kind | {"do_resize": False, "do_center_crop": True, "crop_size": crop}, c)
    # Numbers.
    small = kind | {"size": {"shortest_edge": 36} if c == "ConvNext" else {"height": 30, "width": 31}, "do_center_crop": False}
    for name, change in {
        "half": {"rescale_factor": 1 / 127.5, "do_normalize": False}, "half normalised": {"rescale_factor": 1 / 127.5}, "no rescale": {"do_rescale": False},
        "one": {"rescale_factor": 1}, "no normalisation": {"do_normalize": False}, "bytes": {"do_rescale": False, "do_normalize": False},
        "rounded": {"rescale_factor": 0.00392156862}, "imagenet": IMAGENET, "single": {"image_mean": 0.5, "image_std": 0.25},
        "single in a list": {"image_mean": [0.5], "image_std": [0.25]}, "null mean": {"image_mean": None}, "null factor": {"rescale_factor": None},
        "null switches": {"do_normalize": None, "do_rescale": None}, "null resize": {"do_resize": None}, "null resample": {"resample": None},
        "null crop": {"do_center_crop": None}, "pad to nothing": {"do_pad": True}, "no pad": {"do_pad": False, "pad_size": {"height": 40, "width": 40}},
        "reduced labels": {"do_reduce_labels": True, "reduce_labels": True}, "formats": {"data_format": "channels_first", "input_data_format": "channels_last", "device": "cpu"},
        "switches off": {"do_resize": False, "do_rescale": False, "do_normalize": False},
    }.items():
        hf(name, small | change, c)
    for resample in range(6):
        hf(f"resample {resample}", small | {"resample": resample}, c)

    # Transparent pictures: on white, where they are converted.
    for convert in {"Bit": ["", True], "CLIP": ["", True], "Siglip": ["", True]}.get(c, [True]):
        hf(f"transparent {convert}", small | ({} if convert == "" else {"do_convert_rgb": convert}), c, pictures=ALPHA)
    # Numbers with a fraction where there is none to be, and forms that are wrong where they aren't used.
    for change in {"size": 36.5}, {"size": 36.0}, {"size": {"height": 24, "width": 40.5}}, {"size": {"shortest_edge": 36.0}}, {"size": [24.5, 40]}, \
            {"do_center_crop": True, "crop_size": 28.5}, {"do_center_crop": True, "crop_size": {"height": 28, "width": 20.5}}, {"resample": 3.0}, {"resample": 2.5}, \
            {"crop_size": 28.5}, {"crop_size": {}}, {"crop_size": [28]}, {"do_resize": False, "size": 36.5}, {"do_resize": False, "size": {"height": 9}}, {"pad_size": 9.5}:
        hf(f"fractions {json.dumps(change)}", small | change, c, pictures=FEW)

# ViT, without a class's name and with the model's.
published = {"do_normalize": True, "do_resize": True, "size": 32} | HALF
hf("no name", published, model={"model_type": "vit"})
hf("no name, DeiT's model", published | {"crop_size": 28}, model={"model_type": "deit"})
hf("no name, DINOv2's model", published | {"crop_size": 28}, model={"model_type": "dinov2"})
hf("no name, MAE's model", published, model={"model_type": "vit_mae"})
hf("feature extractor as a processor", published | {"image_processor_type": "ViTFeatureExtractor"}, model={"model_type": "vit"})
hf("published DeiT", {"crop_size": 28, "do_center_crop": True, "do_normalize": True, "do_resize": True, "feature_extractor_type": "DeiTFeatureExtractor",
                      "resample": 3, "size": 36} | IMAGENET, "DeiT")
hf("published DINOv2", {"crop_size": {"height": 28, "width": 28}, "do_center_crop": True, "do_convert_rgb": True, "do_normalize": True, "do_rescale": True,
                        "do_resize": True, "image_processor_type": "BitImageProcessor", "resample": 3, "rescale_factor": 0.00392156862745098,
                        "size": {"shortest_edge": 32}} | IMAGENET, "Bit")
hf("published CLIP", {"crop_size": 28, "do_center_crop": True, "do_normalize": True, "do_resize": True, "feature_extractor_type": "CLIPFeatureExtractor",
                      "image_mean": [0.48145466, 0.4578275, 0.40821073], "image_std": [0.26862954, 0.26130258, 0.27577711], "resample": 3, "size": 32}, "CLIP")
hf("square CLIP", {"image_processor_type": "CLIPImageProcessor", "size": {"shortest_edge": 100}, "use_square_size": True}, "CLIP", pictures=FEW)
hf("published BEiT", {"crop_size": 28, "do_center_crop": False, "do_normalize": True, "do_resize": True, "feature_extractor_type": "BeitFeatureExtractor",
                      "resample": 2, "size": 32} | HALF, "Beit")
hf("published SigLIP", {"do_normalize": True, "do_rescale": True, "do_resize": True, "image_processor_type": "SiglipImageProcessor", "processor_class": "SiglipProcessor",
                        "resample": 3, "rescale_factor": 0.00392156862745098, "size": {"height": 32, "width": 32}} | HALF, "Siglip")
for size, pct in (32, 0.875), (32, 0.9), (32, 1.0), (33, 0.875), (28, 1.5), (383, 0.95), (384, 0.875), (400, None), (32, None):
    for form in size, {"shortest_edge": size}:
        hf(f"crop_pct {pct} of {json.dumps(form)}", {"image_processor_type": "ConvNextImageProcessor", "size": form, "crop_pct": pct, "resample": 3}, "ConvNext",
           pictures=FEW if size > 100 else SIZES)

# Nested in a processor_config.json, which comes first.
nested = {"image_processor": {"image_processor_type": "ViTImageProcessor", "size": {"height": 24, "width": 24}}, "processor_class": "CLIPProcessor"}
other = {"image_processor_type": "ViTImageProcessor", "size": {"height": 40, "width": 40}}
add("nested", "huggingface-vit", {"processor_config.json": nested}, by_transformers)
add("nested and beside it", "huggingface-vit", {"processor_config.json": nested, "preprocessor_config.json": other}, by_transformers)
add("about text only", "huggingface-vit", {"processor_config.json": {"processor_class": "CLIPProcessor"}, "preprocessor_config.json": other}, by_transformers)

# Grey pictures for a model of one channel.
grey = {"image_processor_type": "ViTImageProcessor", "size": {"height": 24, "width": 24}}
hf("grey, one mean", grey | {"image_mean": [0.4], "image_std": [0.3]}, channels=1)
hf("grey, a number", grey | {"image_mean": 0.4, "image_std": 0.3}, channels=1)
hf("grey, three means", grey | IMAGENET, channels=1)
hf("grey made of colours", grey | {"image_mean": [0.4], "image_std": [0.3], "do_convert_rgb": True}, channels=1)


def of_timm(name, cfg, args=None, top=None, channels=3, size=(32, 32), pictures=SIZES):
    config = {"architecture": "vit_tiny_patch16_224", "num_classes": 3, "num_features": 64, "global_pool": "token",
              "model_args": {"img_size": list(size), "patch_size": 8, "embed_dim": 64, "depth": 1, "num_heads": 1} | (args or {}), "pretrained_cfg": cfg}
    add("timm " + name, "timm", {"config.json": config | (top or {})}, by_timm, channels, size, pictures)


for size in (32, 32), (32, 48), (48, 32):
    base = {"input_size": [3, *size], "mean": [0.5, 0.5, 0.5], "std": [0.5, 0.5, 0.5], "num_classes": 3}
    for mode in "center", "squash", "border", None:
        for pct in 0.875, 0.9, 0.95, 1.0, 0.77, 1.2, 0, None:
            of_timm(f"{size} {mode} {pct}", base | {"crop_mode": mode, "crop_pct": pct}, size=size)
for mode in "center", "squash", "border":
    for interpolation in "bilinear", "bicubic", "nearest", "lanczos", "box", "hamming", "", None, "nearest-exact":
        of_timm(f"{mode} {interpolation}", base | {"crop_mode": mode, "interpolation": interpolation}, size=(48, 32))
square = {"input_size": [3, 32, 32], "num_classes": 3}
of_timm("nothing but a size", square)
of_timm("a random filter", square | {"interpolation": "random"})
of_timm("imagenet border", square | {"crop_mode": "border"})
of_timm("clip border", square | {"crop_mode": "border", "mean": [0.48145466, 0.4578275, 0.40821073], "std": [0.26862954, 0.26130258, 0.27577711]})
of_timm("one mean", square | {"mean": [0.3], "std": [0.2]})
of_timm("one mean border", square | {"mean": [0.3], "std": [0.2], "crop_mode": "border"})
of_timm("no means", square | {"mean": [], "std": None})
of_timm("two means", square | {"mean": [0.3, 0.2]})
of_timm("deviation 0", square | {"std": [0, 1, 1]})
of_timm("negative deviation", square | {"std": [-1, 1, 1]})
of_timm("a size for tests", square | {"test_input_size": [3, 40, 40], "test_crop_pct": 1.0, "crop_pct": 0.9})
of_timm("a fixed size for tests", square | {"test_input_size": [3, 40, 40], "test_crop_pct": 1.0, "crop_pct": 0.9, "fixed_input_size": True})
of_timm("two sizes", square | {"input_size": [3, 64, 64]})
of_timm("a size with a fraction", square | {"input_size": [3, 32.5, 32]})
of_timm("numbers", square | {"mean": 0.4, "std": 0.2})
of_timm("whole numbers", square | {"mean": 0, "std": 1})
of_timm("a number border", square | {"mean": 0.4, "crop_mode": "border"})
of_timm("a fixed size, another argument", square | {"input_size": [3, 64, 64], "fixed_input_size": True})
of_timm("any size", square | {"input_size": [3, 40, 40], "fixed_input_size": True}, {"dynamic_img_size": True})
of_timm("everything harmless", square | {
    "tag": "augreg", "url": "", "hf_hub_id": None, "custom_load": False, "min_input_size": None, "pool_size": None, "first_conv": "patch_embed.proj",
    "classifier": "head", "license": "apache-2.0", "description": "x", "origin_url": "x", "paper_name": "x", "paper_ids": "x", "notes": ["x"],
    "label_offset": 0, "test_pool_size": None}, top={"label_names": ["a", "b", "c"], "label_descriptions": {"a": "b"}})
of_timm("an unknown key", square | {"crop_ptc": 0.9})
of_timm("grey", square | {"input_size": [1, 32, 32], "mean": [0.4], "std": [0.3]}, channels=1)
of_timm("grey, a number", square | {"input_size": [1, 32, 32], "mean": 0.4, "std": 1}, channels=1)
of_timm("grey of colours", square | {"crop_mode": "border"}, {"in_chans": 1}, channels=1)
of_timm("grey with three means", square | {"input_size": [1, 32, 32], "mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225]}, {"in_chans": 1}, channels=1)
flat = {"architecture": "vit_tiny_patch16_224", "num_classes": 3, "num_features": 192, "input_size": [3, 224, 224], "crop_pct": 0.9, "interpolation": "bilinear",
        "mean": [0.5, 0.5, 0.5], "std": [0.5, 0.5, 0.5], "first_conv": "patch_embed.proj", "classifier": "head", "pool_size": None, "fixed_input_size": True,
        "labels": ["a", "b", "c"], "url": "", "crop_mode": "border"}
add("timm flat", "timm", {"config.json": flat}, by_timm, size=(224, 224), pictures=FEW)

keys, defaults, model_types = {}, {}, {}
for c in CLASSES:
    cls = getattr(transformers, f"{c}ImageProcessorPil")
    keys[c] = sorted(set(cls.valid_kwargs.__annotations__) | set(getattr(transformers, f"{c}ImageProcessor").valid_kwargs.__annotations__))
    defaults[c] = {k: dict(v) if isinstance(v, dict) else v for k in keys[c] if (v := getattr(cls, k, None)) is not None}
    model_types[c] = sorted(k for k, v in IMAGE_PROCESSOR_MAPPING_NAMES.items() if v.get("pil") == f"{c}ImageProcessorPil")
keys["pretrained_cfg"] = [f.name for f in dataclasses.fields(PretrainedCfg)]

out = {"transformers": transformers.__version__, "timm": timm.__version__, "pillow": Image.__version__, "keys": keys, "defaults": defaults, "model_types": model_types,
       "pictures": {"all": SIZES, "few": FEW, "alpha": ALPHA}}
lines = ",\n".join(json.dumps(c) for c in cases)
text = json.dumps(out)[:-1] + ',\n "cases": [\n' + lines + "\n]}\n"
pathlib.Path("pkg/vit/testdata/preprocess.json").write_text(text)
refused = [c["name"] for c in cases if "error" in c]
print(len(cases), "cases,", len(refused), "refused")
