#!/bin/sh
# Runs the tests of the C code for 64-bit ARM processors under emulation: tools/test-arm64.sh
#
# It needs a cross compiler and QEMU's user emulation, on Debian
#
#     apt-get install qemu-user gcc-aarch64-linux-gnu libc6-dev-arm64-cross
#
# and does nothing without them. Emulation says whether results are right, not how fast they are.
set -eu
GAZE_ROOT=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd -P)
. "$GAZE_ROOT/tools/env.sh"
cd "$GAZE_ROOT"

root=/usr/aarch64-linux-gnu
cc=aarch64-linux-gnu-gcc
if [ "$(go env GOARCH)" = arm64 ]; then
  echo "arm64: skipped, the other tests run on it"
  exit 0
fi
for tool in qemu-aarch64 $cc; do
  if ! command -v "$tool" >/dev/null; then
    echo "arm64: skipped, there is no $tool (apt-get install qemu-user gcc-aarch64-linux-gnu libc6-dev-arm64-cross)"
    exit 0
  fi
done
if [ ! -e $root/lib/ld-linux-aarch64.so.1 ]; then
  echo "arm64: skipped, there is no C library for it in $root (apt-get install libc6-dev-arm64-cross)"
  exit 0
fi

# The user's own values would also affect what is chosen.
unset GAZE_KERNELS GAZE_TILES GAZE_MEMORY GOEXPERIMENT

programs=$(mktemp -d)
trap 'rm -rf "$programs"' EXIT
GOOS=linux GOARCH=arm64 CGO_ENABLED=1 CC=$cc go test -c -o "$programs/" ./internal/xla/kernels ./internal/xla/memory

# The command that xargs runs for a package, in its folder, as go test does.
# shellcheck disable=SC2016 # expanded by the inner shell
one='cd "internal/xla/$3" || exit 1
if text=$(qemu-aarch64 -L "$2" "$1/$3.test" -test.short -test.timeout=10m 2>&1); then
  echo "ok   internal/xla/$3"
else
  printf "%s\nFAIL internal/xla/%s\n" "$text" "$3"
  exit 1
fi'
echo "== arm64, emulated"
printf '%s\n' kernels memory | xargs -P "$(getconf _NPROCESSORS_ONLN)" -I PACKAGE sh -c "$one" sh "$programs" $root PACKAGE
