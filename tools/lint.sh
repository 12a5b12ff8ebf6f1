#!/bin/sh
# Runs all linters: tools/lint.sh
set -u
GAZE_ROOT=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd -P)
. "$GAZE_ROOT/tools/env.sh"
cd "$GAZE_ROOT" || exit 1
status=0

# check NAME COMMAND... runs a linter. All linters run, even if an earlier one fails.
check() {
  name=$1
  shift
  if "$@"; then
    printf 'lint: %-12s ok\n' "$name"
  else
    printf 'lint: %-12s FAILED\n' "$name" >&2
    status=1
  fi
}

# check_if_there NAME PROGRAM COMMAND... runs a linter if the program is installed.
check_if_there() {
  if command -v "$2" >/dev/null; then
    name=$1
    shift 2
    check "$name" "$@"
  else
    printf 'lint: %-12s skipped, %s is not installed\n' "$1" "$2" >&2
  fi
}

# shellcheck disable=SC2329 # check calls it
unformatted() {
  found=$(gofmt -l bench cmd internal pkg recipes spark tools/k8s)
  [ -z "$found" ] && return
  printf 'not gofmt-ed: %s\n' "$found" >&2
  return 1
}

check gofmt unformatted
check vet go vet ./...
check staticcheck staticcheck ./...
check notebooks .venv/bin/python tools/notebooks/check.py
check_if_there shellcheck shellcheck shellcheck --external-sources tools/*.sh tools/kernel/go .ci/run
check_if_there hadolint hadolint hadolint docker/Dockerfile
exit $status
