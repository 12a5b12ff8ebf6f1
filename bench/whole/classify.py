"""Classifies photographs with timm's ViT: classify.py MODEL.json WEIGHTS LIST OUT.csv"""
import csv
import json
import sys

import torch
from common import batches, tensors
from timm_vit import build

m, names = json.loads(sys.argv[1]), [line.strip() for line in open(sys.argv[3])]
model, rows = build(m, sys.argv[2]).eval(), []
with torch.inference_mode():
    for paths, images in batches(names):
        top = model(tensors(images, m["size"])).softmax(-1).topk(5)
        for path, classes, ps in zip(paths, top.indices.tolist(), top.values.tolist()):
            rows.append([path.rsplit("/", 1)[-1], classes[0]] + [v for c, p in zip(classes, ps) for v in (c, f"{p:.6g}")])
with open(sys.argv[4], "w", newline="") as f:
    writer = csv.writer(f)
    writer.writerow(["filename", "label"] + [f"{x}{i}" for i in range(1, 6) for x in ("label", "p")])
    writer.writerows(rows)
