#!/bin/sh
# Uses notebooks in JupyterLab in Chromium, and the explorer of maps: tools/test-browser.sh [ARGUMENT...]
# The arguments are those of tools/browser/drive.py. With --short first, it is no failure if
# Chromium isn't there.
set -eu
GAZE_ROOT=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd -P)
cd "$GAZE_ROOT"

# The names that tools/browser/lab.py looks for.
found=${CHROMIUM:-}
for name in chromium chromium-browser google-chrome google-chrome-stable; do
  found=${found:-$(command -v "$name" || true)}
done
if [ -z "$found" ] && [ "${1:-}" = --short ]; then
  echo "browser test: skipped, Chromium isn't on the PATH (apt-get install chromium, or set CHROMIUM)"
  exit 0
fi
# The short form asks for names that the kernel also knows without gopls.
if [ "${1:-}" = --short ]; then tools/setup.sh browser; else tools/setup.sh lab browser; fi
. "$GAZE_ROOT/tools/env.sh"
PATH="$GAZE_ROOT/bin/lab:$PATH"
export PATH
# Notebook 1's study is made small, as in make test-notebooks.
: "${GAZE_QUICK_STUDY:=on}"
export GAZE_QUICK_STUDY
python tools/browser/tests.py
if [ "${1:-}" = --short ]; then python tools/browser/explorer.py --short; else python tools/browser/explorer.py; fi
exec python tools/browser/drive.py "$@"
