"""Small checkpoints in formats other than PyTorch's: safetensors (one file and
sharded), .npz, .npy and ONNX (values in every kind of field, and in an external data
file), written by the formats' own libraries.

Writes pkg/weights/testdata/{st,npz,npy,onnx,sharded}_* and formats_golden.json
(name, shape, type and values of each tensor). Run from the repository root.
"""
import json
import pathlib
import shutil

import ml_dtypes
import numpy as np
import onnx
import safetensors.numpy
import torch
from onnx import TensorProto, helper, numpy_helper

out = pathlib.Path("pkg/weights/testdata")
out.mkdir(parents=True, exist_ok=True)
rng = np.random.default_rng(11)

f32 = rng.standard_normal((2, 3)).astype(np.float32)
tensors = {
    "z.first": f32,
    "a.half": f32.astype(np.float16),
    "b.double": f32.astype(np.float64) / 3,
    "scalar": np.array(2.5, np.float32),
    "empty": np.zeros((0, 4), np.float32),
    "i64": np.array([-1, 2**40], np.int64),
    "i32": np.array([-7, 7], np.int32),
    "i16": np.array([-300, 300], np.int16),
    "i8": np.array([-3, 3], np.int8),
    "u8": np.array([0, 255], np.uint8),
    "bool": np.array([True, False]),
}
golden = {}


def record(name, items):
    golden[name] = {
        k: {"dtype": "bfloat16" if v.dtype == ml_dtypes.bfloat16 else str(v.dtype), "shape": list(v.shape),
            "values": np.asarray(v, np.float64).ravel().tolist()}
        for k, v in items.items()
    }


bf16 = {"bf": f32.astype(ml_dtypes.bfloat16)}

# safetensors
safetensors.numpy.save_file({**tensors, **bf16}, out / "st_types.safetensors", metadata={"format": "pt", "note": "ü"})
record("st_types.safetensors", {**tensors, **bf16})

shards = out / "sharded_ok"
shutil.rmtree(shards, ignore_errors=True)
shards.mkdir()
parts = [("model-00001-of-00002.safetensors", {"w.0": f32, "w.1": f32 * 2}), ("model-00002-of-00002.safetensors", {"w.2": f32 * 3})]
for name, items in parts:
    safetensors.numpy.save_file(items, shards / name)
(shards / "model.safetensors.index.json").write_text(json.dumps(
    {"metadata": {"total_size": 72}, "weight_map": {k: n for n, items in parts for k in items}}, indent=1))
record("sharded_ok", {k: v for _, items in parts for k, v in items.items()})

# npz and npy
np.savez(out / "npz_stored.npz", **{"Transformer/block/kernel": f32}, **tensors)
record("npz_stored.npz", {"Transformer/block/kernel": f32, **tensors})
order = {"fortran": np.asfortranarray(rng.standard_normal((3, 4, 2)).astype(np.float32)), "big": f32.astype(">f4"), "big64": f32.astype(">f8"),
         "fortran1": np.asfortranarray(np.arange(4, dtype=np.float32))}
np.savez_compressed(out / "npz_compressed.npz", **tensors, **order)
record("npz_compressed.npz", {**tensors, **{k: v.astype(v.dtype.newbyteorder("=")) for k, v in order.items()}})
np.savez(out / "npz_bfloat16.npz", bf=bf16["bf"].view("V2"))
record("npz_bfloat16.npz", bf16)
np.savez(out / "npz_objects.npz", o=np.array([{"a": 1}], object))
for version in (1, 2, 3):
    with open(out / f"npy_version{version}.npy", "wb") as f:
        np.lib.format.write_array(f, f32, version=(version, 0))
    record(f"npy_version{version}.npy", {"": f32})

# ONNX
items = {k: v for k, v in tensors.items()}
raw = [numpy_helper.from_array(np.asarray(v), k) for k, v in items.items()]
typed = [
    helper.make_tensor("t.float", TensorProto.FLOAT, [2, 3], f32.ravel().tolist()),
    helper.make_tensor("t.double", TensorProto.DOUBLE, [2, 3], tensors["b.double"].ravel().tolist()),
    helper.make_tensor("t.half", TensorProto.FLOAT16, [2, 3], tensors["a.half"].ravel().tolist()),
    helper.make_tensor("t.bf16", TensorProto.BFLOAT16, [2, 3], f32.ravel().tolist()),
    helper.make_tensor("t.i64", TensorProto.INT64, [2], [-1, 2**40]),
    helper.make_tensor("t.i8", TensorProto.INT8, [2], [-3, 3]),
]
expected = {**items, "t.float": f32, "t.double": tensors["b.double"], "t.half": tensors["a.half"],
            "t.bf16": f32.astype(ml_dtypes.bfloat16), "t.i64": tensors["i64"], "t.i8": tensors["i8"]}


def model(initialisers):
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1])
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, [1])
    graph = helper.make_graph([helper.make_node("Identity", ["x"], ["y"])], "g", [x], [y], initialisers)
    return helper.make_model(graph, producer_name="golden")


onnx.save(model(raw + typed), out / "onnx_types.onnx")
record("onnx_types.onnx", expected)
big = numpy_helper.from_array(f32, "outside")
other = numpy_helper.from_array(f32 * 2, "outside.too")
onnx.save(model([big, other]), out / "onnx_external.onnx", save_as_external_data=True, all_tensors_to_one_file=True,
          location="onnx_external.data", size_threshold=0)
record("onnx_external.onnx", {"outside": f32, "outside.too": f32 * 2})

assert torch.equal(torch.from_numpy(f32).to(torch.bfloat16).float(), torch.from_numpy(bf16["bf"].astype(np.float32)))
(out / "formats_golden.json").write_text(json.dumps(golden) + "\n")
