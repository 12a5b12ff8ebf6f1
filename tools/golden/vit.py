"""Golden cases for pkg/vit: small random models of every weight layout.

Writes pkg/vit/testdata/<case>/ (weights, config.json, golden.npz) and
pkg/vit/testdata/manifest.json. golden.npz has `images`, `logits` or, for
models without a head, `norm` (the tokens after the last LayerNorm), and for
every block `tokens_<i>` and `attn_<i>`. timm, transformers and torchvision are
the packages themselves; the other code bases are in vit_models.py. Run from the
repository root.
"""
import copy
import functools
import json
import pathlib
import shutil
import warnings

import numpy as np
import onnx
import onnxscript
import safetensors.torch
import timm
import timm.layers
import torch
import torchvision
import transformers
from timm.models.deit import VisionTransformerDistilled
from timm.models.vision_transformer import VisionTransformer
from torchvision.models.vision_transformer import interpolate_embeddings

import vit_models

torch.set_num_threads(1)
torch.use_deterministic_algorithms(True)
timm.layers.set_fused_attn(False)
warnings.simplefilter("ignore")
transformers.utils.logging.disable_progress_bar()
OUT = pathlib.Path("pkg/vit/testdata")
SIZE, DIM, DEPTH, HEADS, CLASSES, MLP = 12, 16, 2, 2, 5, 24
manifest = {}


def randomise(model, seed):
    """Sets random values so that every parameter affects the result."""
    g = torch.Generator().manual_seed(seed)
    for name, p in sorted(model.named_parameters()):
        x = torch.randn(p.shape, generator=g)
        if p.ndim in (2, 4):
            gain = 1.3 if any(s in name for s in ("q_proj", "k_proj", "proj_q", "proj_k", "qkv")) else 1.2
            x *= gain / p[0].numel() ** 0.5
        elif p.ndim == 1 and name.endswith("weight"):
            x = 1 + 0.3 * x
        elif "gamma" in name or "lambda" in name:
            x = 0.7 + 0.2 * x
        else:
            x *= 0.3
        p.data.copy_(x)
    return model.eval()


def pictures(size, seed):
    h, w = size if isinstance(size, tuple) else (size, size)
    return torch.randn(2, 3, h, w, generator=torch.Generator().manual_seed(1000 + seed))


def capture(blocks, attentions):
    """Hooks that record the blocks' outputs and the attention probabilities."""
    kept = {}

    def keep(key):
        def hook(_, __, y):
            kept[key] = (y[0] if isinstance(y, tuple) else y).detach().clone()
        return hook
    handles = [b.register_forward_hook(keep(f"tokens_{i}")) for i, b in enumerate(blocks)]
    handles += [a.register_forward_hook(keep(f"attn_{i}")) for i, a in enumerate(attentions)]
    return kept, handles


def write(case, library, description, images, result, kept, config, weights, name):
    """Writes a case; weights(path) writes the weights file."""
    folder = OUT / case
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    weights(folder / name)
    if config is not None:
        (folder / "config.json").write_text(json.dumps(config, indent=2, sort_keys=True) + "\n")
    arrays = {"images": images, **result, **kept}
    arrays = {k: np.ascontiguousarray(v.detach().numpy()) for k, v in arrays.items()}
    for k, v in arrays.items():
        assert v.dtype == np.float32 and np.isfinite(v).all(), (case, k)
        if k.startswith("attn"):
            assert v.ndim == 4 and np.allclose(v.sum(-1), 1, atol=1e-5), (case, k)
    np.savez_compressed(folder / "golden.npz", **arrays)
    manifest[case] = {"description": description, "library": library, "weights": name}


def safetensors_file(state):
    state = {k: v.detach().clone().contiguous() for k, v in state.items()}
    return lambda path: safetensors.torch.save_file(state, path, metadata={"format": "pt"})


def torch_file(state):
    state = {k: v.detach().clone() for k, v in state.items()}
    return lambda path: torch.save(state, path)


TIMM = dict(img_size=SIZE, patch_size=4, embed_dim=DIM, depth=DEPTH, num_heads=HEADS, mlp_ratio=MLP / DIM)
TIMM_LIBRARY = f"timm {timm.__version__}"


def timm_case(case, seed, description, size=SIZE, cls=VisionTransformer, architecture="vit_base_patch16_224",
              library=TIMM_LIBRARY, rename=lambda name: name, **args):
    model_args = {**TIMM, **args}
    classes = model_args.pop("num_classes", CLASSES)
    model = randomise(cls(num_classes=classes, **model_args), seed)
    images = pictures(size, seed)
    kept, _ = capture(model.blocks, [b.attn.attn_drop for b in model.blocks])
    with torch.no_grad():
        if classes:
            result = {"logits": model(images)}
        else:
            result = {"norm": model.forward_features(images)}
    config = {
        "architecture": architecture, "num_classes": classes, "num_features": model.num_features,
        "global_pool": model_args.get("global_pool", "token"), "model_args": model_args,
    }
    state = {rename(k): v for k, v in model.state_dict().items()}
    write(case, library, description, images, result, kept, config, safetensors_file(state), "weights.safetensors")


def timm_cases():
    timm_case("timm_vit", 1, "VisionTransformer as vit_base_patch16_224, 3 heads", embed_dim=24, num_heads=3)
    timm_case("timm_deit_distilled", 2, "VisionTransformerDistilled: mean of both heads", cls=VisionTransformerDistilled,
              architecture="deit_base_distilled_patch16_224")
    timm_case("timm_registers_layerscale", 3, "2 registers with position embeddings, layer scale", reg_tokens=2,
              init_values=0.1, depth=3)
    timm_case("timm_avg_fc_norm", 4, "mean of the patches, LayerNorm after it", global_pool="avg", fc_norm=True)
    timm_case("timm_avg_no_class", 5, "mean of the patches, no class token", global_pool="avg", class_token=False)
    timm_case("timm_avg_norm", 11, "LayerNorm, then the mean of the patches", global_pool="avg", fc_norm=False)
    timm_case("timm_no_embed_class", 6, "4 registers, positions of patches only, headless, as vit_base_patch14_reg4_dinov2",
              architecture="vit_base_patch14_reg4_dinov2", reg_tokens=4, no_embed_class=True, init_values=1e-5,
              num_classes=0)
    timm_case("timm_rectangular", 7, "pictures of 12x20 pixels, grid of 3x5", size=(12, 20), img_size=(12, 20))
    timm_case("timm_patch_4x6", 8, "patches of 4x6 pixels, no bias of query, key, value", size=(16, 18),
              img_size=(16, 18), patch_size=(4, 6), qkv_bias=False)
    timm_case("timm_pre_norm", 9, "LayerNorm before the blocks, as the CLIP models", pre_norm=True, proj_bias=True)
    timm_case("deit3", 12, "DeiT III, its layer scales under the names of the original code", init_values=0.1,
              no_embed_class=True, architecture="deit3_base_patch16_224",
              rename=lambda k: k.replace("ls1.gamma", "gamma_1").replace("ls2.gamma", "gamma_2"))
    timm_case("timm_resized", 10, "made for 12x12, run at 16x8: positions resized by timm", size=(16, 8),
              dynamic_img_size=True)


def hf_case(case, seed, description, cls, config, size=SIZE, in_memory=False, interpolate=False, norm=lambda _, x: x):
    """norm computes the tokens after the last LayerNorm from the model's output, if the model doesn't return them."""
    config._attn_implementation = "eager"
    model = randomise(cls(config), seed)
    layers = [m for m in model.modules() if type(m).__name__.endswith("Layer") and (hasattr(m, "attention") or hasattr(m, "self_attn"))]
    assert len(layers) == config.num_hidden_layers
    kept, _ = capture(layers, [])
    images = pictures(size, seed)
    args = {"interpolate_pos_encoding": True} if interpolate else {}
    with torch.no_grad():
        out = model(images, output_attentions=True, **args)
    for i, a in enumerate(out.attentions):
        kept[f"attn_{i}"] = a
    result = {"logits": out.logits} if "logits" in out else {"norm": norm(model, out.last_hidden_state)}
    scratch = OUT / "scratch"
    model.save_pretrained(scratch)
    written = json.loads((scratch / "config.json").read_text())
    state = model.state_dict() if in_memory else safetensors.torch.load_file(scratch / "model.safetensors")
    shutil.rmtree(scratch)
    write(case, f"transformers {transformers.__version__}", description, images, result, kept, written,
          safetensors_file(state), "weights.safetensors")


HF = dict(hidden_size=DIM, num_hidden_layers=DEPTH, num_attention_heads=HEADS, image_size=SIZE, patch_size=4)


def whole_cases():
    """Whole pickled models, which tell their heads and epsilons; there is no config.json beside them."""
    for case, seed, args in [
        ("timm_whole", 14, dict(embed_dim=24, num_heads=3)),
        ("timm_whole_eps", 15, dict(embed_dim=64, num_heads=4, norm_layer=functools.partial(torch.nn.LayerNorm, eps=1e-3))),
    ]:
        model = randomise(VisionTransformer(num_classes=CLASSES, **{**TIMM, **args}), seed)
        images = pictures(SIZE, seed)
        whole = copy.deepcopy(model)  # hooks can't be pickled
        kept, _ = capture(model.blocks, [b.attn.attn_drop for b in model.blocks])
        with torch.no_grad():
            result = {"logits": model(images)}
        write(case, TIMM_LIBRARY, "torch.save(model), its heads and epsilon nowhere but in the modules", images, result, kept, None,
              lambda path, whole=whole: torch.save(whole, path), "weights.pth")


def hf_cases():
    def vit(**args):
        return transformers.ViTConfig(**{**HF, "intermediate_size": MLP, "num_labels": CLASSES, **args})

    def dino(cls=transformers.Dinov2Config, **args):
        return cls(**{**HF, "mlp_ratio": 2, "num_labels": CLASSES, **args})
    registers = transformers.Dinov2WithRegistersConfig
    hf_case("hf_vit", 21, "ViTForImageClassification as save_pretrained writes it", transformers.ViTForImageClassification, vit())
    hf_case("hf_vit_in_memory", 22, "ViTForImageClassification's state_dict()", transformers.ViTForImageClassification,
            vit(), in_memory=True)
    hf_case("hf_vit_pooler", 23, "ViTModel with its pooler, headless, no bias of query, key, value", transformers.ViTModel,
            vit(qkv_bias=False))
    hf_case("hf_vit_rectangular", 24, "pictures of 12x20 pixels", transformers.ViTForImageClassification,
            vit(image_size=[12, 20], hidden_act="gelu_new"), size=(12, 20))
    hf_case("hf_vit_resized", 25, "made for 12x12, run at 16x8: positions resized by transformers",
            transformers.ViTForImageClassification, vit(), size=(16, 8), interpolate=True)
    hf_case("hf_deit_distilled", 26, "DeiTForImageClassificationWithTeacher", transformers.DeiTForImageClassificationWithTeacher,
            transformers.DeiTConfig(**HF, intermediate_size=MLP, num_labels=CLASSES))
    hf_case("hf_dinov2", 27, "Dinov2Model, headless", transformers.Dinov2Model,
            dino(hidden_size=24, num_attention_heads=3))
    hf_case("hf_dinov2_classes", 28, "Dinov2ForImageClassification: class token and mean of patches",
            transformers.Dinov2ForImageClassification, dino())
    hf_case("hf_dinov2_swiglu", 29, "Dinov2Model with the gated MLP", transformers.Dinov2Model, dino(use_swiglu_ffn=True))
    hf_case("hf_dinov2_swiglu_in_memory", 30, "the gated MLP's state_dict()", transformers.Dinov2Model,
            dino(use_swiglu_ffn=True), in_memory=True)
    hf_case("hf_dinov2_resized", 31, "made for 12x12, run at 8x20", transformers.Dinov2Model, dino(), size=(8, 20))
    hf_case("hf_dinov2_registers", 32, "Dinov2WithRegistersModel, 4 registers", transformers.Dinov2WithRegistersModel,
            dino(registers, num_register_tokens=4))
    hf_case("hf_dinov2_registers_classes", 33, "Dinov2WithRegistersForImageClassification, run at 16x8: antialiased positions",
            transformers.Dinov2WithRegistersForImageClassification, dino(registers, num_register_tokens=2), size=(16, 8))
    clip = dict(**HF, intermediate_size=MLP)
    hf_case("hf_clip", 34, "CLIPVisionModel", transformers.CLIPVisionModel, transformers.CLIPVisionConfig(**clip),
            norm=lambda m, x: m.post_layernorm(x))
    hf_case("hf_clip_gelu", 35, "CLIPVisionModelWithProjection with the exact GELU, run at 16x8", transformers.CLIPVisionModelWithProjection,
            transformers.CLIPVisionConfig(**clip, hidden_act="gelu", projection_dim=8), size=(16, 8), interpolate=True,
            norm=lambda m, x: m.vision_model.post_layernorm(x))
    hf_case("hf_siglip", 36, "SiglipVisionModel, without a class token", transformers.SiglipVisionModel, transformers.SiglipVisionConfig(**clip))


def own_case(case, seed, description, model, config, size=SIZE):
    randomise(model, seed)
    kept, _ = capture(model.layers(), [b.attn for b in model.layers()])
    for i, b in enumerate(model.layers()):  # attention's modules return (output, probabilities)
        b.attn.register_forward_hook(lambda _, __, y, i=i: kept.__setitem__(f"attn_{i}", y[1]))
    images = pictures(size, seed)
    with torch.no_grad():
        y = model(images)
    result = {"logits": y} if model.classes else {"norm": y}
    write(case, f"torch {torch.__version__.split('+')[0]}, tools/golden/vit_models.py", description, images, result, kept,
          config, torch_file(model.state_dict()), "weights.pth")


def own_cases():
    plain = {"num_heads": HEADS, "layer_norm_eps": 1e-6}
    sizes = dict(size=SIZE, patch=4, dim=DIM, depth=DEPTH, heads=HEADS, mlp=MLP)
    own_case("lukemelas", 41, "lukemelas' ViT as B_16_imagenet1k", vit_models.Lukemelas(**sizes, classes=CLASSES), plain)
    own_case("lukemelas_pre_logits", 42, "with pre-logits on every token before the last norm",
             vit_models.Lukemelas(**sizes, classes=CLASSES, representation=True), plain)
    own_case("lukemelas_resized", 43, "made for 12x12, run at 16x16: positions resized by scipy's zoom",
             vit_models.Lukemelas(**sizes, classes=CLASSES), plain, size=16)
    own_case("dinov2", 44, "original DINOv2 without registers", vit_models.DINOv2(**sizes), plain)
    own_case("dinov2_chunked", 45, "blocks in chunks of 2, as written by sharded training",
             vit_models.DINOv2(**{**sizes, "depth": 3}, chunk=2), plain)
    own_case("dinov2_registers", 46, "original DINOv2 with 4 registers, run at 16x8: antialiased positions",
             vit_models.DINOv2(**sizes, registers=4), plain, size=(16, 8))
    own_case("dinov2_swiglu", 47, "the gated MLP of the giant model", vit_models.DINOv2(**sizes, swiglu=True), plain)
    own_case("dinov2_resized", 48, "made for 12x12, run at 8x20: positions resized by scale with offset 0.1",
             vit_models.DINOv2(**sizes), plain, size=(8, 20))


    own_case("jeonsworld", 49, "jeonsworld's ViT-pytorch", vit_models.Jeonsworld(**sizes, classes=CLASSES), plain)
    own_case("jeonsworld_resized", 50, "made for 12x12, run at 20x20: positions resized by scipy's zoom",
             vit_models.Jeonsworld(**sizes, classes=CLASSES), plain, size=20)


def torchvision_run(model, images):
    """The logits, and the blocks' outputs and attention probabilities, which the model itself doesn't return."""
    kept, handles = capture(model.encoder.layers, [])

    def ask(_, args, kwargs):
        return args, {**kwargs, "need_weights": True, "average_attn_weights": False}
    for i, block in enumerate(model.encoder.layers):
        handles.append(block.self_attention.register_forward_pre_hook(ask, with_kwargs=True))
        handles.append(block.self_attention.register_forward_hook(
            lambda _, __, y, i=i: kept.__setitem__(f"attn_{i}", y[1].detach().clone())))
    with torch.no_grad():
        logits = model(images)
    for handle in handles:
        handle.remove()
    return logits, kept


def torchvision_case(case, seed, description, change=None, run_at=None, rename=None, representation=None):
    """change(model) replaces the head; run_at is the size to which positions are resized."""
    def build(size):
        model = torchvision.models.VisionTransformer(size, 4, DEPTH, HEADS, DIM, MLP, num_classes=CLASSES,
                                                     representation_size=representation)
        if change:
            change(model)
        return model
    model = randomise(build(SIZE), seed)
    state = model.state_dict()
    size = run_at or SIZE
    if run_at:
        model = build(run_at)
        model.load_state_dict(interpolate_embeddings(run_at, 4, dict(state)))
        model.eval()
    images = pictures(size, seed)
    logits, kept = torchvision_run(model, images)
    result = {"logits": logits}
    if rename:
        state = {rename(k): v for k, v in state.items()}
    write(case, f"torchvision {torchvision.__version__.split('+')[0]}", description, images, result, kept,
          {"num_heads": HEADS}, torch_file(state), "weights.pth")


def torchvision_cases():
    def plain_head(model):
        model.heads = torch.nn.Linear(DIM, CLASSES)

    def sequence(model):
        model.heads = torch.nn.Sequential(torch.nn.Linear(DIM, CLASSES))

    def dropout(model):
        model.heads.head = torch.nn.Sequential(torch.nn.Dropout(0.2), torch.nn.Linear(DIM, CLASSES))
    torchvision_case("torchvision", 71, "VisionTransformer as vit_b_16")
    torchvision_case("torchvision_resized", 72, "made for 12x12, run at 20x20: interpolate_embeddings", run_at=20)
    torchvision_case("torchvision_pre_logits", 73, "with a representation layer", representation=10)
    torchvision_case("torchvision_old_mlp", 74, "names of the MLP before torchvision 0.13",
                     rename=lambda k: k.replace("mlp.0.", "mlp.linear_1.").replace("mlp.3.", "mlp.linear_2."))
    torchvision_case("torchvision_head", 75, "heads replaced by a linear layer, in a wrapper", plain_head, rename=lambda k: "module.model." + k)
    torchvision_case("torchvision_head_sequence", 76, "heads replaced by a sequence of one", sequence)
    torchvision_case("torchvision_head_dropout", 77, "heads.head replaced by a dropout and a linear layer", dropout)


def google_case(case, seed, description, config, tanh=True, representation=0, big_vision=False, **args):
    act = torch.nn.GELU(approximate="tanh" if tanh else "none")
    model = VisionTransformer(num_classes=CLASSES, **TIMM, act_layer=lambda: act, **args)
    if representation:
        model.head = torch.nn.Sequential(torch.nn.Linear(DIM, representation), torch.nn.Tanh(),
                                         torch.nn.Linear(representation, CLASSES))
    randomise(model, seed)
    images = pictures(SIZE, seed)
    kept, _ = capture(model.blocks, [b.attn.attn_drop for b in model.blocks])
    with torch.no_grad():
        logits = model(images)
    arrays = vit_models.google_arrays(model.state_dict(), HEADS)
    if big_vision:
        arrays = vit_models.big_vision_arrays(arrays)
    write(case, f"{TIMM_LIBRARY}'s model under the names of {'big_vision' if big_vision else 'google-research'}",
          description, images, {"logits": logits}, kept, config,
          lambda path: np.savez_compressed(path, **arrays), "weights.npz")
    if not representation:  # timm's own reader understands the file
        again = VisionTransformer(num_classes=CLASSES, **TIMM, act_layer=lambda: act, **args).eval()
        again.load_pretrained(str(OUT / case / "weights.npz"))
        with torch.no_grad():
            assert torch.equal(again(images), logits), case


def google_cases():
    plain = {"num_heads": HEADS, "layer_norm_eps": 1e-6}
    google_case("google_npz", 61, "flax's own gelu, the tanh approximation", {**plain, "hidden_act": "gelu_tanh"})
    google_case("google_npz_pre_logits", 62, "pre-logits; exact gelu, as timm runs these files",
                {**plain, "hidden_act": "gelu"}, tanh=False, representation=20)
    google_case("big_vision_npz", 63, "the mean of the patches, no class token", {**plain, "hidden_act": "gelu_tanh"},
                big_vision=True, class_token=False, global_pool="avg", fc_norm=False)


class Logits(torch.nn.Module):
    """A transformers model wrapped to return a tensor, as is usual for an export."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, x):
        out = self.model(x)
        return out.logits if "logits" in out else out.last_hidden_state


def onnx_file(model, images, external, **args):
    """Exports with torch.onnx.export and removes paths of this machine from the metadata."""
    def write_file(path):
        torch.onnx.export(model, (images,), str(path), verbose=False, external_data=external, **args)
        graph = onnx.load(path, load_external_data=False)
        for node in graph.graph.node:
            kept = [p for p in node.metadata_props if p.key != "pkg.torch.onnx.stack_trace"]
            del node.metadata_props[:]
            node.metadata_props.extend(kept)
        path.write_bytes(graph.SerializeToString())
    return write_file


def onnx_case(case, seed, description, model, run, config, fresh=False, wrap=lambda m: m, half=False, external=False, **args):
    """run(model, images) returns logits and intermediates; fresh keeps equal parameters equal."""
    torch.manual_seed(seed)
    model = model()
    model = model.eval() if fresh else randomise(model, seed)
    if half:
        model = model.half().float()  # the values that the file will have
    images = pictures(SIZE, seed)
    logits, kept = run(model, images)
    if half:
        model = model.half()
    weights = onnx_file(wrap(model), images.half() if half else images, external, **args)
    write(case, f"torch {torch.__version__.split('+')[0]}, onnxscript {onnxscript.__version__}", description, images,
          {"logits": logits}, kept, config, weights, "weights.onnx")


def onnx_cases():
    """Models exported by torch.onnx.export, with the defaults and with the usual switches."""
    old, new = dict(dynamo=False), dict(dynamo=True)
    timm_config = {"num_heads": HEADS}

    def timm_model(**args):
        return lambda: VisionTransformer(num_classes=CLASSES, **{**TIMM, **args})

    def timm_run(model, images):
        kept, handles = capture(model.blocks, [b.attn.attn_drop for b in model.blocks])
        with torch.no_grad():
            logits = model(images)
        for handle in handles:
            handle.remove()
        return logits, kept
    timm_args = (timm_run, timm_config)
    onnx_case("onnx_timm", 81, "timm, TorchScript's exporter", timm_model(), *timm_args, **old)
    onnx_case("onnx_timm_unfolded", 82, "the same without constant folding", timm_model(), *timm_args, do_constant_folding=False, **old)
    onnx_case("onnx_timm_no_bias", 83, "no bias of query, key, value: the node's name tells the layer", timm_model(qkv_bias=False), *timm_args, **old)
    onnx_case("onnx_timm_fresh", 84, "a new model: equal parameters are stored once", timm_model(init_values=0.1), *timm_args, fresh=True, **old)
    onnx_case("onnx_timm_new", 85, "timm, the newer exporter", timm_model(), *timm_args, **new)
    onnx_case("onnx_timm_new_fresh", 86, "a new model: equal parameters are stored once, zero biases left out",
              timm_model(init_values=0.1, reg_tokens=2, no_embed_class=True, dynamic_img_size=True), *timm_args, fresh=True, **new)
    onnx_case("onnx_timm_new_batch", 87, "registers, no bias of query, key, value, a batch of any size, values in a file of their own",
              timm_model(reg_tokens=2, qkv_bias=False), *timm_args, external=True,
              dynamic_shapes=({0: torch.export.Dim("batch")},), **new)
    onnx_case("onnx_timm_half", 88, "float16", timm_model(), *timm_args, half=True, **old)

    def tv_model():
        return torchvision.models.VisionTransformer(SIZE, 4, DEPTH, HEADS, DIM, MLP, num_classes=CLASSES)
    tv_args = (torchvision_run, {"num_heads": HEADS})
    onnx_case("onnx_torchvision", 89, "torchvision, TorchScript's exporter", tv_model, *tv_args, **old)
    onnx_case("onnx_torchvision_new", 90, "torchvision, the newer exporter, a new model", tv_model, *tv_args, fresh=True, **new)

    def hf_run(model, images):
        layers = [m for m in model.modules() if type(m).__name__.endswith("Layer") and hasattr(m, "attention")]
        kept, handles = capture(layers, [])
        model.set_attn_implementation("eager")
        with torch.no_grad():
            out = model(images, output_attentions=True)
        for handle in handles:
            handle.remove()
        for i, a in enumerate(out.attentions):
            kept[f"attn_{i}"] = a
        model.set_attn_implementation("sdpa")  # the default
        return out.logits, kept
    vit = transformers.ViTConfig(**HF, intermediate_size=MLP, num_labels=CLASSES)
    dino = transformers.Dinov2WithRegistersConfig(**HF, mlp_ratio=2, num_labels=CLASSES, num_register_tokens=2)
    for case, seed, cls, config, args in [
        ("onnx_hf_vit", 91, transformers.ViTForImageClassification, vit, old),
        ("onnx_hf_vit_new", 92, transformers.ViTForImageClassification, vit, new),
        ("onnx_hf_dinov2_new", 93, transformers.Dinov2WithRegistersForImageClassification, dino, new),
    ]:
        exporter = "the newer" if args is new else "TorchScript's"
        onnx_case(case, seed, f"transformers' {cls.__name__}, {exporter} exporter", lambda cls=cls, config=config: cls(config), hf_run,
                  json.loads(config.to_json_string()), wrap=Logits, **args)


timm_cases()
whole_cases()
hf_cases()
own_cases()
torchvision_cases()
google_cases()
onnx_cases()
(OUT / "manifest.json").write_text(json.dumps(manifest, indent=2, sort_keys=True) + "\n")
