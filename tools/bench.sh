#!/bin/sh
# Measures Gaze and its peers, in a separate Python environment: tools/bench.sh [stages] [ARGUMENT...]
# The arguments are those of bench/run.py, or of bench/stages.py. $PIP_EXTRA_INDEX_URL may name an index with
# smaller, CPU-only builds of torch.
set -eu
GAZE_ROOT=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd -P)
. "$GAZE_ROOT/tools/env.sh"
cd "$GAZE_ROOT"

value=$(cksum <bench/requirements.txt)
if [ "$(cat bench/.venv/made 2>/dev/null)" != "$value" ]; then
  echo "bench: creating bench/.venv with torch, JAX and ONNX Runtime (several GB)" >&2
  rm -rf bench/.venv
  "${PYTHON:-python3}" -m venv bench/.venv
  bench/.venv/bin/python -m pip install --quiet --disable-pip-version-check -r bench/requirements.txt
  printf '%s\n' "$value" >bench/.venv/made
fi
mkdir -p bench/.cache
if [ "${1:-}" = stages ]; then
  shift
  exec bench/.venv/bin/python bench/stages.py "$@"
fi
go build -o bench/.cache/worker ./bench/worker
go build -o bench/.cache/charts ./bench/charts
go build -o bench/.cache/summary ./bench/summary
exec bench/.venv/bin/python bench/run.py "$@"
