# shellcheck shell=sh
# Sets the folder for the XLA programs that tests compile; sourced by the scripts that run
# Go tests.
#
# Tests of several packages, and many of cmd/gaze, compile the same programs. They share a
# folder, so that each program is compiled once per run. It isn't the user's cache, it starts
# empty, and it is outside the clone, whose files go test watches. Its name is always the
# same, because go test reuses results only for the same environment.
if [ -z "${GAZE_COMPILED:-}" ]; then
  GAZE_COMPILED=${XDG_CACHE_HOME:-${HOME:-}/.cache}/gaze-tests/$(printf %s "$GAZE_ROOT" | cksum | tr ' ' -)
  if rm -rf "$GAZE_COMPILED" && mkdir -p "$GAZE_COMPILED"; then
    chmod 700 "$GAZE_COMPILED"
    trap 'rm -rf "$GAZE_COMPILED"' EXIT
  else
    GAZE_COMPILED=off
  fi
  export GAZE_COMPILED
fi
