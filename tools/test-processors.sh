#!/bin/sh
# Runs the tests of code that depends on the processor, with instruction sets switched off:
# tools/test-processors.sh
#
# Gaze, GoMLX's Go backend and XLA choose their code when a program starts. Each case sets
# GAZE_TEST_VECTORS and GAZE_TEST_KERNELS to the code that should be left, and the tests
# called TestProcessorSwitches fail if a switch has no effect. "make test" also runs the
# tests with the code for the machine's own processor.
set -eu
GAZE_ROOT=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd -P)
. "$GAZE_ROOT/tools/env.sh"
cd "$GAZE_ROOT"

if [ "$(go env GOARCH)" != amd64 ]; then
  echo "other processors: skipped, only amd64 has code for several instruction sets"
  exit 0
fi

# The user's own values of these variables would also affect the choice.
unset GAZE_KERNELS GAZE_TILES XLA_FLAGS GOMLX_SIMD_AVX512 GOMLX_SIMD_AVX2
# The tests' compiled XLA programs would only fill the user's cache.
: "${GAZE_COMPILED:=off}"
export GAZE_COMPILED

no512=cpu.avx512f=off
no2=cpu.avx512f=off,cpu.avx2=off

# The test programs are built once, because a case changes only how they run.
programs=$(mktemp -d)
trap 'rm -rf "$programs"' EXIT

# The command that xargs runs for a package: it runs the test program in the package's
# folder, as go test does, and prints the output of a program that fails.
# shellcheck disable=SC2016 # expanded by the inner shell
one='programs=$1 package=$2
shift 2
cd "$package" || exit 1
if text=$("$programs/$(basename "$package").test" -test.timeout=10m "$@" 2>&1); then
  echo "ok   $package"
else
  printf "%s\nFAIL %s\n" "$text" "$package"
  exit 1
fi'

# check CASE BUILD VARIABLES PACKAGES FLAG... runs the packages' test programs with the
# variables, which hold no blanks, as many at a time as there are processors.
check() {
  echo "== $1"
  build=$2 variables=$3 packages=$4
  shift 4
  # shellcheck disable=SC2086 # lists
  printf '%s\n' $packages | env $variables xargs -P "$(getconf _NPROCESSORS_ONLN)" -I PACKAGE \
    sh -c "$one" sh "$programs/$build" PACKAGE "$@"
}

golden='Switches|HeldTo|Products|Vector|Golden|BFloat16|HeadOfAnyLayout|Probabilities|Derivative|PadGradient'
pure='./pkg/backend ./pkg/nn ./pkg/vit ./pkg/train ./pkg/caption'
pictures='./pkg/transform ./internal/jpeg'

# shellcheck disable=SC2086 # lists of packages
{
  go test -c -o "$programs/usual/" $pure $pictures
  GOEXPERIMENT=nosimd go test -c -o "$programs/nosimd/" $pictures
}

go='GAZE_KERNELS=off GOMLX_BACKEND=go GAZE_TEST_KERNELS=off'
check "no vectors, the Go backend" usual "GODEBUG=$no2 $go GAZE_TEST_VECTORS=none" "$pure" -test.run="$golden"
check "no vectors, pictures" usual "GODEBUG=$no2 GAZE_TEST_VECTORS=none" "$pictures" -test.skip=NoAllocation
check "built without vectors, pictures" nosimd "" "$pictures" -test.skip=NoAllocation
check "AVX2, the Go backend" usual "GODEBUG=$no512 $go GAZE_TEST_VECTORS=AVX2" "$pure" -test.run="$golden"

if [ "$(go env CGO_ENABLED)" = 0 ]; then
  echo "XLA on other processors: skipped, it needs cgo"
  exit 0
fi
# XLA takes seconds to compile each program, so only a few tests run.
check "AVX2, XLA" usual "GODEBUG=$no512 GAZE_KERNELS=off XLA_FLAGS=--xla_cpu_max_isa=AVX2 GAZE_TEST_VECTORS=AVX2 GAZE_TEST_KERNELS=off" "$pure" \
  -test.run='Switches|HeldTo|Products|Probabilities|RunInBFloat16|BFloat16Golden/default|GreedyGolden|TestGolden/(timm_vit|hf_dinov2)/'
# Elsewhere, these kernels are those that all other tests run.
if grep -qs avx512f /proc/cpuinfo; then
  check "AVX2's kernels, XLA" usual "GAZE_KERNELS=avx2 GAZE_TEST_KERNELS=AVX2" "./pkg/backend ./pkg/nn ./pkg/vit" \
    -test.run='Switches|Products|Kernels|PackedWeights|TestGolden/(timm_vit|hf_dinov2)/'
fi
check "AVX-512 without tiles, XLA" usual "GAZE_TILES=off GAZE_TEST_KERNELS=tilesoff" "./pkg/backend ./pkg/nn ./pkg/vit" \
  -test.run='Switches|Products|Kernels|PackedWeights|TestGolden/(timm_vit|hf_dinov2)/'
