#!/bin/sh
# Writes the locked requirements, with hashes, from the *.in files: tools/lock.sh
# This needs uv on the PATH (https://docs.astral.sh/uv); set-up and the tests don't.
set -eu
cd "$(dirname -- "$0")/.."

command -v uv >/dev/null || {
  echo "lock: uv isn't on the PATH; install it, for example with: python3 -m venv x && x/bin/pip install uv" >&2
  exit 1
}
lock() {
  uv pip compile --quiet --generate-hashes --no-annotate --custom-compile-command 'make lock' "$@"
}
for list in tools/notebooks/requirements tools/lint/requirements tools/browser/requirements; do
  lock --universal --python-version 3.10 "$list.in" -o "$list.txt"
done
# The plugins are single files; their dependencies aren't needed.
for list in xla-cpu xla-cpu-second xla-cpu-third; do
  lock --universal --no-deps --python-version 3.10 "tools/plugins/$list.in" -o "tools/plugins/$list.txt"
done
for list in cuda12 cuda13; do
  lock --no-deps --python-platform x86_64-manylinux_2_28 --python-version 3.10 \
    "tools/plugins/$list.in" -o "tools/plugins/$list.txt"
done
