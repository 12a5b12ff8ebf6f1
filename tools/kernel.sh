#!/bin/sh
# Starts the Go kernel for Jupyter: tools/kernel.sh CONNECTION_FILE
# Cells see the clone's packages without a line of set-up, and never the network.
set -eu

GAZE_ROOT=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd -P)
. "$GAZE_ROOT/tools/env.sh"

# Cells run in the notebook's folder. Paths in GAZE_ variables are relative to where Jupyter
# was started, unless make says that it is elsewhere.
if [ -z "${GAZE_START:-}" ]; then
  case "${GAZE_JUPYTER_FOLDER:-}" in
    /*)
      GAZE_START=$GAZE_JUPYTER_FOLDER
      export GAZE_START
      ;;
  esac
fi

unset GOWORK # the kernel makes a workspace of its own, with the clone in it
GOPROXY=off  # set-up has fetched every module; asking would cost time in each cell
# The link is most of a cell's time: no debug information, no C linker where set-up found
# that Go's own is enough, with this Go, and no Go backend where XLA will be used.
link='-s -w'
if [ "$(cat "$GAZE_ROOT/.venv/gaze/link" 2>/dev/null)" = "$(go env GOVERSION)" ]; then
  link="$link -linkmode=internal"
fi
tags=''
case "${GOMLX_BACKEND:-xla}" in
  xla*) [ -r "$GAZE_ROOT/.venv/gaze/xla" ] && tags='-tags=xlaonly' ;;
esac
# Go itself reads the quotes.
# shellcheck disable=SC2089
GOFLAGS="$GOFLAGS -buildvcs=false $tags \"-ldflags=$link\""
# shellcheck disable=SC2090
export GOPROXY GOFLAGS

# The kernel asks "go get" before it builds a cell.
GAZE_GO=$(command -v go)
PATH="$GAZE_ROOT/tools/kernel:$PATH"
export GAZE_GO PATH

exec "$GAZE_ROOT/bin/gonb" "-go_work=$GAZE_ROOT" --kernel "$1"
