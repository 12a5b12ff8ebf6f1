#!/bin/sh
# Runs the tests of packages whose goroutines share memory with the race detector:
# tools/test-race.sh
#
# Packages that run graphs are tested on the Go backend. The detector can't see XLA's
# threads, because they aren't Go's, and its memory map interferes with XLA's.
set -eu
GAZE_ROOT=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd -P)
. "$GAZE_ROOT/tools/env.sh"
cd "$GAZE_ROOT"

if [ "${CGO_ENABLED:-1}" = 0 ]; then
  echo "race detector: skipped, it needs cgo"
  exit 0
fi
# Long tests are left out (-short), and so are tests that start other processes, which the
# detector doesn't see, and tests that only compare numbers with golden files, in which no
# goroutine is Gaze's own. test-go.sh runs all of them.
skip='README.*|FitKilled|Captions|Golden|GoldenDefaultBackend|BFloat16Golden|SmoothingGolden|StagesGolden'
skip="$skip|GreedyGolden|BeamGolden|BlockedGolden|ForwardVariants|Checkpointing"
skip="$skip|LinearProbeFails|WhatIsNamedIsVisible|MasksAreWhatWasPainted|PicturesAreFairlyLit|NoAllocation|SameAs.*|DrawsAs.*"
skip="$skip|OutputSizeHolds|ClassificationHoldsOut|ClassificationWithNotes|SVG|OddInputIsDrawn|SearchUncached|PreprocessingGolden|SetsOfWeights|RealDINOv2|DamagedAsPillow|TruncatedAnywhere"
skip="$skip|Methods.*|Every.*|RowsSame.*|Integrated.*|Hybrid|BadQuestions|BadModels|NotFinite|Predicted.*|Blank.*|Cascade|Word.*|PCA.*|FeaturesOf.*|KindAtlas"
skip="$skip|OnlyWhatIsMissingChanges|OnlyTheLooksChange|MissingPartsShow|WithoutTheAnimal|DrawChangedIs.*|ConstantIsRandom|Inverted|Sanity|WordsShip|.*Golden"
# internal/xla/kernels has no goroutines.
internal=$(go list ./internal/... | grep -v /xla/kernels)

# The vector kernels stay on; without them the tests would take much longer. GoMLX's Go
# backend aliases its buffers in a way that the pointer check (checkptr), which -race turns
# on and which has nothing to do with races, doesn't allow: it is off in GoMLX's packages.
# shellcheck disable=SC2086 # a list of packages
GOMLX_BACKEND=go:ops_sequential go test -race -short -timeout 20m '-gcflags=github.com/gomlx/...=-d=checkptr=0' \
  -skip "^Test($skip)\$" \
  $internal ./pkg/data/... ./pkg/hub ./pkg/plots ./pkg/transform ./pkg/weights \
  ./pkg/backend ./pkg/batch/... ./pkg/vit ./pkg/caption/... ./pkg/explain ./pkg/notebook ./pkg/train ./pkg/evaluate/...
