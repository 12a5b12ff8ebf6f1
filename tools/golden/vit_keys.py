"""Names and shapes of full-size models, for detecting layouts without weights.

Writes pkg/vit/testdata/keys/<name>.json.gz: `layout` (the code base), the model's
configuration (`dim`, `depth`, `heads`, `mlp`, `patch`, `grid`, `classes`,
`registers`, and `parameters`, the number of values in the file) and `tensors`,
[name, shape] in the file's order. The models are built without memory for their
weights. Run from the repository root.
"""
import gzip
import json
import pathlib
import shutil

import timm
import torch
import transformers
from transformers.core_model_loading import revert_weight_conversion

import vit_models

OUT = pathlib.Path("pkg/vit/testdata/keys")
shutil.rmtree(OUT, ignore_errors=True)
OUT.mkdir(parents=True)


def write(name, layout, library, tensors, **model):
    tensors = [[k, list(shape)] for k, shape in tensors]
    count = sum(torch.Size(s).numel() for _, s in tensors)
    text = json.dumps({"name": name, "layout": layout, "library": library, **model, "parameters": count,
                       "tensors": tensors}, separators=(",", ":"))
    with open(OUT / f"{name}.json.gz", "wb") as raw, gzip.GzipFile("", "wb", 9, raw, mtime=0) as f:
        f.write(text.encode())


def shapes(state):
    return [(k, v.shape) for k, v in state.items()]


for name in ["vit_tiny_patch16_224", "vit_small_patch16_224", "vit_base_patch16_224", "vit_large_patch16_224",
             "vit_base_patch16_384", "vit_huge_patch14_224", "deit_base_distilled_patch16_224",
             "vit_base_patch14_reg4_dinov2", "vit_medium_patch16_gap_256"]:
    with torch.device("meta"):
        model = timm.create_model(name)
    block = model.blocks[0]
    write("timm_" + name, "timm", f"timm {timm.__version__}", shapes(model.state_dict()), dim=model.embed_dim,
          depth=len(model.blocks), heads=block.attn.num_heads, mlp=block.mlp.fc1.out_features,
          patch=list(model.patch_embed.patch_size), grid=list(model.patch_embed.grid_size), classes=model.num_classes,
          registers=model.num_reg_tokens)

for name in ["vit_tiny_r_s16_p8_224", "vit_small_r26_s32_384", "vit_base_r26_s32_224", "vit_base_r50_s16_384", "vit_large_r50_s32_224"]:
    with torch.device("meta"):
        model = timm.create_model(name)
    block, grid = model.blocks[0], model.patch_embed.grid_size
    write("timm_" + name, "timm", f"timm {timm.__version__}", shapes(model.state_dict()), dim=model.embed_dim,
          depth=len(model.blocks), heads=block.attn.num_heads, mlp=block.mlp.fc1.out_features,
          patch=[s // g for s, g in zip(model.patch_embed.img_size, grid)], grid=list(grid), classes=model.num_classes,
          registers=model.num_reg_tokens)

VIT, DINO, REG = transformers.ViTConfig, transformers.Dinov2Config, transformers.Dinov2WithRegistersConfig
LARGE = dict(hidden_size=1024, num_hidden_layers=24, num_attention_heads=16)
SMALL = dict(hidden_size=384, num_attention_heads=6)
GIANT = dict(hidden_size=1536, num_hidden_layers=40, num_attention_heads=24, use_swiglu_ffn=True)
META = dict(image_size=518, patch_size=14)
for name, cls, config in [
    ("hf_vit_base_patch16_224", transformers.ViTForImageClassification, VIT(num_labels=1000)),
    ("hf_vit_base_patch16_384", transformers.ViTForImageClassification, VIT(num_labels=1000, image_size=384)),
    ("hf_vit_base_patch16_224_in21k", transformers.ViTModel, VIT()),
    ("hf_vit_large_patch16_224", transformers.ViTForImageClassification,
     VIT(num_labels=1000, intermediate_size=4096, **LARGE)),
    ("hf_dinov2_small", transformers.Dinov2Model, DINO(**META, **SMALL)),
    ("hf_dinov2_base", transformers.Dinov2Model, DINO(**META)),
    ("hf_dinov2_base_imagenet1k", transformers.Dinov2ForImageClassification, DINO(num_labels=1000, **META)),
    ("hf_dinov2_large", transformers.Dinov2Model, DINO(**META, **LARGE)),
    ("hf_dinov2_giant", transformers.Dinov2Model, DINO(**META, **GIANT)),
    ("hf_dinov2_with_registers_small", transformers.Dinov2WithRegistersModel, REG(**META, **SMALL)),
    ("hf_dinov2_with_registers_base", transformers.Dinov2WithRegistersModel, REG(**META)),
    ("hf_dinov2_with_registers_giant", transformers.Dinov2WithRegistersModel, REG(**META, **GIANT)),
]:
    with torch.device("meta"):
        model = cls(config)
    state = shapes(revert_weight_conversion(model, model.state_dict()))
    mlp = next(s for k, s in state if k.endswith(("layer.0.output.dense.weight", "layer.0.mlp.fc2.weight",
                                                  "layer.0.mlp.weights_out.weight")))[1]
    grid = config.image_size // config.patch_size
    write(name, "transformers", f"transformers {transformers.__version__}", state, dim=config.hidden_size,
          depth=config.num_hidden_layers, heads=config.num_attention_heads, mlp=mlp, patch=[config.patch_size] * 2,
          grid=[grid, grid], classes=config.num_labels if hasattr(model, "classifier") else 0,
          registers=getattr(config, "num_register_tokens", 0))

for name, cls, args in [
    ("lukemelas_B_16_imagenet1k", vit_models.Lukemelas,
     dict(size=384, patch=16, dim=768, depth=12, heads=12, mlp=3072, classes=1000)),
    ("lukemelas_L_32_imagenet1k", vit_models.Lukemelas,
     dict(size=384, patch=32, dim=1024, depth=24, heads=16, mlp=4096, classes=1000)),
    ("dinov2_vits14", vit_models.DINOv2, dict(size=518, patch=14, dim=384, depth=12, heads=6, mlp=1536)),
    ("dinov2_vitb14_reg4", vit_models.DINOv2,
     dict(size=518, patch=14, dim=768, depth=12, heads=12, mlp=3072, registers=4)),
    ("dinov2_vitg14", vit_models.DINOv2, dict(size=518, patch=14, dim=1536, depth=40, heads=24, mlp=6144, swiglu=True)),
]:
    with torch.device("meta"):
        model = cls(**args)
    state = shapes(model.state_dict())
    mlp = next(s for k, s in state if k.endswith(("0.pwff.fc2.weight", "0.mlp.fc2.weight", "0.mlp.w3.weight")))[1]
    write(name, name.split("_")[0], "tools/golden/vit_models.py", state, dim=args["dim"], depth=args["depth"],
          heads=args["heads"], mlp=mlp, patch=[args["patch"]] * 2, grid=[args["size"] // args["patch"]] * 2,
          classes=args.get("classes", 0), registers=args.get("registers", 0))

for name, size in [("google_ViT-B_16", 224), ("google_ViT-B_16_384", 384)]:
    with torch.device("meta"):
        model = timm.create_model("vit_base_patch16_224", img_size=size)
    state = {k: torch.zeros(()).expand(v.shape) for k, v in model.state_dict().items()}
    arrays = vit_models.google_arrays(state, 12)
    write(name, "google", f"timm {timm.__version__}'s model under google-research's names",
          [(k, v.shape) for k, v in arrays.items()], dim=768, depth=12, heads=12, mlp=3072, patch=[16, 16],
          grid=[size // 16] * 2, classes=1000, registers=0)
