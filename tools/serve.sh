#!/bin/sh
# Serves JupyterLab to the network with a token: GAZE_TOKEN=... tools/serve.sh [ARGUMENT...]
# The arguments are passed to JupyterLab. With --check it only tests whether the server
# answers. This script is for the container images; on your own machine use "make lab".
set -eu
GAZE_ROOT=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd -P)
. "$GAZE_ROOT/tools/env.sh"
cd "$GAZE_ROOT"
port=${GAZE_SERVE_PORT:-8888}
case $port in
  *[!0-9]* | ??????*) port=0 ;;
esac
if [ "$port" -lt 1 ] || [ "$port" -gt 65535 ]; then
  echo "serve: GAZE_SERVE_PORT is '$GAZE_SERVE_PORT': it must be a port, 1 to 65535" >&2
  exit 1
fi

if [ "${1:-}" = --check ]; then
  # /login answers without the token.
  exec python - "http://127.0.0.1:$port/login" <<'PYTHON'
import sys, urllib.request
try:
    urllib.request.urlopen(sys.argv[1], timeout=5).close()
except OSError as err:
    sys.exit(f"serve: JupyterLab doesn't answer: {err}")
PYTHON
fi

# Anyone with access to this server can run programs, so it never starts without a token.
if [ "$(printf %s "${GAZE_TOKEN:-}" | wc -c)" -lt 16 ]; then
  echo "serve: set GAZE_TOKEN to a random text of 16 characters or more (openssl rand -hex 24)" >&2
  exit 1
fi
# The token is passed in the environment, so that the list of processes doesn't show it.
JUPYTER_TOKEN=$GAZE_TOKEN
PATH="$GAZE_ROOT/bin/lab:$PATH"
export JUPYTER_TOKEN PATH
unset GAZE_TOKEN
exec jupyter lab --no-browser --ip="${GAZE_SERVE_IP:-0.0.0.0}" --port="$port" --ServerApp.port_retries=0 \
  --ServerApp.root_dir="$GAZE_ROOT/notebooks" "$@"
