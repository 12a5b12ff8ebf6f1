#!/bin/sh
# Runs the Go tests and checks their coverage of pkg/: tools/test-go.sh [PERCENT]
set -eu
GAZE_ROOT=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd -P)
. "$GAZE_ROOT/tools/env.sh"
cd "$GAZE_ROOT"
least=${1:-85}
. "$GAZE_ROOT/tools/test-programs.sh"

# A package's coverage is that of its own tests; code run by cmd/gaze's tests doesn't count.
go test -timeout 20m -coverprofile=coverage.out ./...

# Each line of the profile ends in "statements count".
awk -v least="$least" '
  /^gaze\/pkg\// { all += $(NF-1); if ($NF > 0) run += $(NF-1) }
  END {
    if (all == 0) { print "the profile has no statements of pkg/"; exit 1 }
    got = 100 * run / all
    printf "coverage of pkg/: %.1f %% of %d statements, at least %s %% required\n", got, all, least
    exit got < least
  }' coverage.out
