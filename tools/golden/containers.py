"""Pictures in the containers in which data sets are shared, as their libraries write them.

Writes to pkg/batch/source/testdata:

* hf.parquet: Hugging Face datasets, a column image (struct of bytes and path) and labels, in
  row groups of 4 rows;
* plain.parquet: pyarrow, a column of bytes, zstd, data pages of a few pictures, with nulls;
* old.parquet: pyarrow, version 1 pages, dictionary, no compression;
* photos-000000.tar, photos-000001.tar: webdataset's ShardWriter, a picture, a class and a
  mask (with two endings) for each sample;
* containers.json: the SHA-256 of every picture, in order.
"""

import hashlib
import io
import json
import pathlib

import datasets
import pyarrow as pa
import pyarrow.parquet as pq
import webdataset
from PIL import Image

OUT = pathlib.Path(__file__).parents[2] / "pkg/batch/source/testdata"
PICTURES = 10


def picture(i, kind):
    image = Image.new("RGB", (8 + i, 6), (20 * i, 255 - 20 * i, 90))
    image.putpixel((i % 8, 2), (255, 255, 255))
    out = io.BytesIO()
    image.save(out, kind)
    return out.getvalue()


def huggingface(pictures):
    features = datasets.Features({"image": datasets.Image(), "label": datasets.ClassLabel(names=["cat", "dog"])})
    rows = {
        "image": [{"bytes": p, "path": f"{i}.jpg"} for i, p in enumerate(pictures)],
        "label": [i % 2 for i in range(len(pictures))],
    }
    datasets.Dataset.from_dict(rows, features=features).to_parquet(OUT / "hf.parquet", batch_size=4)


def plain(pictures):
    values = [None if i == 3 else p for i, p in enumerate(pictures)]
    table = pa.table({"id": [f"id{i}" for i in range(len(values))], "jpg": pa.array(values, pa.binary())})
    pq.write_table(table, OUT / "plain.parquet", compression="zstd", row_group_size=6, data_page_size=1500,
                   write_batch_size=2, data_page_version="2.0", write_page_index=True)
    pq.write_table(table, OUT / "old.parquet", compression="none", version="1.0", use_dictionary=True)


def tars(pictures):
    with webdataset.ShardWriter(str(OUT / "photos-%06d.tar"), maxcount=5, mtime=0, verbose=0) as writer:
        for i, p in enumerate(pictures):
            writer.write({"__key__": f"pets/{i:04d}.v1" if i == 7 else f"pets/{i:04d}", "jpg": p, "cls": i % 2,
                          "seg.png": picture(i, "PNG")})


def main():
    OUT.mkdir(parents=True, exist_ok=True)
    pictures = [picture(i, "JPEG") for i in range(PICTURES)]
    huggingface(pictures)
    plain(pictures)
    tars(pictures)
    digests = [hashlib.sha256(p).hexdigest() for p in pictures]
    (OUT / "containers.json").write_text(json.dumps(digests, indent=0) + "\n")


if __name__ == "__main__":
    main()
