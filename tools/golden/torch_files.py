"""PyTorch checkpoints of every kind with their content, for pkg/weights.

Writes pkg/weights/testdata/torch_*.pth and torch_golden.json (for each file: its
format, the root that should be found, and for each root the tensors' names, types,
shapes and bytes, or the error, or the classes that a warning names). Run from the
repository root.
"""
import argparse
import base64
import builtins
import collections
import dataclasses
import datetime
import decimal
import enum
import fractions
import functools
import json
import os
import pathlib
import random
import re
import types as python_types
import uuid

import easydict
import numpy as np
import omegaconf
import torch
from torch import nn

folder = pathlib.Path("pkg/weights/testdata")
folder.mkdir(parents=True, exist_ok=True)
golden = {}
torch.manual_seed(11)


def flatten(value, name=""):
    """Yields every tensor in value with its dotted name."""
    if isinstance(value, torch.Tensor):
        yield name or "tensor", value
    elif isinstance(value, argparse.Namespace):
        yield from flatten(vars(value), name)
    elif isinstance(value, (dict, list, tuple)):
        items = value.items() if isinstance(value, dict) else enumerate(value)
        for key, item in items:
            yield from flatten(item, f"{name}.{key}" if name else str(key))


def describe(name, t):
    t = t.detach()
    data = t.contiguous().reshape(-1).view(torch.uint8).numpy().tobytes() if t.numel() else b""
    dtype = str(t.dtype).removeprefix("torch.")
    return {"name": name, "dtype": dtype, "shape": list(t.shape), "data": base64.b64encode(data).decode()}


def write(name, value, root="", at=(), error="", **options):
    """Saves value; `at` are further roots, to be chosen by name."""
    path = folder / f"torch_{name}.pth"
    torch.save(value, path, **options)
    legacy = options.get("_use_new_zipfile_serialization") is False
    entry = {"format": "pytorch-legacy" if legacy else "pytorch"}
    if error:
        entry["error"] = error
    else:
        entry["root"] = root
    if root is not None and not error:
        at = (root, *at)
    entry["at"] = {}
    for place in at:
        chosen = value
        for key in filter(None, place.split("/")):
            chosen = chosen[int(key)] if key.isdigit() and key not in chosen else chosen[key]
        entry["at"][place.replace("/", ".")] = [describe(*item) for item in flatten(chosen)]
    if root:
        entry["root"] = root.replace("/", ".")
    golden[path.name] = entry


LEGACY = {"_use_new_zipfile_serialization": False}

# Every element type, including NaN and infinities.
special = torch.tensor([0.0, -0.0, 1.5, -2.25, float("inf"), float("-inf"), float("nan"), 6e-8])
types = collections.OrderedDict()
for dtype in (torch.float32, torch.float16, torch.bfloat16, torch.float64):
    types["f." + str(dtype).removeprefix("torch.")] = special.to(dtype).reshape(2, 4)
for dtype in (torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8):
    info = torch.iinfo(dtype)
    types["i." + str(dtype).removeprefix("torch.")] = torch.tensor([info.min, 0, 1, info.max], dtype=dtype)
types["flag"] = torch.tensor([[True, False, True]])
types["scalar"] = torch.tensor(0.25)
types["empty"] = torch.zeros(3, 0, 2)
write("types", types)
write("types_legacy", types, **LEGACY)
for protocol in (3, 4, 5):
    write(f"protocol{protocol}", types, pickle_protocol=protocol)
write("protocol4_legacy", types, pickle_protocol=4, **LEGACY)

# One storage under many views.
base = torch.arange(24, dtype=torch.float32)
picture = torch.randn(2, 3, 2, 2).contiguous(memory_format=torch.channels_last)
views = {
    "base": base, "same": base, "rows": base.view(4, 6), "transposed": base.view(4, 6).t(),
    "permuted": base.view(2, 3, 4).permute(2, 0, 1), "columns": base.view(4, 6)[:, 1:4],
    "every.third": base[2::3], "inner": base[5:11], "expanded": base[:3].expand(2, 3),
    "expanded.inside": base[:3].view(3, 1).expand(3, 4), "one": base[7:8].view(1, 1).expand(1, 1),
    "channels.last": picture, "odd.stride": torch.as_strided(base, (2, 1, 3), (6, 999, 2), 1),
}
write("views", views)
write("views_legacy", views, **LEGACY)


# A checkpoint like CATR's: a model, its optimizer with moments, schedule, epoch, arguments.
class Tiny(nn.Module):
    def __init__(self):
        super().__init__()
        self.proj = nn.Linear(4, 3)
        self.norm = nn.BatchNorm1d(3)
        self.blocks = nn.ModuleList([nn.Linear(3, 3, bias=False) for _ in range(2)])

    def forward(self, x):
        x = self.norm(self.proj(x))
        for block in self.blocks:
            x = block(x)
        return x


model = Tiny()
optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
scheduler = torch.optim.lr_scheduler.MultiStepLR(optimizer, [2, 4, 4])
model(torch.randn(5, 4)).square().sum().backward()
optimizer.step()
scheduler.step()
checkpoint = {
    "model": model.state_dict(), "optimizer": optimizer.state_dict(),
    "lr_scheduler": scheduler.state_dict(), "epoch": 3, "best": torch.tensor(0.5),
    "args": argparse.Namespace(lr=1e-4, device=torch.device("cpu"), sizes=(384, 384), name="tiny"),
}
assert hasattr(checkpoint["model"], "_metadata")
write("catr", checkpoint, root="model", at=("", "optimizer", "optimizer/state/0"))
write("catr_legacy", checkpoint, root="model", at=("", "optimizer"), **LEGACY)
write("module", model.state_dict())
write("data_parallel", {"state_dict": nn.DataParallel(model).state_dict(), "epoch": 1}, root="state_dict")
write("nested", {"state_dict": {"model": model.state_dict()}, "optimizer": optimizer.state_dict()},
      root="state_dict/model", at=("state_dict",))
halves = {"encoder": {"w": torch.ones(2)}, "decoder": {"w": torch.zeros(2), "b": torch.ones(1)}}
write("nested_parts", {"model": halves}, root="model", at=("model/encoder",))
write("sole", {"weights of it": {"w": torch.ones(2)}, "optimizer": optimizer.state_dict(), "step": 1}, root="weights of it")
write("teacher", {"student": {"w": torch.ones(2)}, "teacher": {"w": torch.zeros(2)}, "epoch": 1,
                  "dino_loss": {"center": torch.ones(1, 2)}}, root="teacher", at=("student",))
write("ambiguous", halves, root=None, at=("encoder", "decoder", ""), error="encoder (1 tensors), decoder (2 tensors)")
write("lone", torch.arange(3.0))
write("list", [torch.arange(3.0), (torch.ones(1), {"x": torch.zeros(1)})])
write("nothing", {"epoch": 1, "state_dict": {}}, root=None, error="holds no tensors")

# Parameters, attributes on tensors, a parameter that shares a storage.
parameter = nn.Parameter(torch.randn(2, 3))
noted = nn.Parameter(torch.randn(2), requires_grad=False)
noted.note = "kept by _rebuild_parameter_with_state"
tagged = torch.randn(3)
tagged.note = "kept by _rebuild_from_type_v2"
write("parameters", {"p": parameter, "noted": noted, "tagged": tagged, "view": nn.Parameter(parameter.data.t())})

# Objects that scripts save beside the weights.
beside = {
    "net": {"w": torch.ones(2)},
    "best": np.float64(0.5), "count": collections.Counter([1, 1, 2]), "set": {1, 2}, "frozen": frozenset([3]),
    "default": collections.defaultdict(dict, {"a": {}}), "bytes": b"\x00\xff", "array": bytearray(b"ab"),
    "size": torch.Size([1, 2]), "dtype": torch.float8_e4m3fn, "big": 1 << 80, "negative": -(1 << 40), "small": -3,
    "text": "é" * 200, "odd": {1.5: "x", None: 1, (1, 2): 3, True: False}, "float8": {"w": torch.ones(2).to(torch.float8_e5m2)},
}
for protocol in (2, 5):
    write(f"beside{protocol}", beside, root="net", pickle_protocol=protocol)
write("beside_legacy", {k: v for k, v in beside.items() if k != "float8"}, root="net", **LEGACY)
write("complex", {"w": torch.ones(2, dtype=torch.complex64)}, error="complex64", root=None)
write("float8", {"w": torch.ones(2).to(torch.float8_e4m3fn)}, error="float8_e4m3fn", root=None)
write("uint16", {"w": torch.ones(2, dtype=torch.uint16)}, error="uint16", root=None)
write("negated", {"w": torch.ones(2, dtype=torch.complex64).conj().imag}, error="negates", root=None)


# Pickles that try to run code.
class Call:
    def __init__(self, function, *arguments):
        self.what = (function, arguments)

    def __reduce__(self):
        return self.what


write("system", {"w": torch.ones(2), "x": Call(os.system, "true")}, error="refuses: the pickle wants to call posix.system;", root=None)
write("eval", {"x": Call(builtins.eval, "1")}, error="refuses: the pickle wants to call builtins.eval;", root=None)
write("eval4", {"x": Call(builtins.eval, "1")}, error="refuses: the pickle wants to call builtins.eval;", root=None, pickle_protocol=4)
write("getattr_legacy", {"x": Call(getattr, "a", "b")}, error="refuses: the pickle wants to call builtins.getattr;", root=None, **LEGACY)
write("nested_load", {"x": Call(torch.storage._load_from_bytes, b"")},
      error="refuses: the pickle wants to call torch.storage._load_from_bytes;", root=None)
write("array", {"w": np.ones(2)}, error="multiarray._reconstruct", root=None)
write("sparse", {"w": torch.eye(2).to_sparse()}, error="torch._utils._rebuild_sparse_tensor", root=None)


# Passive objects that scripts save beside the weights; none has to be run to read the
# weights. `names` are the classes that a warning must name.
class Phase(enum.Enum):
    TRAIN = 1


@dataclasses.dataclass
class Settings:
    rate: float = 0.1
    phase: Phase = Phase.TRAIN


class Bag(dict):
    """A dict with attributes, similar to AttributeDict."""

    def __init__(self, **items):
        super().__init__(**items)
        self.__dict__.update(items)


class Items(list):
    pass


class Slots:
    __slots__ = ("a", "b")

    def __init__(self):
        self.a, self.b = 1, np.ones(2)


class Owner:
    """An object that contains itself, a list of such objects, and tensors that aren't weights."""

    def __init__(self):
        self.me, self.all, self.moment = self, [self], torch.ones(3)


class NewArguments(str):
    def __new__(cls, *, text):
        return super().__new__(cls, text)

    def __getnewargs_ex__(self):
        return (), {"text": str(self)}


Point = collections.namedtuple("Point", "x y")


def passive():
    random.seed(5)
    return {
        "model": {"w": torch.ones(2), "b": torch.zeros(1)},
        "array": np.arange(6.0).reshape(2, 3), "ints": np.arange(3), "words": np.array(["a", "bc"]),
        "record": np.zeros(2, dtype=[("x", "f4"), ("y", "i8")]), "object": np.array([1, "x", None], dtype=object),
        "scalar": np.float32(0.5), "int": np.int64(3), "dtype": np.dtype("float16"), "masked": np.ma.array([1.0, 2.0], mask=[0, 1]),
        "random": {"python": random.getstate(), "numpy": np.random.RandomState(3).get_state(), "dict": np.random.RandomState(3).get_state(legacy=False),
                   "torch": torch.get_rng_state(), "cuda": [torch.get_rng_state()]},
        "generators": [np.random.default_rng(1), np.random.RandomState(1), random.Random(2), torch.device("cpu")],
        "dates": [datetime.datetime(2024, 5, 1, 12, tzinfo=datetime.timezone.utc), datetime.date(2024, 5, 1), datetime.timedelta(3), datetime.time(1)],
        "paths": [pathlib.PurePosixPath("/data/x"), pathlib.PureWindowsPath("c:/x"), pathlib.Path("runs")],
        "numbers": [decimal.Decimal("0.1"), fractions.Fraction(1, 3), complex(1, 2), uuid.UUID(int=5), 1 << 90],
        "containers": [collections.deque([1, 2], maxlen=3), collections.ChainMap({"a": 1}), range(3), slice(1, 2), {1, 2}, frozenset([3])],
        "space": python_types.SimpleNamespace(lr=0.1, nested=python_types.SimpleNamespace(x=1)), "args": argparse.Namespace(lr=1, when=datetime.date(2024, 1, 1)),
        "kinds": [int, dict, torch.float16, torch.nn.Linear, np.ndarray, type(None), collections.OrderedDict],
        "partial": functools.partial(torch.nn.LayerNorm, eps=1e-6), "pattern": re.compile("a+"), "function": torch.nn.functional.gelu,
        "error": ValueError("late"),
    }


write("passive", passive(), root="model")
write("passive5", passive(), root="model", pickle_protocol=5)
legacy = passive()
del legacy["kinds"], legacy["partial"]  # the legacy format stores the source text of modules' classes
write("passive_legacy", legacy, root="model", **LEGACY)
golden["torch_passive.pth"]["names"] = golden["torch_passive5.pth"]["names"] = []


def foreign():
    return {
        "state_dict": {"w": torch.ones(2)}, "settings": Settings(), "phase": Phase.TRAIN, "bag": Bag(a=1, b=Bag(c=2)), "items": Items([1, 2]),
        "slots": Slots(), "owner": Owner(), "point": Point(1, 2),
        "conf": omegaconf.OmegaConf.create({"model": {"depth": 2, "dims": [1, 2]}}), "easy": easydict.EasyDict({"a": {"b": 1}}),
        "optimizer": torch.optim.SGD([nn.Parameter(torch.ones(2))], lr=0.1),
    }


for protocol in (2, 4):
    beside = foreign()
    if protocol == 4:
        beside["text"] = NewArguments(text="x")
    write(f"foreign{protocol}", beside, root="state_dict", pickle_protocol=protocol)
    golden[f"torch_foreign{protocol}.pth"]["names"] = ["__main__.Settings", "__main__.Bag"]

# The weights are in a container of a user-defined class.
write("foreign_dict", Bag(state_dict=Bag(w=torch.ones(2)), epoch=1), root="state_dict")


# torch.save(model): the tensors are in the modules' dicts.
class Whole(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Sequential(nn.Linear(3, 2), nn.GELU(), nn.BatchNorm1d(2))
        self.token = nn.Parameter(torch.randn(1, 1, 2))
        self.heads = nn.ModuleDict({"a": nn.Linear(2, 1, bias=False)})
        self.register_buffer("table", torch.arange(3.0))
        self.register_buffer("scratch", torch.ones(4), persistent=False)
        self.register_parameter("none", None)
        self.norm = functools.partial(nn.LayerNorm, eps=1e-6)
        self.settings = Settings()


def write_module(name, value, model, root=""):
    torch.save(value, folder / f"torch_{name}.pth")
    tensors = [describe(k, v) for k, v in model.state_dict().items()]
    golden[f"torch_{name}.pth"] = {"format": "pytorch", "root": root, "at": {root: tensors}}


linear, whole = nn.Linear(2, 2), Whole()
write_module("whole_module", linear, linear)
write_module("whole_nested", whole, whole)
write_module("whole_parallel", nn.DataParallel(whole), nn.DataParallel(whole))
write_module("whole_beside", {"epoch": 3, "model": whole, "optimizer": None}, whole, root="model")


script = folder / "torch_script.pth"
torch.jit.save(torch.jit.trace(nn.ReLU(), torch.ones(1)), script)
golden[script.name] = {"format": "pytorch", "error": "TorchScript", "at": {}}

(folder / "torch_golden.json").write_text(json.dumps(golden, indent=0, sort_keys=True) + "\n")
print(sum(p.stat().st_size for p in folder.glob("torch_*")), "bytes in", len(golden) + 1, "files")
