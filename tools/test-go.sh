#!/bin/sh
# Runs the Go tests and checks how much of pkg/ they cover: tools/test-go.sh [PERCENT]
set -eu
GAZE_ROOT=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd -P)
. "$GAZE_ROOT/tools/env.sh"
cd "$GAZE_ROOT"
least=${1:-85}
. "$GAZE_ROOT/tools/test-programs.sh"

# Each package's own tests count for it; what cmd/gaze's tests run on the way doesn't.
go test -timeout 20m -coverprofile=coverage.out ./...

# A profile's lines end in "statements times-run".
awk -v least="$least" '
  /^gaze\/pkg\// { all += $(NF-1); if ($NF > 0) run += $(NF-1) }
  END {
    if (all == 0) { print "no statements of pkg/ were counted"; exit 1 }
    got = 100 * run / all
    printf "coverage of pkg/: %.1f %% of %d statements, at least %s %% wanted\n", got, all, least
    exit got < least
  }' coverage.out
