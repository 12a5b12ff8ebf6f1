# shellcheck shell=sh
# The environment for everything that is built or run in this clone. Source it with
# GAZE_ROOT set to the clone. Where it makes sense, the user's own values are kept.

PATH="$GAZE_ROOT/.venv/bin:$GAZE_ROOT/bin:$PATH"

# A workspace in a parent folder must not affect the build.
GOWORK=off

# By default GoMLX downloads XLA plugins automatically.
GOMLX_NO_AUTO_INSTALL=1

# Vector code for GoMLX's Go backend, on amd64 only. It is chosen for the processor when
# the program starts, so the binary runs on any amd64 machine. It is set for every build,
# also with XLA, so that all builds share one cache.
if [ "$(go env GOARCH)" = amd64 ]; then
  case ",${GOEXPERIMENT:-}," in
    *,simd,* | *,nosimd,*) ;;
    *) GOEXPERIMENT="${GOEXPERIMENT:+$GOEXPERIMENT,}simd" ;;
  esac
  export GOEXPERIMENT
fi

# No debug information, which the linker would read and drop for every notebook cell. With
# -linkshared, packages refer to each other's symbols by name, so that cells can be linked
# without them (internal/cells); it changes nothing else. All builds have both, so that they
# share one cache.
case "${GOFLAGS:-}" in
  *-gcflags*) ;;
  *)
    # The quotes are for Go.
    # shellcheck disable=SC2089
    GOFLAGS="${GOFLAGS:+$GOFLAGS }'-gcflags=all=-dwarf=false -linkshared'"
    ;;
esac
# shellcheck disable=SC2090
export GOFLAGS

# XLA needs cgo. Set-up records whether a C compiler works; without one everything is
# built without cgo and runs on the Go backend.
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

# Jupyter's settings and connection files are kept in the clone too.
: "${JUPYTER_CONFIG_DIR:=$GAZE_ROOT/.venv/jupyter/config}"
: "${JUPYTER_DATA_DIR:=$GAZE_ROOT/.venv/jupyter/data}"
: "${JUPYTER_RUNTIME_DIR:=$GAZE_ROOT/.venv/jupyter/runtime}"
: "${IPYTHONDIR:=$GAZE_ROOT/.venv/jupyter/ipython}"
export JUPYTER_CONFIG_DIR JUPYTER_DATA_DIR JUPYTER_RUNTIME_DIR IPYTHONDIR

export GAZE_ROOT PATH GOWORK GOMLX_NO_AUTO_INSTALL
