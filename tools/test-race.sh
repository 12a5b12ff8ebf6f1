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
# Left out: tests that start other processes, which the detector doesn't see; the captions
# of a whole notebook, which take minutes under it; and tests that only compare numbers with
# the golden files, in which no goroutine is Gaze's own. test-go.sh runs them all.
skip='README.*|FitKilled|Captions|Golden|GoldenDefaultBackend|BFloat16Golden|SmoothingGolden|StagesGolden'
skip="$skip|GreedyGolden|BeamGolden|BlockedGolden|ForwardVariants|Checkpointing"
# internal/xla/kernels has no goroutines.
internal=$(go list ./internal/... | grep -v /xla/kernels)

# The vector kernels stay on; without them the detector would take far longer. GoMLX's Go
# backend aliases its buffers in a way that the detector's check of pointers, a thing apart
# from races, doesn't let pass: it is off in GoMLX's packages.
# shellcheck disable=SC2086 # a list of packages
GOMLX_BACKEND=go:ops_sequential go test -race -timeout 20m '-gcflags=github.com/gomlx/...=-d=checkptr=0' \
  -skip "^Test($skip)\$" \
  $internal ./pkg/data/... ./pkg/hub ./pkg/plots ./pkg/transform ./pkg/weights \
  ./pkg/backend ./pkg/vit ./pkg/caption/... ./pkg/explain ./pkg/notebook ./pkg/train ./pkg/evaluate/...
