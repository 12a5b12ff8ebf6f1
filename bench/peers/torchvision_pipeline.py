"""The torchvision worker for decoding and augmenting, on PIL images ("pil") or with its
v2 transforms on tensors ("v2")."""
import sys

import torch
from PIL import Image
from protocol import serve
from torchvision import io
from torchvision import transforms as v1
from torchvision.transforms import v2

MEAN, STD = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]


def pipelines(T, last):
    """The augmentations, by their names in rows.py; last(mean, std) makes a normalised float tensor."""
    return {
        "check": T.Compose([T.Resize((224, 224)), *last([0.5] * 3, [0.5] * 3)]),
        "the report's augmentation": T.Compose([
            T.RandomHorizontalFlip(), T.CenterCrop(256), T.Resize((256, 256)), T.RandomRotation(30),
            T.ColorJitter((0.5, 1.5), (0.5, 1.5), (0.5, 1.5)), T.RandomPerspective(0.2, p=0.5), *last([0.5] * 3, [0.5] * 3)]),
        "a random resized crop": T.Compose([T.RandomResizedCrop(224), T.RandomHorizontalFlip(), *last(MEAN, STD)]),
    }


def open_pil(path):
    return Image.open(path).convert("RGB")


def open_tensor(path):
    return io.decode_image(path, io.ImageReadMode.RGB)


def prepare(task):
    torch.set_num_threads(1)
    torch.manual_seed(1)
    if sys.argv[1] == "pil":
        read, found = open_pil, pipelines(v1, lambda mean, std: [v1.ToTensor(), v1.Normalize(mean, std)])
    else:
        read, found = open_tensor, pipelines(v2, lambda mean, std: [v2.ToDtype(torch.float32, scale=True), v2.Normalize(mean, std)])
    steps = found[task["augmentation"]]

    def work():
        for path in task["pictures"]:
            steps(read(path))

    return found["check"](read(task["pictures"][0])).flatten(), work


if __name__ == "__main__":
    serve(prepare)
