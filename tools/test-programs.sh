# shellcheck shell=sh
# Where XLA's programs that tests compile are kept; sourced by the scripts that run Go tests.
#
# Tests of several packages, and many of cmd/gaze, compile the same programs: they share a
# folder, which is apart from the user's cache and begins empty, so that each program is
# compiled once in every run. Its name is the same each time, since go test keeps results
# for the same environment only, and outside of the clone, whose files it watches.
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
