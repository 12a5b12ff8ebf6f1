# shellcheck shell=sh
# The environment of everything that is built or run in this clone; sourced, with
# GAZE_ROOT set to the clone. Values of the user's own win where they make sense.

PATH="$GAZE_ROOT/.venv/bin:$GAZE_ROOT/bin:$PATH"

# No workspace above the clone may change what is built here.
GOWORK=off

# GoMLX downloads XLA plugins by itself unless told not to.
GOMLX_NO_AUTO_INSTALL=1

# Vector code for GoMLX's Go backend: amd64 only, and chosen by the processor when the
# program starts, so the binary runs anywhere. It is set for every build, not only for
# those without XLA, so that all of them share one build cache.
if [ "$(go env GOARCH)" = amd64 ]; then
  case ",${GOEXPERIMENT:-}," in
    *,simd,* | *,nosimd,*) ;;
    *) GOEXPERIMENT="${GOEXPERIMENT:+$GOEXPERIMENT,}simd" ;;
  esac
  export GOEXPERIMENT
fi

# Without information for debuggers, which the linker would read and drop in each of a
# notebook's cells; for all builds, so that they share one cache.
case "${GOFLAGS:-}" in
  *-gcflags*) ;;
  *) GOFLAGS="${GOFLAGS:+$GOFLAGS }-gcflags=all=-dwarf=false" ;;
esac
export GOFLAGS

# XLA is reached through cgo. Set-up notes whether a C compiler works; without one
# everything is built without cgo and runs on the Go backend.
if [ -z "${CGO_ENABLED:-}" ] && [ -r "$GAZE_ROOT/.venv/gaze/cgo" ]; then
  CGO_ENABLED=$(cat "$GAZE_ROOT/.venv/gaze/cgo")
fi
if [ -n "${CGO_ENABLED:-}" ]; then
  export CGO_ENABLED
fi
if [ -z "${CC:-}" ] && [ -r "$GAZE_ROOT/.venv/gaze/cc" ]; then
  CC=$(cat "$GAZE_ROOT/.venv/gaze/cc")
  export CC
fi

# Jupyter's settings and connection files stay in the clone as well.
: "${JUPYTER_CONFIG_DIR:=$GAZE_ROOT/.venv/jupyter/config}"
: "${JUPYTER_DATA_DIR:=$GAZE_ROOT/.venv/jupyter/data}"
: "${JUPYTER_RUNTIME_DIR:=$GAZE_ROOT/.venv/jupyter/runtime}"
: "${IPYTHONDIR:=$GAZE_ROOT/.venv/jupyter/ipython}"
export JUPYTER_CONFIG_DIR JUPYTER_DATA_DIR JUPYTER_RUNTIME_DIR IPYTHONDIR

export GAZE_ROOT PATH GOWORK GOMLX_NO_AUTO_INSTALL
