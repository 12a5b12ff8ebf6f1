"""Differences between transformers' two image processor backends and Gaze on photographs.

    python tools/golden/preprocess_backends.py --gaze bin/gaze --weights DIR --photos DIR... [--pictures 200]

The DIR of --weights has a config.json and the safetensors of a Dinov2Model. The model
gets a random head of 1000 classes from a fixed seed. Photographs are cropped or scaled
to random sizes from a fixed seed, and prepared by BitImageProcessor on PIL and on
torchvision, and by Gaze. Prints the differences of the prepared values, the logits, and
the class token's attention in the last layer (mean of the heads). Writes no files.
"""
import argparse
import os
import pathlib
import random
import subprocess
import tempfile

os.environ["HF_HUB_OFFLINE"] = "1"

import numpy as np
import torch
import transformers
from PIL import Image
from safetensors.torch import load_file, save_file
from transformers import AutoConfig, BitImageProcessor, BitImageProcessorPil, Dinov2ForImageClassification

PROCESSOR = {"size": {"shortest_edge": 256}, "crop_size": {"height": 224, "width": 224}, "resample": 3,
             "image_mean": [0.485, 0.456, 0.406], "image_std": [0.229, 0.224, 0.225]}

parser = argparse.ArgumentParser()
parser.add_argument("--gaze", required=True)
parser.add_argument("--weights", required=True, type=pathlib.Path)
parser.add_argument("--photos", required=True, nargs="+", type=pathlib.Path)
parser.add_argument("--pictures", type=int, default=200)
args = parser.parse_args()

torch.set_num_threads(1)
transformers.logging.set_verbosity_error()
folder = pathlib.Path(tempfile.mkdtemp())
(folder / "pictures").mkdir()

# The model: a trained backbone and a random head.
torch.manual_seed(1)
config = AutoConfig.from_pretrained(args.weights, num_labels=1000, attn_implementation="eager")
model = Dinov2ForImageClassification(config).eval()
state = {f"dinov2.{k}".replace("dinov2.dinov2.", "dinov2."): v.float() for f in args.weights.glob("*.safetensors") for k, v in load_file(f).items()}
keys = set(model.state_dict())
if not set(state) & keys - {"classifier.weight"}:
    raise SystemExit("these weights aren't a Dinov2Model's")
model.save_pretrained(folder / "model")  # also the trained tensors, under the names in the files
saved = load_file(folder / "model" / "model.safetensors")
missing = [k for k in saved if k not in state and not k.startswith("classifier")]
assert not missing, missing
save_file(saved | {k: v for k, v in state.items() if k in saved}, folder / "model" / "model.safetensors", metadata={"format": "pt"})
model = Dinov2ForImageClassification.from_pretrained(folder / "model", attn_implementation="eager").eval()
BitImageProcessorPil(**PROCESSOR).save_pretrained(folder / "model")

# The pictures.
draw = random.Random(1)
photos = [Image.open(f).convert("RGB") for d in args.photos for f in sorted(d.rglob("*")) if f.suffix in (".png", ".jpg")]
names = []
for i in range(args.pictures):
    photo, w, h = draw.choice(photos), draw.randint(100, 900), draw.randint(100, 900)
    if w <= photo.width and h <= photo.height:
        x, y = draw.randint(0, photo.width - w), draw.randint(0, photo.height - h)
        im = photo.crop((x, y, x + w, y + h))
    else:
        im = photo.resize((w, h), Image.Resampling.BICUBIC)
    names.append(f"{i:04d}")
    im.save(folder / "pictures" / f"{i:04d}.png")

pil, fast = BitImageProcessorPil(**PROCESSOR), BitImageProcessor(**PROCESSOR)


def look(pixels):
    with torch.no_grad():
        out = model(torch.from_numpy(pixels)[None], output_attentions=True)
    return out.logits[0].numpy(), out.attentions[-1][0, :, 0, 1:].mean(0).numpy()


rows = []
subprocess.run([args.gaze, "attend", "--model", folder / "model", "-o", folder / "maps", "--npy", folder / "pictures"], check=True, capture_output=True)
subprocess.run([args.gaze, "classify", "--model", folder / "model", "-o", folder / "p.csv", "--logits", folder / "l.npy", folder / "pictures"], check=True, capture_output=True)
gaze_logits = np.load(folder / "l.npy")
spec = "resize(256,bicubic) | centercrop(224,floor) | totensor | normalize([0.485,0.456,0.406],[0.229,0.224,0.225])"
for i, name in enumerate(names):
    im = Image.open(folder / "pictures" / f"{name}.png")
    a = np.asarray(pil(im)["pixel_values"][0])
    b = np.asarray(fast(im)["pixel_values"][0])
    subprocess.run([args.gaze, "transform", "--pipeline", spec, "--npy", folder / "x.npy", folder / "pictures" / f"{name}.png"], check=True, capture_output=True)
    g = np.load(folder / "x.npy")
    os.remove(folder / "x.npy")
    la, ma = look(a)
    lb, mb = look(b)
    gm = np.load(folder / "maps" / f"{name}.npy").ravel()
    steps = np.rint((a - b) * 255 * np.array(PROCESSOR["image_std"])[:, None, None])  # in bytes
    short = min(im.size)
    h, w = (256 * side // short for side in im.size[::-1])
    rows.append({"size": im.size, "first": im.height - h > 0 and im.height - h > 2 * (im.width - w), "bits": int((g != a).sum()), "pixels": np.abs(a - b).max(), "steps": np.abs(steps).max(), "changed": (steps != 0).mean(),
                 "logits": np.abs(la - lb).max(), "map": np.abs(ma - mb).max(), "peak": ma.max(), "top": la.argmax() == lb.argmax(),
                 "gaze logits": np.abs(gaze_logits[i] - la).max(), "gaze map": np.abs(gm - ma).max(), "scale": np.abs(la).max()})

print(f"{len(rows)} photographs, {min(r['size'] for r in rows)} to {max(r['size'] for r in rows)} pixels; transformers {transformers.__version__}")
print(f"Gaze and PIL: {sum(r['bits'] > 0 for r in rows)} prepared pictures with any bit that differs")
for key, what in [("gaze logits", "logits, Gaze and PIL"), ("gaze map", "attention, Gaze and PIL"), ("pixels", "prepared numbers, torchvision and PIL"),
                  ("steps", "bytes, torchvision and PIL"), ("changed", "share of bytes that differ"), ("logits", "logits, torchvision and PIL"), ("map", "attention, torchvision and PIL")]:
    v = np.array([r[key] for r in rows], float)
    worst = rows[int(v.argmax())]
    print(f"{what}: median {np.median(v):.2g}, 95 % below {np.percentile(v, 95):.2g}, greatest {v.max():.2g} "
          f"({worst['size'][0]}×{worst['size'][1]}, of which bytes differ {worst['changed']:.2%} by up to {worst['steps']:.0f}, logits up to {worst['scale']:.1f}, attention up to {worst['peak']:.2g})")
print(f"another first class: {sum(not r['top'] for r in rows)}")
for how, some in [("Pillow scaled down first", [r for r in rows if r["first"]]), ("Pillow scaled across first", [r for r in rows if not r["first"]])]:
    if some:
        print(f"{how}: {len(some)} pictures, share of bytes that differ {np.median([r['changed'] for r in some]):.2%} (median), logits {np.median([r['logits'] for r in some]):.2g}")
print(f"correlation of the logits' difference with the number of bytes that differ: {np.corrcoef([r['changed'] for r in rows], [r['logits'] for r in rows])[0, 1]:.2f}")
same = [r for r in rows if r["changed"] == 0]
print(f"pictures without a byte that differs: {len(same)}" + (f"; their logits differ by up to {max(r['logits'] for r in same):.2g}" if same else ""))
