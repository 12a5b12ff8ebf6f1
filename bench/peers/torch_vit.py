"""Torch's side: timm's Vision Transformer, eager or, with the argument "compile", compiled."""
import sys

import torch
from protocol import CannotDo, serve, values
from timm_vit import ClassRows, build

COMPILE = "compile" in sys.argv[1:]


def inference(task, wrap=lambda model: model):
    model, x = wrap(build(task["model"], task["weights"])).eval(), torch.from_numpy(values(task))
    run = torch.compile(model) if COMPILE else model

    def work():
        with torch.inference_mode():
            return run(x)

    return work().numpy(), work


def attention(task):
    if COMPILE:
        raise CannotDo("the maps come from hooks, which break the compiled graph up")
    return inference(task, ClassRows)


def training(task):
    model, x = build(task["model"], task["weights"]).train(), torch.from_numpy(values(task))
    model.set_grad_checkpointing(task["checkpointing"])
    labels, parts = torch.tensor(task["labels"]), task["accumulate"]
    optimizer = torch.optim.Adam(model.parameters(), lr=task["rate"], fused=True)
    run = torch.compile(model) if COMPILE else model

    def work():
        total = 0.0
        for images, wanted in zip(x.chunk(parts), labels.chunk(parts)):
            loss = torch.nn.functional.cross_entropy(run(images), wanted) / parts
            loss.backward()
            total += loss.item()
        optimizer.step()
        optimizer.zero_grad()
        return total

    return [work() for _ in range(task["losses"])], work


def prepare(task):
    torch.set_num_threads(task["threads"])
    return {"inference": inference, "attention": attention, "training": training}[task["kind"]](task)


if __name__ == "__main__":
    serve(prepare)
