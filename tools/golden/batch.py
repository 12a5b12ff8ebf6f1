"""Reads pkg/batch/testdata/part.parquet, which `go test ./pkg/batch -regen` writes, with
pyarrow, DuckDB and Hugging Face datasets, checks that they agree, and writes what they read
to pkg/batch/testdata/part.json.

    pip install pyarrow==26.0.1 duckdb==2.0.1 datasets==5.2.0
"""
import json
import pathlib
import tempfile

import datasets
import duckdb
import pyarrow.parquet as pq

here = pathlib.Path(__file__).resolve().parents[2] / "pkg" / "batch" / "testdata"
part = str(here / "part.parquet")

table = pq.read_table(part)
columns, rows = table.column_names, table.to_pylist()

relation = duckdb.sql(f"select * from '{part}'")
assert relation.columns == columns, relation.columns
for row, other in zip(rows, relation.fetchall(), strict=True):
    assert [row[c] for c in columns] == list(other), (row, other)

with tempfile.TemporaryDirectory() as cache:
    data = datasets.load_dataset("parquet", data_files=[part], split="train", cache_dir=cache)
    assert data.column_names == columns, data.column_names
    for row, other in zip(rows, data, strict=True):
        assert row == other, (row, other)

with open(here / "part.json", "w", encoding="utf-8", newline="\n") as f:
    json.dump({"columns": columns, "rows": rows}, f, ensure_ascii=False, indent=1)
    f.write("\n")
