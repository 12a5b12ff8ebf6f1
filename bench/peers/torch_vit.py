"""The torch worker: timm's Vision Transformer, eager or, with the argument "compile", compiled."""
import sys

import torch
from protocol import CannotDo, serve, values
from timm_vit import ClassRows, build

COMPILE = "compile" in sys.argv[1:]


def finished(x):
    """Waits until the GPU has finished."""
    if x.is_cuda:
        torch.cuda.synchronize()
    return x


def inference(task, wrap=lambda model: model):
    model, x = wrap(build(task["model"], task["weights"])).eval(), torch.from_numpy(values(task))
    model, x = model.to(task.get("device", "cpu")), x.to(task.get("device", "cpu"))
    if "precision" in task:  # also for weights and pictures, which is fastest
        model, x = model.to(getattr(torch, task["precision"])), x.to(getattr(torch, task["precision"]))
    run = torch.compile(model) if COMPILE else model

    def work():
        with torch.inference_mode():
            return finished(run(x))

    return work().float().cpu().numpy(), work


def attention(task):
    if COMPILE:
        raise CannotDo("the maps come from hooks, which break the compiled graph up")
    return inference(task, ClassRows)


def training(task):
    model, x = build(task["model"], task["weights"]).train(), torch.from_numpy(values(task))
    model.set_grad_checkpointing(task["checkpointing"])
    labels, parts, device = torch.tensor(task["labels"]), task["accumulate"], task.get("device", "cpu")
    model, x, labels = model.to(device), x.to(device), labels.to(device)
    half = torch.autocast(device, torch.bfloat16, enabled="precision" in task)
    optimizer = torch.optim.Adam(model.parameters(), lr=task["rate"], fused=True)
    run = torch.compile(model) if COMPILE else model

    def work():
        total = 0.0
        for images, wanted in zip(x.chunk(parts), labels.chunk(parts)):
            with half:
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
