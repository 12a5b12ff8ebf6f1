#!/bin/sh
# Starts the Go kernel for Jupyter: tools/kernel.sh CONNECTION_FILE
# Cells see the clone's packages without a line of set-up, and never the network.
set -eu

GAZE_ROOT=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd -P)
. "$GAZE_ROOT/tools/env.sh"

unset GOWORK # the kernel makes a workspace of its own, with the clone in it
GOPROXY=off  # set-up has fetched every module; asking would cost time in each cell
# The short link is half of a cell's time. Go itself reads the quotes.
# shellcheck disable=SC2089
GOFLAGS='-buildvcs=false "-ldflags=-s -w"'
# shellcheck disable=SC2090
export GOPROXY GOFLAGS

exec "$GAZE_ROOT/bin/gonb" "-go_work=$GAZE_ROOT" --kernel "$1"
