"""Golden case for pkg/data: order and classes of torchvision's ImageFolder.

Writes pkg/data/testdata/imagefolder.json. Run from the repository root.
"""
import json
import os
import tempfile

from torchvision.datasets import ImageFolder

FILES = [
    "dog/10.jpg", "dog/2.jpg", "dog/B.png", "dog/a.JPEG", "dog/ä.jpg", "dog/z z.webp", "dog/readme.txt",
    "dog/sub/1.jpg", "dog/sub-1/1.jpg", "dog/sub/deep/1.jpg",
    "Cat/x_1.bmp", "Cat/x-1.tiff", "10/1.jpg", "9/1.jpg", "émeu/1.jpg", "zebra fish/1.tif", "zebra/1.jpg",
]


def main():
    with tempfile.TemporaryDirectory() as root:
        for name in FILES:
            path = os.path.join(root, name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "w") as f:
                f.write(name)
        folder = ImageFolder(root)
        samples = [[os.path.relpath(path, root), label] for path, label in folder.samples]
    with open("pkg/data/testdata/imagefolder.json", "w", encoding="utf-8") as f:
        json.dump({"files": FILES, "classes": folder.classes, "samples": samples}, f, ensure_ascii=False, indent=1)
        f.write("\n")


if __name__ == "__main__":
    main()
