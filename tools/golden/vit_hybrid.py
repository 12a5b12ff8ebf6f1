"""Golden cases for pkg/vit's hybrids: small random Vision Transformers on a convolutional network.

Writes pkg/vit/testdata/hybrid_<case>/ as vit.py does (weights, config.json, golden.npz, with
`features`, the network's feature map [batch, rows, columns, channels], besides). The networks
are timm's own: ResNetV2 as its hybrids have it, and EfficientNet-Lite. Weights are stored in
float16, and the models are run with the values that the file has. Run from the repository
root.
"""
import json
import pathlib
import shutil
from functools import partial

import numpy as np
import safetensors.torch
import timm
import timm.layers
import torch
from timm.layers import HybridEmbed, StdConv2dSame
from timm.models.efficientnet import _gen_efficientnet_lite
from timm.models.resnetv2 import ResNetV2, create_resnetv2_stem
from timm.models.vision_transformer import VisionTransformer

torch.set_num_threads(1)
torch.use_deterministic_algorithms(True)
timm.layers.set_fused_attn(False)
OUT = pathlib.Path("pkg/vit/testdata")
DIM, DEPTH, HEADS, CLASSES, MLP = 16, 2, 2, 5, 24
CONV = partial(StdConv2dSame, eps=1e-8)  # as in timm's _resnetv2


def resnet(layers, channels):
    """timm's _resnetv2 with fewer channels."""
    if not layers:
        return create_resnetv2_stem(3, 32, stem_type="same", preact=False, conv_layer=CONV)
    return ResNetV2(layers=layers, channels=channels, stem_chs=32, num_classes=0, global_pool="", preact=False,
                    stem_type="same", conv_layer=CONV)


def lite(stride):
    """EfficientNet-Lite0 of a tenth of its width, as an output stride makes it."""
    return _gen_efficientnet_lite("tf_efficientnet_lite0", channel_multiplier=0.1, depth_multiplier=1.0, pad_type="same",
                                  bn_eps=1e-3, features_only=True, output_stride=stride)


def randomise(model, seed):
    """Sets random values that float16 can hold, so that every parameter affects the result."""
    g = torch.Generator().manual_seed(seed)
    for name, p in sorted(model.named_parameters()):
        x = torch.randn(p.shape, generator=g)
        if p.ndim in (2, 4):
            x *= (1.3 if "qkv" in name else 1.2) / p[0].numel() ** 0.5
        elif p.ndim == 1 and name.endswith("weight"):
            x = 1 + 0.3 * x
        else:
            x *= 0.3
        p.data.copy_(x.half().float())
    for name, b in sorted(model.named_buffers()):
        if name.endswith("running_mean"):
            b.copy_((0.3 * torch.randn(b.shape, generator=g)).half().float())
        elif name.endswith("running_var"):
            b.copy_((0.5 + torch.rand(b.shape, generator=g)).half().float())
    return model.eval()


def run(model, images):
    """The logits, the network's features, each block's tokens and attention probabilities."""
    kept = {}

    def keep(key):
        def hook(_, __, y):
            y = y[-1] if isinstance(y, (list, tuple)) else y
            kept[key] = y.detach().clone()
        return hook
    handles = [model.patch_embed.backbone.register_forward_hook(keep("features"))]
    for i, b in enumerate(model.blocks):
        handles += [b.register_forward_hook(keep(f"tokens_{i}")), b.attn.attn_drop.register_forward_hook(keep(f"attn_{i}"))]
    with torch.no_grad():
        kept["logits"] = model(images)
    for h in handles:
        h.remove()
    kept["features"] = kept["features"].permute(0, 2, 3, 1)
    return kept


def google_arrays(model):
    """The model under google-research's names, which timm's own reader must understand."""
    s = {k: v.numpy() for k, v in model.state_dict().items()}
    out = {}

    def conv(theirs, ours):
        out[theirs] = s[ours].transpose(2, 3, 1, 0)

    def norm(theirs, ours, shape=None):
        for a, b in (("scale", "weight"), ("bias", "bias")):
            v = s[f"{ours}.{b}"]
            out[f"{theirs}/{a}"] = v.reshape(shape + v.shape) if shape else v

    def dense(theirs, ours):
        out[f"{theirs}/kernel"], out[f"{theirs}/bias"] = s[f"{ours}.weight"].T, s[f"{ours}.bias"]
    b = "patch_embed.backbone."
    root = b + "stem." if b + "stem.conv.weight" in s else b
    conv("conv_root/kernel", root + "conv.weight")
    norm("gn_root", root + "norm", (1, 1, 1))
    for i, stage in enumerate(getattr(model.patch_embed.backbone, "stages", [])):
        for j, block in enumerate(stage.blocks):
            at, theirs = f"{b}stages.{i}.blocks.{j}.", f"block{i + 1}/unit{j + 1}/"
            for r in (1, 2, 3):
                conv(f"{theirs}conv{r}/kernel", f"{at}conv{r}.weight")
                norm(f"{theirs}gn{r}", f"{at}norm{r}", (1, 1, 1))
            if block.downsample is not None:
                conv(f"{theirs}conv_proj/kernel", f"{at}downsample.conv.weight")
                norm(f"{theirs}gn_proj", f"{at}downsample.norm", (1, 1, 1))
    conv("embedding/kernel", "patch_embed.proj.weight")
    out["embedding/bias"] = s["patch_embed.proj.bias"]
    out["cls"] = s["cls_token"]
    out["Transformer/posembed_input/pos_embedding"] = s["pos_embed"]
    for i in range(DEPTH):
        at, theirs = f"blocks.{i}.", f"Transformer/encoderblock_{i}/"
        norm(theirs + "LayerNorm_0", at + "norm1")
        norm(theirs + "LayerNorm_2", at + "norm2")
        for k, name in enumerate(("query", "key", "value")):
            w = s[at + "attn.qkv.weight"][k * DIM:(k + 1) * DIM]
            out[f"{theirs}MultiHeadDotProductAttention_1/{name}/kernel"] = w.T.reshape(DIM, HEADS, -1)
            out[f"{theirs}MultiHeadDotProductAttention_1/{name}/bias"] = s[at + "attn.qkv.bias"][k * DIM:(k + 1) * DIM].reshape(HEADS, -1)
        out[f"{theirs}MultiHeadDotProductAttention_1/out/kernel"] = s[at + "attn.proj.weight"].T.reshape(HEADS, -1, DIM)
        out[f"{theirs}MultiHeadDotProductAttention_1/out/bias"] = s[at + "attn.proj.bias"]
        dense(theirs + "MlpBlock_3/Dense_0", at + "mlp.fc1")
        dense(theirs + "MlpBlock_3/Dense_1", at + "mlp.fc2")
    norm("Transformer/encoder_norm", "norm")
    dense("head", "head")
    return out


def case(name, seed, backbone, size, stem=None, google=False, run_at=None, patch=1, **args):
    """Writes a case. backbone() makes the network; stem is what config.json says of it."""
    def build(size):
        return VisionTransformer(
            img_size=size, patch_size=patch, embed_dim=DIM, depth=DEPTH, num_heads=HEADS, mlp_ratio=MLP / DIM, num_classes=CLASSES,
            embed_layer=partial(HybridEmbed, backbone=backbone()), **args)
    model = randomise(build(size), seed)
    at = run_at or size
    h, w = at if isinstance(at, tuple) else (at, at)
    images = torch.randn(1, 3, h, w, generator=torch.Generator().manual_seed(1000 + seed)).half().float()
    folder = OUT / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    config = {"num_heads": HEADS}
    if google:
        config |= {"layer_norm_eps": 1e-6, "hidden_act": "gelu"}  # as timm runs these files
        path = folder / "weights.npz"
        np.savez_compressed(path, **{k: v.astype(np.float16) for k, v in google_arrays(model).items()})
        again = build(size).eval()
        np.savez(folder / "wide.npz", **google_arrays(model))
        again.load_pretrained(str(folder / "wide.npz"))
        (folder / "wide.npz").unlink()
        for k, v in model.state_dict().items():
            assert torch.equal(v, again.state_dict()[k]), k
    else:
        state = {k: v.half() if v.is_floating_point() else v for k, v in model.state_dict().items()}
        safetensors.torch.save_file(state, folder / "weights.safetensors", metadata={"format": "pt"})
        config |= {"img_size": size, "patch_size": patch, "embed_dim": DIM}
        if stem:
            config["stem"] = stem
    if run_at:
        bigger = build(run_at).eval()
        state = model.state_dict()
        state["pos_embed"] = timm.layers.resample_abs_pos_embed(state["pos_embed"], bigger.patch_embed.grid_size, num_prefix_tokens=1)
        bigger.load_state_dict(state)
        model = bigger
    (folder / "config.json").write_text(json.dumps(config, indent=2, sort_keys=True) + "\n")
    arrays = {k: np.ascontiguousarray(v.numpy()) for k, v in {"images": images, **run(model, images)}.items()}
    assert all(np.isfinite(v).all() for v in arrays.values())
    np.savez_compressed(folder / "golden.npz", **arrays)
    print(name, {k: v.shape for k, v in arrays.items()}, sum(f.stat().st_size for f in folder.iterdir()) // 1024, "kB")


def lite_config(model, stride):
    """What Gaze's config.json says of an EfficientNet-Lite."""
    stages, state = [], model.state_dict()
    for i, (kernel, step, expand) in enumerate([(3, 1, 1), (3, 2, 6), (5, 2, 6), (3, 2, 6), (5, 1, 6), (5, 2, 6), (3, 1, 6)]):
        blocks = len({k.split(".")[2] for k in state if k.startswith(f"blocks.{i}.")})
        last = state[f"blocks.{i}.0.conv_pwl.weight" if expand > 1 else f"blocks.{i}.0.conv_pw.weight"]
        stages.append({"blocks": blocks, "channels": last.shape[0], "kernel": kernel, "stride": step, "expand": expand})
    return {"kind": "efficientnet-lite", "lite": {
        "stem": state["conv_stem.weight"].shape[0], "stages": stages, "output_stride": stride, "norm_eps": 1e-3}}


case("hybrid_resnet", 201, partial(resnet, (1, 2), (128, 128)), 32)
case("hybrid_resnet_resized", 202, partial(resnet, (1,), (128,)), 24, run_at=(36, 20))
case("hybrid_resnet_root", 203, partial(resnet, (), ()), 32, patch=2)
case("hybrid_google", 204, partial(resnet, (1, 1), (128, 128)), 32, google=True)
case("hybrid_lite", 205, partial(lite, 16), 64, stem=lite_config(lite(16), 16))
case("hybrid_lite_32", 206, partial(lite, 32), 96, stem=lite_config(lite(32), 32))
