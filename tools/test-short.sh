#!/bin/sh
# Runs the Go tests that are short: tools/test-short.sh
# What takes long is skipped by testing.Short; results of packages that didn't change are kept.
set -eu
GAZE_ROOT=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd -P)
. "$GAZE_ROOT/tools/env.sh"
cd "$GAZE_ROOT"

# Programs compiled for tests would fill the user's cache with what nobody else runs.
: "${GAZE_COMPILED:=off}"
export GAZE_COMPILED

go test -short -timeout 10m ./...
