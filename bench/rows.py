"""The rows of the benchmark, in groups. A row is the same work for several peers.

A row's task is sent to the workers (bench/peers/protocol.py); run.py adds the
paths. "items" is the number of pictures, tokens or other items of one repetition.
"""

import os

WIDTHS = {"Ti": 192, "S": 384, "B": 768, "toy": 128}
VITS = ["gaze", "gaze-go", "torch", "torch-mkl", "torch-compile", "jax", "onnxruntime"]
TRAINERS = VITS[:-1]


def vit(name, size=224, depth=12):
    dim = WIDTHS[name]
    return {"name": name, "dim": dim, "depth": depth, "heads": dim // 64, "size": size, "patch": 16, "classes": 1000}


def operations(m, training=False):
    """Float32 operations of one picture's matrix products: of the forward pass, and twice that for the gradients."""
    dim, patches = m["dim"], (m["size"] // m["patch"]) ** 2
    tokens = patches + 1
    layer = 2 * tokens * 12 * dim * dim + 4 * tokens * tokens * dim
    return (m["depth"] * layer + 2 * patches * dim * 3 * m["patch"] ** 2 + 2 * dim * m["classes"]) * (3 if training else 1)


def row(group, name, peers, unit, items, **task):
    return {"group": group, "name": name, "peers": peers, "unit": unit, "items": items, "task": task}


def running(group, name, model, batch, peers=VITS, kind="inference"):
    return row(group, name, peers, "pictures/s", batch, kind=kind, model=model, batch=batch)


def inference(quick):
    few = [p for p in VITS if p != "torch-compile"]  # torch.compile takes half a minute to compile
    if quick:
        return [running("inference", f"toy at 64, batch {b}", vit("toy", 64, 2), b, VITS if b == 1 else few) for b in (1, 4)]
    sizes = [(m, size, batch) for size, batch in ((224, 1), (224, 8), (384, 1)) for m in "BS"]
    return [running("inference", f"{m}/16 at {size}, batch {batch}", vit(m, size), batch) for m, size, batch in sizes]


def small(quick):
    """Models so small that what a call costs counts as much as its arithmetic."""
    peers = ["gaze", "torch", "jax", "onnxruntime"]
    if quick:
        return [running("small", "toy at 64, batch 1", vit("toy", 64, 2), 1, peers)]
    models = [("128x2", vit("toy", size, 2)) for size in (64, 128)] + [("Ti/16", vit("Ti", size)) for size in (64, 128)]
    return [running("small", f"{name}, {(m['size'] // m['patch']) ** 2 + 1} tokens, batch {b}", m, b, peers) for name, m in models for b in (1, 8)]


def neighbours(quick):
    """Models that run alone and beside a process that computes without end."""
    peers = ["gaze", "torch", "torch-mkl", "jax", "onnxruntime"]
    if quick:
        return [running("neighbours", "toy at 64, batch 1", vit("toy", 64, 2), 1, peers)]
    return [running("neighbours", f"{m}/16 at 224, batch 1", vit(m), 1, peers) for m in "BS"]


def start(quick):
    model = vit("toy", 64, 2) if quick else vit("B")
    peers = [p for p in VITS if p not in ("gaze-go", "torch-mkl", "torch-compile")]
    return [row("start", "toy at 64, batch 1" if quick else "B/16 at 224, batch 1", peers, "s", 1, kind="inference", model=model, batch=1)]


def training(quick):
    def one(name, model, batch, accumulate=1, checkpointing=False, peers=TRAINERS):
        return row("training", name, peers, "pictures/s", batch * accumulate, kind="training", model=model, batch=batch * accumulate,
                   accumulate=accumulate, checkpointing=checkpointing, losses=3, rate=1e-4)

    if quick:
        toy = vit("toy", 64, 2)
        few = [p for p in TRAINERS if p != "torch-compile"]
        return [one("toy at 64, batch 4", toy, 4, peers=few), one("toy at 64, batch 2, accumulated x2", toy, 2, 2, peers=few),
                one("toy at 64, batch 4, checkpointed", toy, 4, 1, True, few)]
    few = [p for p in TRAINERS if p != "gaze-go"]  # the Go backend takes 20 s for a step
    return [
        one("Ti/16, batch 16", vit("Ti"), 16),
        one("S/16, batch 16", vit("S"), 16),
        one("B/16, batch 4", vit("B"), 4),
        one("S/16, batch 4, accumulated x4", vit("S"), 4, 4, peers=few),
        one("S/16, batch 16, checkpointed", vit("S"), 16, 1, True, peers=few),
    ]


def attention(quick):
    if quick:
        return [running("attention", "toy at 64", vit("toy", 64, 2), 1, kind="attention")]
    return [running("attention", f"{m}/16 at {size}", vit(m, size), 1, kind="attention") for m, size in (("B", 224), ("S", 224), ("B", 384))]


def explain(quick):
    """Maps of the predicted class, and a forward pass beside them."""
    model, name, steps = (vit("toy", 64, 2), "toy at 64", 4) if quick else (vit("B"), "B/16 at 224", 32)
    rows = []
    for batch in (1, 4) if quick else (1, 8):
        rows.append(running("explain", f"forward pass, {name}, batch {batch}", model, batch, ["gaze", "torch"]))
        for method in ("chefer", "legrad", "gradcam", "ig"):
            rows.append(row("explain", f"{method}, {name}, batch {batch}", ["gaze", "torch-explain"], "pictures/s", batch, kind="explain",
                            model=model, batch=batch, method=method, steps=steps))
    return rows


def scaling(quick):
    """Rows with an "x", the points of a chart for each "axis"."""
    peers = [p for p in VITS if p not in ("gaze-go", "torch-mkl", "torch-compile")]
    name = "toy" if quick else "S"
    size, depth = (64, 2) if quick else (224, 12)
    axes = {
        "batch": [(b, vit(name, size, depth), b) for b in ((1, 4) if quick else (1, 2, 4, 8, 16, 32))],
        "resolution": [(s, vit(name, s, depth), 1) for s in ((64, 128) if quick else (224, 384, 512, 768))],
        "layers": [(d, vit(name, size, d), 1) for d in ((1, 2) if quick else (3, 6, 12, 24))],
    }
    rows = []
    for axis, points in axes.items():
        for x, model, batch in points:
            rows.append(running("scaling", f"{name}/16, {axis} {x}", model, batch, peers) | {"axis": axis, "x": x})
    return rows


def caption(quick):
    pieces = 4 if quick else 20
    rows = []
    for batch in (1, 2) if quick else (1, 8):
        # CATR's loop only handles one picture.
        peers = ["gaze", "catr", "hf"] if batch == 1 else ["gaze", "hf"]
        rows.append(row("caption", f"{pieces} pieces, batch {batch}", peers, "pieces/s", batch * pieces, kind="caption",
                        captioner="small" if quick else "catr", batch=batch, pieces=pieces,
                        shape=[batch, 3, 64, 96] if quick else [batch, 3, 224, 299]))
    return rows


REPORT = ("randomhflip | centercrop(256) | resize(256,256) | rotation(30) | jitter(0.5:1.5,0.5:1.5,0.5:1.5) | "
          "perspective(0.2,p=0.5) | totensor | normalize(0.5,0.5)")
CROP = "randomresizedcrop(224) | randomhflip | totensor | normalize([0.485,0.456,0.406],[0.229,0.224,0.225])"
CHECK = "resize(224,224) | totensor | normalize(0.5,0.5)"


def pipeline(quick):
    count = 2 if quick else 16
    return [row("pipeline", name, ["gaze", "torchvision", "torchvision-v2"], "pictures/s", count, kind="pipeline", augmentation=name,
                pipeline=spec, check=CHECK, count=count, cores=1)
            for name, spec in (("the report's augmentation", REPORT), ("a random resized crop", CROP))]


GPU = ["gaze-gpu", "torch-gpu", "torch-compile-gpu", "jax-gpu"]


def gpu(quick):
    """Bfloat16 on a GPU; only run if asked for by name."""
    model, batches = (vit("toy", 64, 2), (1, 4)) if quick else (vit("B"), (1, 64, 256))
    where = {"precision": "bfloat16", "device": os.environ.get("BENCH_DEVICE", "cuda")}
    name = "toy at 64" if quick else "B/16 at 224"
    rows = [row("gpu", f"{name}, batch {b}", GPU, "pictures/s", b, kind="inference", model=model, batch=b, **where) for b in batches]
    for b in batches[1:]:
        rows.append(row("gpu", f"{name}, training, batch {b}", GPU, "pictures/s", b, kind="training", model=model, batch=b, accumulate=1,
                        checkpointing=False, losses=3, rate=1e-4, **where))
    return rows


def notebook(quick):
    """Rows with a "target" of seconds that Gaze is to keep to on an idle machine. Each is also
    measured on a busy one."""
    def one(name, how, target=None, slow=False, peers=("gaze", "ipykernel"), **task):
        all = [p + load for load in ("", "-loaded") for p in peers]
        return row("notebook", name, all, "s", 1, kind="notebook", how=how, slow=slow, model=vit("S"), **task) | {"target": target}

    story = "3-class-attention.ipynb"
    rows = [
        one("edited augmentation", "edited", 0.35, cell="augmentation grid"),
        one("edited attention, another layer", "edited", 0.35, cell="attention, another layer"),
        one("edited attention, another photograph", "edited", 0.35, cell="attention, another photograph"),
        one("edited position embeddings, another grid", "edited", 0.35, cell="position embeddings"),
        one("attention again, unedited", "rerun", 0.2, cell="attention, another layer"),
        one("a line of text", "edited", cell="trivial", until="text"),
        one("a cell that fails, to its error", "edited", cell="failing", until="error"),
        one("first Tab, at once", "tab", 0.3, slow=True, wait=0),
        one("first Tab, a second later", "tab", 0.3, slow=True, wait=1),
        one("a new kernel, to its first attention", "fresh", slow=True, cell="attention, another layer"),
        one("Run All of notebook 3, results kept", "all", 4, slow=True, peers=("gaze",), notebook=story),
        one("edited attention in the browser", "click", 0.5, cell="attention, another layer"),
        one("edited augmentation in the browser", "click", 0.5, cell="augmentation grid"),
        one("opening notebook 3 in the browser", "open", 3, slow=True, notebook=story),
    ]
    return [r for r in rows if r["name"] in ("edited attention, another layer", "a line of text", "first Tab, at once")] if quick else rows


GROUPS = {"inference": inference, "small": small, "neighbours": neighbours, "start": start, "training": training, "attention": attention, "explain": explain, "caption": caption, "pipeline": pipeline,
          "notebook": notebook, "scaling": scaling, "gpu": gpu}
