#!/bin/sh
# Starts the Go kernel for Jupyter: tools/kernel.sh CONNECTION_FILE [KERNEL]
# Cells can import the clone's packages without any set-up. Compiling them never uses the
# network. tools/kernel.sh -prepare builds the program that cells are loaded into, and
# tools/kernel.sh -warm fills gopls' cache.
set -eu

GAZE_ROOT=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd -P)
. "$GAZE_ROOT/tools/env.sh"

# Cells run in the notebook's folder. Paths in GAZE_ variables are relative to the folder in
# which Jupyter was started, unless make has set another.
if [ -z "${GAZE_START:-}" ]; then
  case "${GAZE_JUPYTER_FOLDER:-}" in
    /*)
      GAZE_START=$GAZE_JUPYTER_FOLDER
      export GAZE_START
      ;;
  esac
fi

unset GOWORK # the kernel creates its own workspace, which includes the clone
GOPROXY=off  # set-up has downloaded all modules; looking for them would take time in each cell
# Where cells can't be loaded into a program that runs already (internal/cells), linking
# takes most of their time. So they have no debug information, no C linker if set-up found
# that the linker of this Go version is enough, and no Go backend if XLA is used.
link='-s -w'
if [ "$(cat "$GAZE_ROOT/.venv/gaze/link" 2>/dev/null)" = "$(go env GOVERSION)" ]; then
  link="$link -linkmode=internal"
fi
tags=''
case "$(uname -s) $(uname -m) ${GOMLX_BACKEND:-xla}" in
  "Linux x86_64 "*) ;; # the same packages as those of bin/gaze
  *" xla"*) [ -r "$GAZE_ROOT/.venv/gaze/xla" ] && tags='-tags=xlaonly' ;;
esac
# The quotes are for Go.
# shellcheck disable=SC2089
GOFLAGS="$GOFLAGS -buildvcs=false $tags \"-ldflags=$link\""
# shellcheck disable=SC2090
export GOPROXY GOFLAGS

# The kernel runs "go get" before it builds a cell; tools/kernel/go skips that.
GAZE_GO=$(command -v go)
PATH="$GAZE_ROOT/tools/kernel:$PATH"
export GAZE_GO PATH

# gaze-kernel talks to Jupyter and has GoNB behind it. Tests name another build of it.
kernel=${2:-$GAZE_ROOT/bin/gaze-kernel}
if [ -x "$kernel" ]; then
  case $1 in -*) exec "$kernel" -root "$GAZE_ROOT" "$1" ;; esac
  exec "$kernel" -root "$GAZE_ROOT" -gonb "$GAZE_ROOT/bin/gonb" "$1"
fi
case $1 in -*) exit 0 ;; esac
exec "$GAZE_ROOT/bin/gonb" "-go_work=$GAZE_ROOT" --kernel "$1"
