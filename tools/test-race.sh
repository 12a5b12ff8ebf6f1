#!/bin/sh
# Runs the race detector where goroutines share memory: tools/test-race.sh
#
# Packages that run graphs are tested with the Go backend there: XLA's threads aren't
# Go's, so the detector sees nothing of them, and its memory map disturbs theirs.
set -eu
GAZE_ROOT=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd -P)
. "$GAZE_ROOT/tools/env.sh"
cd "$GAZE_ROOT"

if [ "${CGO_ENABLED:-1}" = 0 ]; then
  echo "race detector: skipped, it needs cgo"
  exit 0
fi
# The vector kernels stay on; without them the detector would take far longer.
GOMLX_BACKEND=go:ops_sequential go test -race -short -timeout 20m \
  ./internal/... ./pkg/data/... ./pkg/hub ./pkg/plots ./pkg/transform ./pkg/weights
# GoMLX's Go backend aliases its buffers in a way that the detector's pointer check, a thing
# apart from races, doesn't let pass.
GOMLX_BACKEND=go:ops_sequential go test -race -short -timeout 20m -gcflags=all=-d=checkptr=0 ./pkg/backend ./pkg/vit ./pkg/caption/... ./pkg/explain ./pkg/notebook ./pkg/train ./pkg/evaluate/...
