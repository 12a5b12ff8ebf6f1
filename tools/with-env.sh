#!/bin/sh
# Runs a command in the clone's environment: tools/with-env.sh go test ./pkg/vit
set -eu
GAZE_ROOT=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd -P)
. "$GAZE_ROOT/tools/env.sh"
exec "$@"
