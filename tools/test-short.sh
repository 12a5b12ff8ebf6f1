#!/bin/sh
# Runs the Go tests that are short: tools/test-short.sh
# What takes long is skipped by testing.Short; results of packages that didn't change are kept.
set -eu
GAZE_ROOT=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd -P)
. "$GAZE_ROOT/tools/env.sh"
cd "$GAZE_ROOT"
. "$GAZE_ROOT/tools/test-programs.sh"

go test -short -timeout 10m ./...
